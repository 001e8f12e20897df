"""How good generated cells are, beside strong simple baselines and a real-against-real ceiling."""

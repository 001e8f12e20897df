"""A genome, its intervals and genes, and data sets made of them."""

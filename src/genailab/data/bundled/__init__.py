"""Real data inside the package, with its origin and licence in table.csv."""

"""Larger data sets: where they are, under which terms, and how to get them."""

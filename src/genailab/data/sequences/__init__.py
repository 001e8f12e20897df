"""Sequences as letters, codes and one-hot, and what is done with them."""

"""Generative models: one folder a family, one concept a file."""

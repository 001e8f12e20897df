"""Binding motifs: matrices, their search in sequences, and their comparison."""

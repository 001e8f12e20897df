"""Variants from a VCF, checked against a genome, and the sequences that they make."""

"""s01.2 Gene expression matrix. The lesson is in README.md; save this file to have it checked."""

import torch


def counts_per_million(counts):
    """Return (genes, samples) with each sample scaled to a sum of one million.

    A sample without a single read stays zeros.
    """
    # TODO: Divide by the library sizes
    pass


def log_expression(counts):
    """Return log(1 + counts per million), the natural logarithm, (genes, samples)."""
    # TODO: Normalise, then take the logarithm
    pass


def gene_statistics(expression):
    """Return two tensors (genes,): each gene's mean over the samples, and its standard deviation.

    The standard deviation estimates that of the population: it divides by n - 1.
    """
    # TODO: Which axis goes?
    pass


def sample_statistics(expression):
    """Return two tensors (samples,): mean and standard deviation (n - 1) over the genes of each sample."""
    # TODO: And here?
    pass


def z_scores(expression):
    """Return (genes, samples) in which each gene has mean 0 and standard deviation 1.

    A gene that is the same in all samples becomes zeros.
    """
    # TODO: Broadcast each gene's statistics over its samples
    pass


# Exercise 2: Expression data
expression_data = torch.randn(1000, 50)  # 1000 genes, 50 samples
# TODO: Normalize and analyze
standardised = None  # the z-scores of expression_data

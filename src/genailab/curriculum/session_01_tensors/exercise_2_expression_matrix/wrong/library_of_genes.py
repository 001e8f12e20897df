"""mistake: axis 0 is genes here"""

import torch


def counts_per_million(counts):
    """Return (genes, samples) with each sample scaled to a sum of one million."""
    library_size = counts.sum(dim=1, keepdim=True)
    # A sample without reads has only zeros: divided by 1 they stay zeros.
    return counts / library_size.clamp(min=1) * 1e6  # (genes, samples)


def log_expression(counts):
    """Return log(1 + counts per million), the natural logarithm, (genes, samples)."""
    return torch.log1p(counts_per_million(counts))


def gene_statistics(expression):
    """Return two tensors (genes,): each gene's mean over the samples, and its standard deviation."""
    return expression.mean(dim=1), expression.std(dim=1)


def sample_statistics(expression):
    """Return two tensors (samples,): mean and standard deviation (n - 1) over the genes of each sample."""
    return expression.mean(dim=0), expression.std(dim=0)


def z_scores(expression):
    """Return (genes, samples) in which each gene has mean 0 and standard deviation 1."""
    mean = expression.mean(dim=1, keepdim=True)  # (genes, 1)
    std = expression.std(dim=1, keepdim=True)  # (genes, 1)
    return (expression - mean) / torch.where(std > 0, std, 1.0)


# Exercise 2: Expression data
expression_data = torch.randn(1000, 50)  # 1000 genes, 50 samples
standardised = z_scores(expression_data)

"""mistake: samples centred, not genes"""

# Quantitative PCR on a 48 x 48 array: 48 genes in 48 samples. The program runs without an error, and the
# genes it finds are not the ones that a colleague found by hand.

import torch


def relative_expression(ct, reference):
    """Return (genes, samples): log2 expression relative to the gene in row ``reference``.

    ``ct`` (genes, samples) is the cycle in which a signal appeared: one cycle earlier is twice as much.
    """
    return ct[reference] - ct  # (samples,) minus (genes, samples)


def centre_genes(expression):
    """Return (genes, samples) in which each gene has mean 0."""
    means = expression.mean(dim=0)
    return expression - means


def scale_genes(expression):
    """Return (genes, samples) in which each gene has standard deviation 1; a constant gene stays as it is."""
    spread = expression.std(dim=1, keepdim=True)  # (genes, 1)
    return expression / torch.where(spread > 0, spread, 1.0)


def log2_fold_change(expression, treated):
    """Return (genes,): mean of the treated samples minus that of the others; treated (samples,) is bool."""
    return expression[:, treated].mean(dim=1) - expression[:, ~treated].mean(dim=1)


def most_changed(ct, reference, treated, n=5):
    """Return the rows of the n genes that differ most, in standard deviations, the first the most."""
    scaled = scale_genes(centre_genes(relative_expression(ct, reference)))
    return log2_fold_change(scaled, treated).abs().topk(n).indices

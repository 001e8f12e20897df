"""s01.2 Gene expression matrix: another way, by einsum, from the sums of the values and of their squares."""

import torch


def counts_per_million(counts):
    counts = counts.double()
    factor = torch.nan_to_num(1e6 / torch.einsum("gs->s", counts), posinf=0.0)  # (samples,)
    return torch.einsum("gs,s->gs", counts, factor)


def log_expression(counts):
    return (counts_per_million(counts) + 1).log()


def _moments(expression):
    # One row a group; mean and standard deviation over each row's values.
    expression = expression.double()
    n = expression.shape[1]
    mean = torch.einsum("gs->g", expression) / n
    deviations = expression - mean.unsqueeze(1)
    return mean, (torch.einsum("gs,gs->g", deviations, deviations) / (n - 1)).sqrt()


def gene_statistics(expression):
    return _moments(expression)


def sample_statistics(expression):
    return _moments(expression.T)


def z_scores(expression):
    mean, std = _moments(expression)
    scores = (expression.T - mean) / std  # samples first: (genes,) then fits the last axis
    return scores.nan_to_num().T


expression_data = torch.randn(1000, 50)  # 1000 genes, 50 samples
standardised = z_scores(expression_data)

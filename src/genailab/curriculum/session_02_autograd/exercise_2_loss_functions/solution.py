"""s02.2 Losses and their landscapes: one way to do it."""

import torch


def mean_squared_error(prediction, expression):
    """Drop the prediction's axis of length 1: (n, 1) and (n,) would broadcast to (n, n)."""
    return (prediction.squeeze(1) - expression).square().mean()


def variant_cross_entropy(logits, classes):
    """log p of the true class is its logit minus the log of the sum of exponentials."""
    highest = logits.max(dim=1, keepdim=True).values  # taken off, no exponential is above 1
    shifted = logits - highest  # (n, n_classes)
    log_sum = shifted.exp().sum(dim=1).log()  # (n,)
    of_true = shifted[torch.arange(len(logits)), classes]  # (n,)
    return (log_sum - of_true).mean()


def pathogenic_cross_entropy(logits, labels):
    """log(1 + exp(z)) - y z, with the exponential of a number that is never positive."""
    softplus = logits.clamp(min=0) + torch.log1p(torch.exp(-logits.abs()))  # (n,)
    return (softplus - labels * logits).mean()


def loss_landscape(features, expression, first, second):
    """All pairs of weights at once."""
    w1, w0 = torch.meshgrid(second, first, indexing="ij")
    weights = torch.stack([w0, w1], dim=-1)  # (len(second), len(first), 2)
    prediction = weights @ features.T  # (len(second), len(first), n)
    return (prediction - expression).square().mean(dim=-1)


def lowest_point(landscape, first, second):
    """The flat index counts along the rows."""
    row, column = divmod(int(landscape.argmin()), len(first))
    return float(first[column]), float(second[row])

"""mistake: axes of the landscape swapped"""

import torch


def mean_squared_error(prediction, expression):
    return (prediction.squeeze(1) - expression).square().mean()


def variant_cross_entropy(logits, classes):
    log_probabilities = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -log_probabilities[torch.arange(len(logits)), classes].mean()


def pathogenic_cross_entropy(logits, labels):
    softplus = logits.clamp(min=0) + torch.log1p(torch.exp(-logits.abs()))
    return (softplus - labels * logits).mean()


def loss_landscape(features, expression, first, second):
    guesses = first[:, None, None] * features[:, 0] + second[None, :, None] * features[:, 1]
    return (guesses - expression).square().mean(dim=-1)


def lowest_point(landscape, first, second):
    row, column = divmod(int(landscape.argmin()), len(first))
    return float(first[column]), float(second[row])

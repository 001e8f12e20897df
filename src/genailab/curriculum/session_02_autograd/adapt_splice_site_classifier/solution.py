"""s02.adapt Donor sites, yes or no: one way to do it."""

import torch


def donor_probability(features, weights, bias):
    """torch.sigmoid takes the exponential of a number that is not positive."""
    return torch.sigmoid(features @ weights + bias)


def logistic_gradients(features, labels, weights, bias):
    """The derivative of the cross-entropy by the logit is probability minus label."""
    error = donor_probability(features, weights, bias) - labels  # (n, 1)
    return features.T @ error / len(features), error.mean(dim=0)


def train_donor_classifier(features, labels):
    """From zeros, where every probability is one half."""
    weights, bias = torch.zeros(features.shape[1], 1), torch.zeros(1)
    for _ in range(300):
        by_weights, by_bias = logistic_gradients(features, labels, weights, bias)
        weights, bias = weights - 0.3 * by_weights, bias - 0.3 * by_bias
    return weights, bias


def letter_weights(weights):
    """Cut into positions first, as they lie, then turn."""
    return weights.reshape(60, 4).T

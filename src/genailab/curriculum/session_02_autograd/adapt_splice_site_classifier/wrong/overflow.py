"""mistake: overflow in the sigmoid"""

import torch


def donor_probability(features, weights, bias):
    odds = torch.exp(features @ weights + bias)
    return odds / (1 + odds)


def logistic_gradients(features, labels, weights, bias):
    probability = donor_probability(features, weights, bias)
    error = probability - labels
    return features.T @ error / len(features), error.mean(dim=0)


def train_donor_classifier(features, labels):
    weights, bias = torch.zeros(features.shape[1], 1), torch.zeros(1)
    for _ in range(300):
        by_weights, by_bias = logistic_gradients(features, labels, weights, bias)
        weights, bias = weights - 0.3 * by_weights, bias - 0.3 * by_bias
    return weights, bias


def letter_weights(weights):
    return weights.reshape(60, 4).T

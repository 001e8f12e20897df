"""mistake: autograd used"""

import torch


def donor_probability(features, weights, bias):
    return torch.sigmoid(features @ weights + bias)


def logistic_gradients(features, labels, weights, bias):
    weights, bias = weights.clone().requires_grad_(), bias.clone().requires_grad_()
    logits = features @ weights + bias
    torch.nn.functional.binary_cross_entropy_with_logits(logits, labels).backward()
    return weights.grad, bias.grad


def train_donor_classifier(features, labels):
    weights, bias = torch.zeros(features.shape[1], 1), torch.zeros(1)
    for _ in range(300):
        by_weights, by_bias = logistic_gradients(features, labels, weights, bias)
        weights, bias = weights - 0.3 * by_weights, bias - 0.3 * by_bias
    return weights, bias


def letter_weights(weights):
    return weights.reshape(60, 4).T

"""mistake: penalty removed"""

import torch


def predict(features, weights, bias):
    """Return the expression (genes, 1) from motif counts (genes, n_motifs)."""
    return features @ weights + bias


def ridge_loss(features, expression, weights, bias, strength):
    """Return the mean squared error plus strength times the sum of squared weights; the bias goes free."""
    error = predict(features, weights, bias) - expression
    return error.square().mean()


def take_step(values, rate):
    """Move each value against its gradient, in place, and forget the gradient."""
    with torch.no_grad():
        for value in values:
            value -= rate * value.grad
            value.grad = None


def train(features, expression, strength, rate=0.02, steps=400):
    """Return weights (n_motifs, 1), bias (1,) and the loss before each step."""
    weights = torch.zeros(features.shape[1], 1, requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ridge_loss(features, expression, weights, bias, strength)
        loss.backward()
        losses.append(loss.item())
        take_step([weights, bias], rate)
    return weights.detach(), bias.detach(), losses


def r_squared(prediction, expression):
    """Return the share of the variance that is explained, on whatever genes are given."""
    residual = (prediction - expression).square().sum()
    return (1 - residual / (expression - expression.mean()).square().sum()).item()

"""s02.1 Linear model for expression: one way to do it."""

import torch


def predict_expression(features, weights, bias):
    """Return (genes, 1) from features (genes, 10), weights (10, 1) and bias (1,)."""
    return features @ weights + bias


def mse_gradients(features, expression, weights, bias):
    """Return 2/n X^T (prediction - expression), and twice the mean of what is in the brackets."""
    error = predict_expression(features, weights, bias) - expression  # (genes, 1)
    by_weights = 2 / len(features) * features.T @ error  # (10, 1)
    by_bias = 2 * error.mean(dim=0)  # (1,)
    return by_weights, by_bias


def train_manual(features, expression, weights, bias, learning_rate, steps):
    """Step against the gradients; each step makes new tensors, so that the given ones stay."""
    weights, bias = weights.detach(), bias.detach()
    for _ in range(steps):
        by_weights, by_bias = mse_gradients(features, expression, weights, bias)
        weights = weights - learning_rate * by_weights
        bias = bias - learning_rate * by_bias
    return weights, bias


weights = torch.randn(10, 1, requires_grad=True)
bias = torch.randn(1, requires_grad=True)


def autograd_gradients(features, expression, weights, bias):
    """Have the loss differentiated at a copy of the given point."""
    weights, bias = (start.detach().clone().requires_grad_() for start in (weights, bias))
    loss = (predict_expression(features, weights, bias) - expression).square().mean()
    loss.backward()
    return weights.grad, bias.grad


def train_autograd(features, expression, weights, bias, learning_rate, steps):
    """The loop of every PyTorch program: forward, backward, step, zero."""
    weights, bias = (start.detach().clone().requires_grad_() for start in (weights, bias))
    for _ in range(steps):
        loss = (predict_expression(features, weights, bias) - expression).square().mean()
        loss.backward()
        with torch.no_grad():
            weights -= learning_rate * weights.grad
            bias -= learning_rate * bias.grad
        weights.grad.zero_()
        bias.grad.zero_()
    return weights.detach(), bias.detach()

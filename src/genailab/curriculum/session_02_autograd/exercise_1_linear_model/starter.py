"""s02.1 Linear model for expression. The lesson is in README.md; save this file to have it checked."""

import torch


# Exercise 1: Manual gradient descent
def predict_expression(features, weights, bias):
    """Return (genes, 1) from features (genes, 10), weights (10, 1) and bias (1,)."""
    return features @ weights + bias


def mse_gradients(features, expression, weights, bias):
    """Return the gradients of the mean squared error by weights (10, 1) and by bias (1,), without autograd.

    expression is (genes, 1).
    """
    # TODO: Derive them on paper, then write them as tensor operations
    pass


# TODO: Implement training loop with manual gradients
def train_manual(features, expression, weights, bias, learning_rate, steps):
    """Return weights and bias after gradient descent from those given, which stay as they are."""
    pass


# Exercise 2: With autograd
weights = torch.randn(10, 1, requires_grad=True)
bias = torch.randn(1, requires_grad=True)


def autograd_gradients(features, expression, weights, bias):
    """Return what mse_gradients returns, found by autograd from copies of what is given."""
    # TODO: Compare with your own gradients
    pass


# TODO: Implement using autograd
def train_autograd(features, expression, weights, bias, learning_rate, steps):
    """Return what train_manual returns; the gradients come from loss.backward()."""
    pass

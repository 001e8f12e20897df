"""s03.2 Expression regressor. The lesson is in README.md; save this file to have it checked."""

import torch
import torch.nn as nn


class ExpressionRegressor(nn.Module):
    """Histone marks (genes, input_size) -> expression (genes,), by an nn.Linear for each of hidden_sizes.

    Behind each hidden layer stand an activation and dropout (an entry is dropped with probability dropout);
    then an nn.Linear to one number. hidden_sizes=() is a linear model.
    """

    def __init__(self, input_size, hidden_sizes, dropout):
        super().__init__()
        # TODO: Define layers

    def forward(self, x):
        # TODO: Implement forward pass
        pass


def train(model, features, expression):
    """Train model by the mean squared error of mini-batches, with its dropout on, and return it."""
    # TODO: Implement the loop
    pass


def predict(model, features):
    """Return the model's predictions without dropout and without a graph; leave its mode as it was."""
    # TODO: Implement
    pass


def r_squared(predicted, measured):
    """Return the share of the variance that is explained."""
    return float(1 - (predicted - measured).square().sum() / (measured - measured.mean()).square().sum())


def compare_architectures(candidates, features, expression, valid_features, valid_expression):
    """Train a model (dropout 0.1) for each tuple of hidden sizes; return {hidden_sizes: R2 of new genes}."""
    # TODO: Experiment with different architectures
    pass

"""s03.3 Multi-task model. The lesson is in README.md; save this file to have it checked."""

import torch
import torch.nn as nn


class MultiTaskModel(nn.Module):
    """Factors (cells, input_size) -> expression (cells,), logits (cells, n_tissues).

    trunk is shared and ends in hidden_size numbers behind an activation; expression_head and tissue_head are
    an nn.Linear each, fed by the trunk.
    """

    def __init__(self, input_size, hidden_size, n_tissues):
        super().__init__()
        # TODO: Define trunk, expression_head and tissue_head

    def forward(self, x):
        # TODO: Return both predictions
        pass


def task_losses(expression, logits, measured, tissue):
    """Return the mean squared error of expression and the mean cross-entropy of tissue, two scalars."""
    # TODO: Implement
    pass


class FixedWeights(nn.Module):
    """The weighted sum of two losses: expression_weight * first + tissue_weight * second."""

    def __init__(self, expression_weight, tissue_weight):
        super().__init__()
        # TODO: Keep the weights

    def forward(self, expression_loss, tissue_loss):
        # TODO: Return one scalar
        pass


class LearnedWeights(nn.Module):
    """The sum over tasks of exp(-s) * loss + s, where log_variance holds an s for each and is learned."""

    def __init__(self):
        super().__init__()
        # TODO: Make self.log_variance, two zeros to be learned

    def forward(self, expression_loss, tissue_loss):
        # TODO: Return one scalar
        pass


def train(model, weighting, x, measured, tissue):
    """Train model, and the parameters of weighting where it has some, on mini-batches; return model."""
    # TODO: Implement the loop
    pass

"""s03.1 Promoter classifier. The lesson is in README.md; save this file to have it checked."""

import torch
import torch.nn as nn


class PromoterClassifier(nn.Module):
    """Three nn.Linear: input_size -> hidden_size -> hidden_size -> 1, with an activation between them.

    x is (batch, 4, length) with 4 * length = input_size; the result is one logit a sequence, (batch,).
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        # TODO: Define layers

    def forward(self, x):
        # TODO: Implement forward pass
        pass


def train(model, sequences, labels):
    """Train model on sequences (n, 4, length) and labels (n,) of 0 and 1, and return it.

    The loss is the mean binary cross-entropy of a mini-batch. How many epochs, which optimizer and which
    learning rate is up to you; the checks give it 20 seconds in all.
    """
    # TODO: Implement the loop over epochs and shuffled mini-batches
    pass


# Exercise: Instantiate and test
model = PromoterClassifier(input_size=4 * 200, hidden_size=128)

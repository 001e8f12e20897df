"""Fully connected blocks."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

__all__ = ["feedforward"]


def feedforward(n_in: int, n_hidden: int, *, n_layers: int = 1, dropout: float = 0.1) -> nn.Sequential:
    """Stack ``n_layers`` of Linear, BatchNorm, ReLU and Dropout: ``(cells, n_in)`` to ``(cells, n_hidden)``.

    Batch normalisation uses the momentum 0.01 and epsilon 0.001 that single-cell VAEs have settled on: with
    small batches of very different cells the usual 0.1 makes the running statistics jump.
    """
    widths = [n_in, *[n_hidden] * n_layers]
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise(widths):
        layers += [
            nn.Linear(width_in, width_out),
            nn.BatchNorm1d(width_out, momentum=0.01, eps=1e-3),
            nn.ReLU(),
        ]
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)

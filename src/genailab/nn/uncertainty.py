"""Several losses in one: weights that are learned from how noisy each task is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from genailab.errors import InputError

__all__ = ["UncertaintyWeights"]


class UncertaintyWeights(nn.Module):
    """Sum losses of different scales, each weighted by a learned noise variance ``s^2``.

    ``L / (2 s^2) + log s`` for a squared error, the Gaussian's negative log-likelihood; ``L / s^2 + log s``
    for a cross-entropy, whose logits are divided by the temperature ``s^2``. For constant losses the best
    variances are ``s^2 = L`` and ``s^2 = 2 L``. Kendall, Gal & Cipolla 2018, "Multi-task learning using
    uncertainty to weigh losses for scene geometry and semantics", equations 5 to 10.

    Parameters
    ----------
    kinds
        For each loss by name, what it is: ``"squared_error"`` or ``"cross_entropy"``.

    Examples
    --------
    >>> weigh = UncertaintyWeights({"expression": "squared_error", "tissue": "cross_entropy"})
    >>> weigh({"expression": torch.tensor(4.0), "tissue": torch.tensor(1.0)}).item()  # s = 1 at the start
    3.0
    """

    def __init__(self, kinds: Mapping[str, Literal["squared_error", "cross_entropy"]]) -> None:
        super().__init__()
        self.kinds = dict(kinds)
        # The logarithm, so that the variance stays positive and no loss is ever divided by 0.
        self.log_variance = nn.Parameter(torch.zeros(len(kinds)))

    def weights(self) -> dict[str, Tensor]:
        """Return what each loss is multiplied by, scalars by name."""
        precision = self.log_variance.exp().reciprocal()
        halves = {"squared_error": 0.5, "cross_entropy": 1.0}
        return {name: halves[kind] * precision[i] for i, (name, kind) in enumerate(self.kinds.items())}

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum with its penalties, a scalar.

        Raises
        ------
        InputError
            If the losses are not those that have a weight.
        """
        if set(losses) != set(self.kinds):
            raise InputError(f"the losses {sorted(losses)} are not those with a weight, {sorted(self.kinds)}")
        total = 0.5 * self.log_variance.sum()  # log s of every task
        for name, weight in self.weights().items():
            total = total + weight * losses[name]
        return total

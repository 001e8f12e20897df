"""The schedule of masking: how many letters are still there at time t."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["LogLinearSchedule"]


@dataclass(frozen=True, kw_only=True)
class LogLinearSchedule:
    """``alpha(t) = 1 - (1 - smallest) t``: the share of letters kept falls in a straight line.

    For discrete processes, where ``alpha`` is the probability that a letter is still its own and ``1 -
    alpha`` that it is masked: it has no sigma. The name is that of the total noise ``-log alpha(t) = -log(1 -
    (1 - smallest) t)``. Times and results have one shape, any shape. Lou, Meng & Ermon 2024, "Discrete
    Diffusion Modeling by Estimating the Ratios of the Data Distribution", appendix C; Sahoo et al. 2024,
    "Simple and Effective Masked Diffusion Language Models", appendix E.
    """

    smallest: float = 0.0  # share kept at t = 1

    def __post_init__(self) -> None:
        if not 0 <= self.smallest < 1:
            raise InputError(f"smallest is {self.smallest}: the share kept at t = 1 must be in [0, 1)")

    def alpha(self, t: Tensor) -> Tensor:
        """Return the share of letters kept."""
        return 1 - (1 - self.smallest) * t

    def alpha_derivative(self, t: Tensor) -> Tensor:
        """Return d alpha / dt, a constant."""
        return torch.full_like(t, self.smallest - 1)

    def time(self, alpha: Tensor) -> Tensor:
        """Return the time at which this share is kept."""
        return (1 - alpha) / (1 - self.smallest)

    def weight(self, t: Tensor) -> Tensor:
        """Return ``-alpha' / (1 - alpha)``, the weight of a masked letter in the bound, which is 1 / t."""
        return -self.alpha_derivative(t) / (1 - self.alpha(t))

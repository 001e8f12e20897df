"""What a network predicts, and how each prediction becomes any other.

With ``x_t = alpha x_0 + sigma eps`` and ``alpha^2 + sigma^2 = 1``, x_t and one of the three give the others::

    eps    the noise                       Ho et al. 2020
    x0     the data
    v      alpha eps - sigma x_0           Salimans & Ho 2022, "Progressive Distillation", section 4

``alpha`` and ``sigma`` broadcast against the samples ``(batch, ...)``.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

__all__ = ["Prediction", "from_x0", "to_eps", "to_x0"]

Prediction = Literal["eps", "x0", "v"]


def to_x0(output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor, *, kind: Prediction) -> Tensor:
    """Return the data that the output stands for, shape of ``x_t``."""
    if kind == "x0":
        return output
    if kind == "v":
        return alpha * x_t - sigma * output
    return (x_t - sigma * output) / alpha


def to_eps(output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor, *, kind: Prediction) -> Tensor:
    """Return the noise that the output stands for, shape of ``x_t``."""
    if kind == "eps":
        return output
    if kind == "v":
        return sigma * x_t + alpha * output
    return (x_t - alpha * output) / sigma


def from_x0(x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor, *, kind: Prediction) -> Tensor:
    """Return what a perfect network would put out for these data and this noise: the training target."""
    if kind == "x0":
        return x0
    if kind == "v":
        return alpha * noise - sigma * x0
    return noise

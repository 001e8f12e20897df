"""What a network predicts, and how each prediction becomes any other.

With ``x_t = alpha x_0 + sigma eps``, x_t and one of the five give the others::

    eps         the noise                       Ho et al. 2020
    x0          the data
    v           alpha eps - sigma x_0           Salimans & Ho 2022, "Progressive Distillation", section 4
    score       -eps / sigma                    Vincent 2011, section 4; Song et al. 2021
    velocity    alpha' x_0 + sigma' eps         Lipman et al. 2023, equation 15, with time reversed

They hold for every schedule, also where ``alpha^2 + sigma^2`` is not 1. ``alpha`` and ``sigma`` broadcast
against the samples ``(batch, ...)``; the velocity also needs their derivatives by time, ``rates``.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from genailab.errors import InputError, nearest
from genailab.generative.diffusion.schedules import Schedule

__all__ = [
    "PREDICTIONS",
    "Prediction",
    "beside",
    "convert",
    "error_scale",
    "from_x0",
    "to_eps",
    "to_x0",
]

Prediction = Literal["eps", "x0", "v", "score", "velocity"]
PREDICTIONS: tuple[Prediction, ...] = get_args(Prediction)

# alpha' and sigma', the derivatives by time.
Rates = tuple[Tensor, Tensor]


def to_x0(
    output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor, *, kind: Prediction, rates: Rates | None = None
) -> Tensor:
    """Return the data that the output stands for, shape of ``x_t``."""
    if kind == "x0":
        return output
    if kind == "v":
        return (alpha * x_t - sigma * output) / _squared_length(alpha, sigma)
    if kind == "eps":
        return (x_t - sigma * output) / alpha
    if kind == "score":
        return (x_t + sigma.square() * output) / alpha
    alpha_rate, sigma_rate = _rates(kind, rates)
    return (sigma_rate * x_t - sigma * output) / (alpha * sigma_rate - sigma * alpha_rate)


def to_eps(
    output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor, *, kind: Prediction, rates: Rates | None = None
) -> Tensor:
    """Return the noise that the output stands for, shape of ``x_t``."""
    if kind == "eps":
        return output
    if kind == "v":
        return (sigma * x_t + alpha * output) / _squared_length(alpha, sigma)
    if kind == "x0":
        return (x_t - alpha * output) / sigma
    if kind == "score":
        return -sigma * output
    alpha_rate, sigma_rate = _rates(kind, rates)
    return (alpha * output - alpha_rate * x_t) / (alpha * sigma_rate - sigma * alpha_rate)


def from_x0(
    x0: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor, *, kind: Prediction, rates: Rates | None = None
) -> Tensor:
    """Return what a perfect network would put out for these data and this noise: the training target."""
    if kind == "x0":
        return x0
    if kind == "v":
        return alpha * noise - sigma * x0
    if kind == "eps":
        return noise
    if kind == "score":
        return -noise / sigma
    alpha_rate, sigma_rate = _rates(kind, rates)
    return alpha_rate * x0 + sigma_rate * noise


def convert(
    output: Tensor, x_t: Tensor, t: Tensor, schedule: Schedule, *, kind: Prediction, to: Prediction
) -> Tensor:
    """Return one prediction as another, shape of ``x_t`` ``(batch, ...)``, at times ``(batch,)`` or scalar.

    Examples
    --------
    >>> from genailab.generative.diffusion.schedules import CondOTSchedule
    >>> x_t, t = torch.tensor([[0.5]]), torch.tensor(0.5)  # halfway from data 0 to noise 1
    >>> round(convert(torch.tensor([[1.0]]), x_t, t, CondOTSchedule(), kind="eps", to="x0").item(), 6)
    0.0
    """
    if kind == to:
        return output
    alpha, sigma = beside(schedule.alpha(t), x_t), beside(schedule.sigma(t), x_t)
    rates = None
    if "velocity" in (kind, to):
        rates = beside(schedule.alpha_derivative(t), x_t), beside(schedule.sigma_derivative(t), x_t)
    x0 = to_x0(output, x_t, alpha, sigma, kind=kind, rates=rates)
    eps = to_eps(output, x_t, alpha, sigma, kind=kind, rates=rates)
    return from_x0(x0, eps, alpha, sigma, kind=to, rates=rates)


def error_scale(t: Tensor, schedule: Schedule, *, kind: Prediction) -> Tensor:
    """Return how large an error of the prediction is made by an error of 1 in x_0, shape of ``t``.

    At a given x_t a wrong x_0 makes each of the others wrong in proportion: ``alpha / sigma`` for eps,
    ``(alpha^2 + sigma^2) / sigma`` for v, ``alpha / sigma^2`` for the score and ``-alpha log_snr' / 2`` for
    the velocity.
    """
    if kind == "x0":
        return torch.ones_like(t)
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    if kind == "eps":
        return alpha / sigma
    if kind == "v":
        return _squared_length(alpha, sigma) / sigma
    if kind == "score":
        return alpha / sigma.square()
    if kind == "velocity":
        return (alpha * schedule.sigma_derivative(t) - sigma * schedule.alpha_derivative(t)) / sigma
    raise InputError(f"there is no prediction {kind!r}: {nearest(str(kind), PREDICTIONS)}")


def beside(per_sample: Tensor, x: Tensor) -> Tensor:
    """Give ``(batch,)`` as many trailing axes of length 1 as ``x`` ``(batch, ...)`` needs to multiply it."""
    return per_sample.reshape(per_sample.shape + (1,) * (x.ndim - per_sample.ndim))


def _squared_length(alpha: Tensor, sigma: Tensor) -> Tensor:
    squared = alpha.square() + sigma.square()
    # A schedule that preserves variance misses 1 by rounding, which is not to be carried into every step.
    rounding = 8 * torch.finfo(squared.dtype).eps
    return torch.where((squared - 1).abs() < rounding, 1.0, squared)


def _rates(kind: str, rates: Rates | None) -> Rates:
    if kind != "velocity":
        raise InputError(f"there is no prediction {kind!r}: {nearest(str(kind), PREDICTIONS)}")
    if rates is None:
        raise InputError(
            "a velocity cannot be converted without rates: give rates=(schedule.alpha_derivative(t), "
            "schedule.sigma_derivative(t))"
        )
    return rates

"""Euler and Maruyama's method for the reverse-time stochastic differential equation.

    dx = (f x - g^2 score) dt + g dw,     f = alpha' / alpha,     g^2 = -sigma^2 l'

With ``score = -(x_t - alpha x_0) / sigma^2`` and ``l'`` the derivative of the log-SNR by time, negative, a
step from t to s < t is::

    x_s = x_t + (s - t) (f x_t - l' (x_t - alpha x_0)) + sqrt((s - t) l') sigma noise

Song et al. 2021, "Score-Based Generative Modeling through Stochastic Differential Equations", equation 6. Of
weak order 1: the error of a mean falls as the step. The last step returns the estimated data, free of the
noise that is left there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.generative.diffusion.samplers.base import Denoiser, check_times, noise_like, precise
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["euler_maruyama"]


def euler_maruyama(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``; wants hundreds of steps. One network call a step."""
    check_times(times)
    of_data, of_sample, spread = _coefficients(schedule, precise(times))
    for i in range(len(times) - 2):
        x0 = denoiser(x, times[i])
        x = of_data[i] * x0 + of_sample[i] * x + spread[i] * noise_like(x, generator)
    return denoiser(x, times[-2])


def _coefficients(schedule: Schedule, times: Tensor) -> tuple[list[float], list[float], list[float]]:
    """Return the factors of x_0, of x_t and of fresh noise in each step."""
    t, step = times[:-1], times.diff()
    alpha, slope = schedule.alpha(t), schedule.log_snr_derivative(t)
    of_data = step * slope * alpha
    of_sample = 1 + step * (schedule.alpha_derivative(t) / alpha - slope)
    return of_data.tolist(), of_sample.tolist(), ((step * slope).sqrt() * schedule.sigma(t)).tolist()

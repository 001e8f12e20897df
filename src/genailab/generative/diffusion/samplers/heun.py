"""Heun's method for the probability-flow ODE, with churn: EDM's sampler.

In ``y = x / alpha`` and ``rho = sigma / alpha`` every schedule's ODE is ``dy/drho = d = (y - x_0) / rho``, so
that Karras et al.'s algorithm, written for ``alpha = 1``, holds for each of them. A step from rho to rho'::

    rho^ = (1 + gamma) rho,   y^ = y + sqrt(rho^^2 - rho^2) S_noise noise        churn: some noise is put back
    y'   = y^ + (rho' - rho^) d(y^, rho^)                                         Euler
    y    = y^ + (rho' - rho^) (d(y^, rho^) + d(y', rho')) / 2                     Heun, second order

with ``gamma = min(S_churn / steps, sqrt(2) - 1)`` where rho is between ``S_min`` and ``S_max``, else 0.
Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", algorithm 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.samplers.base import Denoiser, noise_levels, noise_like, precise
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["heun"]


def heun(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    churn: float = 0.0,
    churn_interval: tuple[float, float] = (0.0, math.inf),
    churn_noise: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``; 18 to 40 steps with EDM's spacing are enough.

    Two network calls a step, but one in the last, which is Euler's.

    Parameters
    ----------
    denoiser, x, times, schedule
        As of every sampler.
    churn
        ``S_churn``: how much noise is put back over all steps; 0 is deterministic and uses no generator.
    churn_interval
        ``(S_min, S_max)``: the noise-to-signal ratios ``sigma / alpha`` between which that happens.
    churn_noise
        ``S_noise``: factor of that noise; a little above 1 replaces what a network removes too much.
    generator
        Source of that noise.

    Raises
    ------
    InputError
        If ``churn`` or ``churn_noise`` is negative, or the times cannot be right.
    """
    if not (churn >= 0 and churn_noise >= 0):
        raise InputError(f"churn is {churn} and churn_noise {churn_noise}: they must be 0 or more")
    alphas, sigmas = noise_levels(schedule, times)
    ratios = [sigma / alpha for alpha, sigma in zip(alphas, sigmas, strict=True)]
    raised = _churned(times, schedule, churn / (len(times) - 1), churn_interval)
    is_raised = (raised > times).tolist()
    raised_alphas = schedule.alpha(precise(raised)).tolist()
    raised_ratios = torch.exp(-0.5 * schedule.log_snr(precise(raised))).tolist()
    y = x / alphas[0]
    for i in range(len(ratios) - 1):
        rho, rho_next = raised_ratios[i], ratios[i + 1]
        if is_raised[i]:
            y = y + churn_noise * math.sqrt(rho**2 - ratios[i] ** 2) * noise_like(x, generator)
        # Slopes are written out: y is as large as rho, and (y - x_0) / rho * rho would lose digits of x_0.
        decay = rho_next / rho
        ahead = decay * y + (1 - decay) * denoiser(raised_alphas[i] * y, raised[i])
        if i < len(ratios) - 2:
            estimate = denoiser(alphas[i + 1] * ahead, times[i + 1])
            ahead = 0.5 * (y + ahead) + 0.5 * (1 - 1 / decay) * (ahead - estimate)
        y = ahead
    return alphas[-1] * y


def _churned(times: Tensor, schedule: Schedule, gamma: float, interval: tuple[float, float]) -> Tensor:
    """Return the times at which there is ``1 + gamma`` times the noise, as far as there are such times."""
    if gamma == 0:
        return times
    log_snr = schedule.log_snr(precise(times))
    ratio = torch.exp(-0.5 * log_snr)
    wanted = log_snr - 2 * math.log1p(min(gamma, math.sqrt(2) - 1))
    noisier = schedule.time(wanted.clamp(min=schedule.log_snr_min)).clamp(0, 1)
    inside = (ratio >= interval[0]) & (ratio <= interval[1])
    return torch.where(inside, noisier.to(times.dtype), times)

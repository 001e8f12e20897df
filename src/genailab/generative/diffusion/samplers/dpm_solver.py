"""DPM-Solver++(2M): a second-order multistep solver of the probability-flow ODE in the data prediction.

With half log-SNR ``l = log(alpha / sigma)``, step ``h = l_s - l_t`` and previous step ``h'``::

    D   = x_0 + h / (2 h') (x_0 - x_0')               linear extrapolation from the step before
    x_s = sigma_s / sigma_t x_t - alpha_s (exp(-h) - 1) D

One network call a step, like DDIM (which is its first order, ``D = x_0``), with an error that falls as the
square of the step. Lu et al. 2022, "DPM-Solver++: Fast Solver for Guided Sampling", algorithm 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genailab.generative.diffusion.samplers.base import Denoiser, noise_levels
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["dpm_solver_2m"]


def dpm_solver_2m(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``; 15 to 25 steps are enough.

    Deterministic: uses no generator.
    """
    alphas, sigmas = noise_levels(schedule, times)
    previous: tuple[Tensor, float] | None = None  # estimate and step before
    for i in range(len(alphas) - 1):
        (alpha_t, alpha_s), (sigma_t, sigma_s) = alphas[i : i + 2], sigmas[i : i + 2]
        x0 = denoiser(x, times[i])
        decay = alpha_t * sigma_s / (alpha_s * sigma_t)  # exp(-h), which is 0 where the noise ends
        step = -math.log(decay) if decay > 0 else math.inf
        # The last step is first order: where noise ends, extrapolation only amplifies the network's error.
        if previous is None or i == len(alphas) - 2:
            slope = x0
        else:
            ahead = step / (2 * previous[1])
            slope = (1 + ahead) * x0 - ahead * previous[0]
        x = sigma_s / sigma_t * x + alpha_s * (1 - decay) * slope
        previous = x0, step
    return x

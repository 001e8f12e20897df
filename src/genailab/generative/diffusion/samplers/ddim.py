"""DDIM: the same marginals as DDPM with as much or as little fresh noise as wanted.

    x_s = alpha_s x_0 + sqrt(sigma_s^2 - tau^2) eps + tau noise,     eps = (x_t - alpha_t x_0) / sigma_t

``tau`` is ``eta`` times DDPM's posterior standard deviation; with ``eta = 0`` sampling is deterministic:
Euler's method for the probability-flow ODE of ``x / alpha`` in ``sigma / alpha``. Song, Meng & Ermon 2021,
"Denoising Diffusion Implicit Models", equations 12 and 14. The last step returns the estimated data.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.samplers.base import Denoiser, noise_levels, noise_like
from genailab.generative.diffusion.samplers.ddpm import ancestral_step
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["ddim"]


def ddim(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``; 50 to 100 steps are usual.

    ``eta`` in [0, 1] is the share of fresh noise; InputError where it lies outside. One network call a step.
    """
    if not 0 <= eta <= 1:
        raise InputError(f"eta is {eta}: it must be in [0, 1], where 0 adds no noise and 1 as much as DDPM")
    alphas, sigmas = noise_levels(schedule, times)
    for i in range(len(alphas) - 2):
        (alpha_t, alpha_s), (sigma_t, sigma_s) = alphas[i : i + 2], sigmas[i : i + 2]
        x0 = denoiser(x, times[i])
        tau = eta * ancestral_step(alpha_t, sigma_t, alpha_s, sigma_s)[-1]
        of_noise = math.sqrt(max(sigma_s**2 - tau**2, 0.0)) / sigma_t
        x = (alpha_s - of_noise * alpha_t) * x0 + of_noise * x
        if eta > 0:
            x = x + tau * noise_like(x, generator)
    return denoiser(x, times[-2])

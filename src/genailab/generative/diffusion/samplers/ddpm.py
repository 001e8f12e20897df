"""Ancestral sampling: each step draws from the Gaussian posterior of the reverse process.

For s < t, with ``r = alpha_t / alpha_s`` the signal kept from s to t and ``v = sigma_t^2 - r^2 sigma_s^2``
the noise added on the way (``1 - r^2`` where variance is preserved)::

    q(x_s | x_t, x_0) = N(mean, variance)
    mean     = alpha_s v / sigma_t^2  x_0  +  r sigma_s^2 / sigma_t^2  x_t
    variance = v sigma_s^2 / sigma_t^2

Ho et al. 2020, "Denoising Diffusion Probabilistic Models", equations 6 and 7; for any schedule Kingma et al.
2021, "Variational Diffusion Models", equations 25 and 26.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genailab.generative.diffusion.samplers.base import Denoiser, noise_levels, noise_like
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["ancestral_step", "ddpm"]


def ddpm(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``; wants hundreds of steps.

    One network call a step; the last step returns the mean.
    """
    alphas, sigmas = noise_levels(schedule, times)
    for i in range(len(alphas) - 1):
        x0 = denoiser(x, times[i])
        of_data, of_sample, spread = ancestral_step(alphas[i], sigmas[i], alphas[i + 1], sigmas[i + 1])
        x = of_data * x0 + of_sample * x
        if i < len(alphas) - 2:
            x = x + spread * noise_like(x, generator)
    return x


def ancestral_step(alpha_t: float, sigma_t: float, alpha_s: float, sigma_s: float) -> tuple[float, ...]:
    """Return what x_s is made of: the factors of x_0, of x_t and of fresh noise."""
    kept = alpha_t / alpha_s
    # Rounding may leave a little below 0 where two times are as good as one.
    added = max(sigma_t**2 - (kept * sigma_s) ** 2, 0.0)
    return alpha_s * added / sigma_t**2, kept * (sigma_s / sigma_t) ** 2, math.sqrt(added) * sigma_s / sigma_t

"""Ancestral sampling: each step draws from the Gaussian posterior of the reverse process.

For s < t, with ``r = (alpha_t / alpha_s)^2`` the signal kept from s to t::

    q(x_s | x_t, x_0) = N(mean, variance)
    mean     = alpha_s (1 - r) / sigma_t^2  x_0  +  sqrt(r) sigma_s^2 / sigma_t^2  x_t
    variance = (1 - r) sigma_s^2 / sigma_t^2

Ho et al. 2020, "Denoising Diffusion Probabilistic Models", equations 6 and 7.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.generative.diffusion.samplers.base import Denoiser
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["ddpm"]


def ddpm(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``; wants hundreds of steps."""
    alphas, sigmas = schedule.alpha(times), schedule.sigma(times)
    for i in range(len(times) - 1):
        (alpha_t, alpha_s), (sigma_t, sigma_s) = alphas[i : i + 2], sigmas[i : i + 2]
        kept = (alpha_t / alpha_s).square()
        x0 = denoiser(x, times[i])
        x = (alpha_s * (1 - kept) * x0 + kept.sqrt() * sigma_s.square() * x) / sigma_t.square()
        if i < len(times) - 2:  # the last step returns the mean
            noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
            x = x + (1 - kept).sqrt() * sigma_s / sigma_t * noise
    return x

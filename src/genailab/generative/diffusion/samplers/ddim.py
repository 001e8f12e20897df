"""DDIM: the same marginals as DDPM with as much or as little fresh noise as wanted.

    x_s = alpha_s x_0 + sqrt(sigma_s^2 - tau^2) eps + tau noise,     eps = (x_t - alpha_t x_0) / sigma_t

With ``eta = 1`` tau is DDPM's posterior standard deviation; with ``eta = 0`` sampling is deterministic, a first-order
solver of the probability-flow ODE. Song, Meng & Ermon 2021, "Denoising Diffusion Implicit Models", equation 12.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.generative.diffusion.prediction import to_eps
from genailab.generative.diffusion.samplers.base import Denoiser
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
    """Return samples, shape of ``x`` ``(batch, ...)``; 50 to 100 steps are usual."""
    alphas, sigmas = schedule.alpha(times), schedule.sigma(times)
    for i in range(len(times) - 1):
        (alpha_t, alpha_s), (sigma_t, sigma_s) = alphas[i : i + 2], sigmas[i : i + 2]
        x0 = denoiser(x, times[i])
        if i == len(times) - 2:
            return x0
        eps = to_eps(x0, x, alpha_t, sigma_t, kind="x0")
        tau = eta * sigma_s / sigma_t * (1 - (alpha_t / alpha_s).square()).sqrt()
        x = alpha_s * x0 + (sigma_s.square() - tau.square()).sqrt() * eps
        if eta > 0:
            x = x + tau * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return x

"""DDIM: the same marginals as DDPM with as much or as little fresh noise as wanted.

    x_s = alpha_s x_0 + sqrt(sigma_s^2 - tau^2) eps + tau noise,     eps = (x_t - alpha_t x_0) / sigma_t

``tau`` is ``eta`` times DDPM's posterior standard deviation; with ``eta = 0`` sampling is deterministic, a
first-order solver of the probability-flow ODE. Song, Meng & Ermon 2021, "Denoising Diffusion Implicit
Models", equation 12. The last step returns the estimated data.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.errors import InputError
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
    """Return samples, shape of ``x`` ``(batch, ...)``; 50 to 100 steps are usual.

    ``eta`` in [0, 1] is the share of fresh noise; InputError where it lies outside.
    """
    if not 0 <= eta <= 1:
        raise InputError(f"eta is {eta}: it must be in [0, 1], where 0 adds no noise and 1 as much as DDPM")
    alphas, sigmas = schedule.alpha(times), schedule.sigma(times)
    for i in range(len(times) - 1):
        (alpha_t, alpha_s), (sigma_t, sigma_s) = alphas[i : i + 2], sigmas[i : i + 2]
        x0 = denoiser(x, times[i])
        if i == len(times) - 2:
            return x0
        eps = to_eps(x0, x, alpha_t, sigma_t, kind="x0")
        tau = eta * sigma_s / sigma_t * (1 - (alpha_t / alpha_s).square()).sqrt()
        # Rounding may leave a little below 0 where a long step keeps nothing of the old noise.
        x = alpha_s * x0 + (sigma_s.square() - tau.square()).clamp(min=0).sqrt() * eps
        if eta > 0:
            x = x + tau * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return x

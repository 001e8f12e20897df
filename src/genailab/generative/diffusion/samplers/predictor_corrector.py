"""Predictor-corrector sampling: a step in time, then Langevin steps that stay at that time.

With ``r = alpha_t / alpha_s`` and ``v = sigma_t^2 - r^2 sigma_s^2``, the noise added from s to t::

    x_s = (2 - r) x_t + v score(x_t, t) + sqrt(v) noise                                    predictor
    x_s = x_s + e score(x_s, s) + sqrt(2 e) noise,   e = 2 (snr |noise| / |score|)^2      corrector

The predictor is the discretised forward process run backwards; ``r = 1`` gives the paper's
variance-exploding form, ``r = sqrt(1 - beta)``, ``v = beta`` its variance-preserving one. The corrector's
norms are averaged over the batch, as in the authors' code. Song et al. 2021, "Score-Based Generative Modeling
through Stochastic Differential Equations", algorithms 2 to 5. The last step returns the estimated data.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.samplers.base import Denoiser, noise_levels, noise_like
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["predictor_corrector"]


def predictor_corrector(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    n_corrections: int = 1,
    snr: float = 0.16,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``; wants hundreds of steps.

    Parameters
    ----------
    denoiser, x, times, schedule
        As of every sampler.
    n_corrections
        Langevin steps after each step in time, each a network call; 0 is the predictor alone.
    snr
        Size of a Langevin step: the ratio of its drift to its noise. 0.16 is the paper's.
    generator
        Source of the noise.

    Raises
    ------
    InputError
        If ``n_corrections`` is negative, ``snr`` is not positive, or the times cannot be right.
    """
    if n_corrections < 0 or not snr > 0:
        raise InputError(f"n_corrections is {n_corrections} and snr {snr}: give 0 or more, and more than 0")
    alphas, sigmas = noise_levels(schedule, times)
    for i in range(len(alphas) - 2):
        (alpha_t, alpha_s), (sigma_t, sigma_s) = alphas[i : i + 2], sigmas[i : i + 2]
        kept = alpha_t / alpha_s
        added = max(sigma_t**2 - (kept * sigma_s) ** 2, 0.0)
        score = _score(denoiser, x, times[i], alpha_t, sigma_t)
        x = (2 - kept) * x + added * score + math.sqrt(added) * noise_like(x, generator)
        for _ in range(n_corrections):
            score, noise = _score(denoiser, x, times[i + 1], alpha_s, sigma_s), noise_like(x, generator)
            step = 2 * (snr * _norm(noise) / _norm(score)).square()
            x = x + step * score + (2 * step).sqrt() * noise
    return denoiser(x, times[-2])


def _score(denoiser: Denoiser, x: Tensor, t: Tensor, alpha: float, sigma: float) -> Tensor:
    return (alpha * denoiser(x, t) - x) / sigma**2


def _norm(x: Tensor) -> Tensor:
    return x.reshape(len(x), -1).norm(dim=1).mean()

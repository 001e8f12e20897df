"""Denoising score matching: learn the score of blurred data, without any sampling.

Data are blurred, and the score of the blur is asked for::

    x~ = x + sigma eps,    loss = E |sigma s(x~, sigma) + eps|^2 / 2

Its minimiser is the score of the data blurred with ``N(0, sigma^2 I)``. Vincent 2011, "A connection between
score matching and denoising autoencoders", section 4.2; over many levels, each weighted by ``sigma^2``, Song
& Ermon 2019, equations 5 and 6; for energies Li, Chen & Sommer 2019, "Learning energy-based models in
high-dimensional spaces with multi-scale denoising score matching".
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy.energies import energy_and_score

__all__ = ["denoising_score_matching", "energy_denoising_score_matching"]

# From noisy samples (batch, ...) and their noise levels (batch,).
NoisyScore = Callable[[Tensor, Tensor], Tensor]
NoisyEnergy = Callable[[Tensor, Tensor], Tensor]


def denoising_score_matching(
    score: NoisyScore, x: Tensor, sigma: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    """Return ``|sigma s(x~, sigma) + eps|^2 / 2`` of each row, averaged over its dimensions, ``(batch,)``.

    Parameters
    ----------
    score
        Called with noisy rows ``(batch, ...)`` and their levels ``(batch,)``.
    x
        Data, ``(batch, ...)``.
    sigma
        Standard deviation of each row's noise, ``(batch,)``, above 0.
    generator
        Source of the noise.

    Raises
    ------
    InputError
        If a level isn't positive, or there isn't one a row.
    """
    if sigma.shape != x.shape[:1] or not (sigma > 0).all():
        raise InputError(
            f"got noise levels of shape {tuple(sigma.shape)} for {len(x)} rows (smallest "
            f"{float(sigma.min()) if sigma.numel() else None}): give one above 0 for each row"
        )
    eps = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    level = sigma.reshape(-1, *[1] * (x.dim() - 1))
    residual = level * score(x + level * eps, sigma) + eps
    return 0.5 * residual.square().flatten(1).mean(dim=1)


def energy_denoising_score_matching(
    energy: NoisyEnergy, x: Tensor, sigma: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    """Return the same loss ``(batch,)`` for the score ``-grad E(x, sigma)``; it can be differentiated."""

    def score(noisy: Tensor, sigma: Tensor) -> Tensor:
        return energy_and_score(lambda x: energy(x, sigma), noisy, create_graph=True)[1]

    return denoising_score_matching(score, x, sigma, generator=generator)

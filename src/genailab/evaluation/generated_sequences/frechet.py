"""Frechet distance of two sets of sequences in the space of an independent predictor.

Dowson & Landau 1982, "The Frechet distance between multivariate normal distributions", equation 4; as a score
of generators Heusel et al. 2017 (FID), for DNA Stark et al. 2024, "Dirichlet flow matching" (FBD).
"""

from __future__ import annotations

import warnings

import numpy as np

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights

__all__ = ["check_embeddings", "frechet_distance"]

FEWEST, ENOUGH = 2, 10  # sequences a dimension: below the first refused, below the second warned of


def frechet_distance(
    real: FloatArray,
    generated: FloatArray,
    weights: Weights | None = None,
    *,
    shrinkage: float | None = None,
) -> FloatArray:
    """Squared distance of the Gaussians fitted to two sets of embeddings, ``(draws,)``.

    ``|m - m'|^2 + tr(C + C' - 2 (C^(1/2) C' C^(1/2))^(1/2))``. Above 0 for two finite sets of one
    distribution, and the more so the fewer they are: compare values at equal numbers only.

    Parameters
    ----------
    real, generated
        Embeddings ``(n, dims)`` and ``(m, dims)`` by a predictor that no generator was trained with.
    weights
        Resamples of the sequences; a single value without.
    shrinkage
        How far either covariance is moved towards the multiple of the identity of its own trace, in [0, 1];
        by default as far as Ledoit & Wolf 2004 find best for the real set, the same for both sets and in
        every resample.

    Raises
    ------
    InputError
        For what `check_embeddings` refuses, or a shrinkage outside [0, 1].
    """
    check_embeddings(real, generated)
    weights = weights or Weights.once(len(real), len(generated))
    amount = _ledoit_wolf(real) if shrinkage is None else shrinkage
    if not 0 <= amount <= 1:
        raise InputError(f"shrinkage is {amount}: give a share within 0 and 1, or None to have it estimated")
    return np.array(
        [
            _distance(_moments(real, w_real, amount), _moments(generated, w_generated, amount))
            for w_real, w_generated in zip(weights.real, weights.generated, strict=True)
        ]
    )


def check_embeddings(real: FloatArray, generated: FloatArray) -> None:
    """Refuse fewer than 2 sequences a dimension, and warn below 10; refuse values that aren't finite.

    Raises
    ------
    InputError
        As said, or if the two sets have different dimensions.
    """
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise InputError(
            f"embeddings have shapes {real.shape} and {generated.shape}: embed both with the same predictor, "
            "as (sequences, dims)"
        )
    dims, n = real.shape[1], min(len(real), len(generated))
    for kind, values in (("real", real), ("generated", generated)):
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
            raise InputError(
                f"the embedding of {kind} sequence {row} (from 0) is not finite: mend the predictor"
            )
    if n < FEWEST * dims:
        raise InputError(
            f"a Frechet distance in {dims} dimensions needs at least {FEWEST * dims} sequences of either "
            f"set, got {n}: give more, or an embedding of fewer dimensions"
        )
    if n < ENOUGH * dims:
        warnings.warn(
            f"the Frechet distance in {dims} dimensions from {n} sequences is far above 0 by chance alone: "
            f"give at least {ENOUGH * dims}",
            stacklevel=3,
        )


def _ledoit_wolf(points: FloatArray) -> float:
    from sklearn.covariance import ledoit_wolf_shrinkage

    return float(ledoit_wolf_shrinkage(points))


def _moments(points: FloatArray, weights: FloatArray, amount: float) -> tuple[FloatArray, FloatArray]:
    total = weights.sum()
    mean = weights @ points / total
    centred = points - mean
    covariance = (weights[:, None] * centred).T @ centred / max(total - 1, 1)
    identity = np.eye(len(mean)) * np.trace(covariance) / len(mean)
    return mean, (1 - amount) * covariance + amount * identity


def _distance(one: tuple[FloatArray, FloatArray], other: tuple[FloatArray, FloatArray]) -> float:
    (mean, covariance), (other_mean, other_covariance) = one, other
    root = _root(covariance)
    between = np.linalg.eigvalsh(root @ other_covariance @ root)
    overlap = np.sqrt(np.maximum(between, 0)).sum()
    spread = np.trace(covariance) + np.trace(other_covariance) - 2 * overlap
    # Rounding can leave a little below 0.
    return float(((mean - other_mean) ** 2).sum() + max(spread, 0.0))


def _root(covariance: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T

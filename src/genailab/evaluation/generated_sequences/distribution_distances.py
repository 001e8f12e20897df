"""Distances of two sets of numbers: how far apart their cumulative shares, or the numbers, are."""

from __future__ import annotations

import numpy as np

from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights

__all__ = ["kolmogorov_smirnov", "wasserstein"]


def kolmogorov_smirnov(real: FloatArray, generated: FloatArray, weights: Weights | None = None) -> FloatArray:
    """Largest difference of the two cumulative shares, ``(draws,)``: 0 if alike, 1 if one set lies above.

    ``sup |F(x) - G(x)|``, Smirnov 1939.

    Parameters
    ----------
    real, generated
        Numbers, ``(n,)`` and ``(m,)``.
    weights
        Resamples of the rows; a single value without.

    Examples
    --------
    >>> kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    array([0.5])
    """
    values, difference = _cumulative(real, generated, weights)
    # Within a run of equal values the difference is a matter of order: only its last entry counts.
    ends = np.append(values[1:] > values[:-1], True)
    return np.abs(difference[:, ends]).max(axis=1)


def wasserstein(real: FloatArray, generated: FloatArray, weights: Weights | None = None) -> FloatArray:
    """How far numbers must move on average to turn one set into the other, ``(draws,)``, in their units.

    ``integral |F(x) - G(x)| dx``, the 1-Wasserstein distance in one dimension (Vallender 1974).

    Examples
    --------
    >>> wasserstein(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    array([1.])
    """
    values, difference = _cumulative(real, generated, weights)
    return np.abs(difference[:, :-1]) @ np.diff(values)


def _cumulative(
    real: FloatArray, generated: FloatArray, weights: Weights | None
) -> tuple[FloatArray, FloatArray]:
    """All values in order ``(n + m,)``, and the difference of the cumulative shares after each, by draw."""
    weights = weights or Weights.once(len(real), len(generated))
    values = np.concatenate([real, generated])
    order = np.argsort(values, kind="stable")
    shares = np.concatenate(
        [
            weights.real / weights.real.sum(axis=1, keepdims=True),
            -weights.generated / weights.generated.sum(axis=1, keepdims=True),
        ],
        axis=1,
    )
    return values[order], np.cumsum(shares[:, order], axis=1)

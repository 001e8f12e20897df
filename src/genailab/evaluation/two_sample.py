"""Two-sample distances from one set of pairwise distances: energy distance and maximum mean discrepancy.

Szekely & Rizzo 2013, "Energy statistics: A class of statistics based on distances", equation 6, known in
single-cell work as the E-distance (Peidli et al. 2024, scPerturb). Gretton et al. 2012, "A kernel two-sample
test", lemma 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights

__all__ = ["Distances", "energy_distance", "maximum_mean_discrepancy", "median_bandwidth"]


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Euclidean distances within and between real and generated cells, in float32.

    Parameters
    ----------
    real, between, generated
        ``(n, n)``, ``(n, m)`` and ``(m, m)`` for ``n`` real and ``m`` generated cells.
    """

    real: FloatArray
    between: FloatArray
    generated: FloatArray

    @classmethod
    def of(cls, real: FloatArray, generated: FloatArray) -> Distances:
        """Measure ``real (n, dims)`` and ``generated (m, dims)``, points of the same space.

        Raises
        ------
        InputError
            If a set has fewer than two cells, the dimensions differ, or a value isn't finite.

        Examples
        --------
        >>> points = np.array([[0.0], [1.0], [3.0]])
        >>> Distances.of(points, points + 1).between[0]
        array([1., 2., 4.], dtype=float32)
        """
        _check(real, generated)
        return cls(
            real=_pairwise(real, real),
            between=_pairwise(real, generated),
            generated=_pairwise(generated, generated),
        )


def energy_distance(distances: Distances, weights: Weights | None = None) -> FloatArray:
    """How far two samples' distributions are apart; 0 where they are the same.

    ``2 E|X - Y| - E|X - X'| - E|Y - Y'|``, unbiased: a cell is never compared with itself, so the estimate
    can fall below 0 when the distributions agree.

    Parameters
    ----------
    distances
        Within and between the samples.
    weights
        Resamples of the cells; a single value without.

    Returns
    -------
    ``(draws,)`` in the units of the space.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [2.0]])
    >>> energy_distance(Distances.of(points, points + 10)).round(3)
    array([17.333])
    """
    weights = weights or Weights.once(*distances.between.shape)
    between = _mean_between(distances.between, weights)
    within = _mean_within(distances.real, weights.real) + _mean_within(distances.generated, weights.generated)
    return 2 * between - within


def maximum_mean_discrepancy(
    distances: Distances, *, bandwidth: float, weights: Weights | None = None
) -> FloatArray:
    """Squared maximum mean discrepancy under ``k(x, y) = exp(-|x - y|^2 / (2 bandwidth^2))``, unbiased.

    ``E k(X, X') + E k(Y, Y') - 2 E k(X, Y)``, from pairs of different cells only.

    Parameters
    ----------
    distances
        Within and between the samples.
    bandwidth
        In the units of the space; `median_bandwidth` of the real cells suits every subject compared with
        them.
    weights
        Resamples of the cells; a single value without.

    Returns
    -------
    ``(draws,)``, without units; about 0 when the distributions agree.
    """
    if not bandwidth > 0:
        raise InputError(
            f"the kernel's bandwidth is {bandwidth}: pass a positive one, such as median_bandwidth(...)"
        )
    weights = weights or Weights.once(*distances.between.shape)
    between = _mean_between(_kernel(distances.between, bandwidth), weights)
    within_real = _mean_within(_kernel(distances.real, bandwidth), weights.real)
    within_generated = _mean_within(_kernel(distances.generated, bandwidth), weights.generated)
    return within_real + within_generated - 2 * between


def median_bandwidth(within: FloatArray) -> float:
    """Median distance between two different cells of ``within (n, n)``: the median heuristic.

    Raises
    ------
    InputError
        If more than half of the pairs are at distance 0.
    """
    median = float(np.median(within[np.triu_indices(len(within), k=1)]))
    if median == 0:
        raise InputError(
            f"more than half of the {len(within)} real cells' pairs are identical, so no kernel bandwidth "
            "fits them: look for duplicated cells"
        )
    return median


def _pairwise(x: FloatArray, y: FloatArray) -> FloatArray:
    return np.asarray(cdist(x, y), dtype=np.float32)


def _kernel(distances: FloatArray, bandwidth: float) -> FloatArray:
    return np.asarray(np.exp(-((distances / bandwidth) ** 2) / 2))


def _mean_between(matrix: FloatArray, weights: Weights) -> FloatArray:
    total = np.einsum("bj,bj->b", weights.real @ matrix, weights.generated)
    return total / (weights.real.sum(axis=1) * weights.generated.sum(axis=1))


def _mean_within(matrix: FloatArray, weights: FloatArray) -> FloatArray:
    # A cell drawn twice is still itself: its pairs leave both the sum and the count, or repeats would look
    # alike.
    with_self = np.einsum("bj,bj->b", weights @ matrix, weights)
    self_pairs = weights**2
    total = with_self - self_pairs @ np.diagonal(matrix)
    return total / (weights.sum(axis=1) ** 2 - self_pairs.sum(axis=1))


def _check(real: FloatArray, generated: FloatArray) -> None:
    if real.shape[1] != generated.shape[1]:
        raise InputError(
            f"real cells have {real.shape[1]} dimensions but generated cells have {generated.shape[1]}: "
            "project both with the same principal components"
        )
    for name, cells in (("real", real), ("generated", generated)):
        if len(cells) < 2:
            raise InputError(
                f"a two-sample distance needs at least 2 {name} cells, got {len(cells)}: add cells"
            )
        if not np.isfinite(cells).all():
            row = int(np.flatnonzero(~np.isfinite(cells).all(axis=1))[0])
            raise InputError(
                f"{name} cell {row} holds a value that is not finite: {cells[row].tolist()[:5]}: remove the "
                "cell or mend what made it"
            )

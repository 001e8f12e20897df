"""Sliced Wasserstein distance: optimal transport along random directions.

Bonneel et al. 2015, "Sliced and Radon Wasserstein barycenters of measures", definition 7.
"""

from __future__ import annotations

import numpy as np

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.bootstrap import Weights

__all__ = ["random_directions", "sliced_wasserstein"]


def random_directions(n_directions: int, n_dims: int, generator: np.random.Generator) -> FloatArray:
    """Draw unit vectors, spread evenly over the sphere, ``(dims, directions)``."""
    vectors = generator.standard_normal((n_dims, n_directions))
    return vectors / np.linalg.norm(vectors, axis=0)


def sliced_wasserstein(
    real: FloatArray, generated: FloatArray, directions: FloatArray, weights: Weights | None = None
) -> FloatArray:
    """Root mean square over directions of the 2-Wasserstein distance between the projected cells.

    Exact for any two numbers of cells: along a direction, ``W^2`` is the integral over levels of the squared
    difference of the quantile functions, which are steps.

    Parameters
    ----------
    real, generated
        Points of the same space, ``(n, dims)`` and ``(m, dims)``.
    directions
        Unit vectors, ``(dims, directions)``; keep them fixed to compare several sets of cells.
    weights
        Resamples of the cells; a single value without.

    Returns
    -------
    ``(draws,)`` in the units of the space. It is above 0 even for two samples of one distribution, and the
    more so the fewer the cells: compare values at equal numbers only.

    Raises
    ------
    InputError
        If the dimensions differ or a set is empty.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [2.0]])
    >>> sliced_wasserstein(points, points + 3, np.ones((1, 1)))
    array([3.])
    """
    _check(real, generated, directions)
    weights = weights or Weights.once(len(real), len(generated))
    widths, real_step, generated_step = _levels(len(real), len(generated))
    x, y = _Sorted(real @ directions), _Sorted(generated @ directions)
    squared = [
        ((x.resample(w_real)[:, real_step] - y.resample(w_generated)[:, generated_step]) ** 2 @ widths).mean()
        for w_real, w_generated in zip(weights.real, weights.generated, strict=True)
    ]
    return np.sqrt(squared)


class _Sorted:
    """Projected cells in order, from which any resample is drawn in order without sorting again."""

    def __init__(self, projected: FloatArray) -> None:
        self._order = np.argsort(projected.T, axis=1)  # (directions, cells)
        self._values = np.take_along_axis(projected.T, self._order, axis=1).ravel()

    def resample(self, weights: FloatArray) -> FloatArray:
        times = weights.astype(np.int64)[self._order]  # (directions, cells)
        return np.repeat(self._values, times.ravel()).reshape(self._order.shape)


def _levels(n: int, m: int) -> tuple[FloatArray, IntArray, IntArray]:
    """Widths of the pieces of [0, 1] on which both quantile functions are constant, and the cell in each."""
    # In units of 1 / (n m) the ends are whole numbers, so that equal ends are found equal.
    ends = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    starts = ends[:-1]
    return np.diff(ends) / (n * m), starts // m, starts // n


def _check(real: FloatArray, generated: FloatArray, directions: FloatArray) -> None:
    if not real.shape[1] == generated.shape[1] == directions.shape[0]:
        raise InputError(
            f"real cells have {real.shape[1]} dimensions, generated cells {generated.shape[1]} and the "
            f"directions {directions.shape[0]}: project both with the same principal components"
        )
    if not (len(real) and len(generated)):
        raise InputError(
            f"there are {len(real)} real and {len(generated)} generated cells: compare at least 1 each"
        )

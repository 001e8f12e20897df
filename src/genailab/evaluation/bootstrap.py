"""Bootstrap over cells: how far a metric would move had other cells of the same kind been drawn.

Efron & Tibshirani 1993. A resample is held as how often each cell occurs in it, so a metric that takes
weighted cells computes all resamples from one distance matrix or one set of predictions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray

__all__ = ["Interval", "Weights", "bootstrap_weights", "interval", "weighted_median"]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How often each cell occurs in each resample; the first row is the sample itself, every cell once.

    Parameters
    ----------
    real, generated
        ``(draws, cells)``, every row of ``real`` adding up to the number of real cells, and so for generated.
    """

    real: FloatArray
    generated: FloatArray

    @classmethod
    def once(cls, n_real: int, n_generated: int) -> Weights:
        """Every cell once and no resample: a metric then returns a single value."""
        return cls(real=np.ones((1, n_real)), generated=np.ones((1, n_generated)))


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate and the ends of its interval."""

    value: float
    low: float
    high: float


def bootstrap_weights(
    n_cells: int, *, n_bootstrap: int, generator: np.random.Generator, types: IntArray | None = None
) -> FloatArray:
    """How often each cell is drawn: ``(1 + n_bootstrap, n_cells)``, first the sample itself.

    Parameters
    ----------
    n_cells, n_bootstrap
        Cells, and resamples of as many.
    generator
        Source of the draws.
    types
        Code of each cell's type, ``(cells,)``. Each type is then resampled by itself: where the mixture of
        types was chosen and not observed, its chance is no part of the uncertainty.

    Examples
    --------
    >>> bootstrap_weights(4, n_bootstrap=2, generator=np.random.default_rng(0)).sum(axis=1)
    array([4., 4., 4.])
    """
    weights = np.ones((1 + n_bootstrap, n_cells))
    codes = np.zeros(n_cells, dtype=np.int64) if types is None else types
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        weights[1:, rows] = generator.multinomial(
            len(rows), np.full(len(rows), 1 / len(rows)), size=n_bootstrap
        )
    return weights


def interval(
    values: FloatArray, *, level: float = 0.95, lowest: float = -np.inf, highest: float = np.inf
) -> Interval:
    """Percentile interval of resampled values, moved so that their mean is the estimate.

    Parameters
    ----------
    values
        ``(1 + resamples,)``: the estimate, then its value in each resample.
    level
        Share of the resamples inside the interval.
    lowest, highest
        Ends that the metric can't pass.

    Raises
    ------
    InputError
        If there is no resample, or a value is not finite.

    Notes
    -----
    A resample repeats cells, which adds noise of its own: distances grow and correlations shrink in every one
    of them. Unmoved, such an interval can lie wholly beside its estimate.
    """
    if len(values) < 2:
        raise InputError(f"an interval needs at least 1 resample, got {len(values) - 1}: raise n_bootstrap")
    if not np.isfinite(values).all():
        raise InputError(f"a metric is {values[~np.isfinite(values)][0]} in a resample: compare more cells")
    value = float(values[0])
    tail = (1 - level) / 2
    low, high = np.quantile(values[1:] - values[1:].mean() + value, [tail, 1 - tail])
    return Interval(
        value=value,
        low=min(value, max(float(low), lowest)),
        high=max(value, min(float(high), highest)),
    )


def weighted_median(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Median of ``values (cells,)`` in each resample of ``weights (draws, cells)``: ``(draws,)``.

    Examples
    --------
    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([[1, 1, 1], [2, 1, 0]]))
    array([2., 3.])
    """
    order = np.argsort(values, kind="stable")
    seen = np.cumsum(weights[:, order], axis=1)  # cells up to here, in order of value
    total = int(weights[0].sum())
    lower = (seen > (total - 1) // 2).argmax(axis=1)
    upper = (seen > total // 2).argmax(axis=1)
    return (values[order][lower] + values[order][upper]) / 2

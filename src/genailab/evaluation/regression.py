"""How near predicted values are to measured ones, in the sample and in all of its resamples at once.

Every function takes ``weights (draws, rows)``, how often each row occurs in each resample, and gives
``(draws,)``; without weights, every row counts once. A resample without any variation gives NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.predictions import finite_values, same_length

__all__ = ["pearson", "r2", "rmse", "spearman"]


def r2(measured: ArrayLike, predicted: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Share of the variance explained, ``1 - sum (y - f)^2 / sum (y - mean y)^2``.

    Below 0 where the prediction is worse than the mean.
    Unlike a squared correlation it charges for a wrong scale or offset.

    Raises
    ------
    InputError
        If the measured value is the same in every row.

    Examples
    --------
    >>> r2([1, 2, 3], [1, 2, 4])
    array([0.5])
    """
    y, f, weights = _checked(measured, predicted, weights)
    _check_varies(y, what="measured value", metric="R2")
    errors = (y - f) ** 2
    # Around the overall mean, because the difference of two large squares would lose a small variance.
    y = y - y.mean()
    total = weights @ y**2 - (weights @ y) ** 2 / weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 1e-12 * (y**2).sum(), 1 - weights @ errors / total, np.nan)


def rmse(measured: ArrayLike, predicted: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Root of the mean squared error, in the units of the measurement.

    Examples
    --------
    >>> rmse([0, 0], [3, 3])
    array([3.])
    """
    y, f, weights = _checked(measured, predicted, weights)
    return np.sqrt(weights @ (y - f) ** 2 / weights.sum(axis=1))


def pearson(measured: ArrayLike, predicted: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Linear correlation.

    Raises
    ------
    InputError
        If either is the same in every row.

    Examples
    --------
    >>> pearson([1, 2, 3], [-2, -4, -6]).round(6)
    array([-1.])
    """
    y, f, weights = _checked(measured, predicted, weights)
    _check_varies(y, what="measured value", metric="Pearson correlation")
    _check_varies(f, what="prediction", metric="Pearson correlation")
    return _correlation(np.broadcast_to(_standard(y), weights.shape), _standard(f)[None], weights)


def spearman(measured: ArrayLike, predicted: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Linear correlation of the ranks, tied values sharing the mean of theirs.

    Raises
    ------
    InputError
        If either is the same in every row: a constant has no ranks.

    Examples
    --------
    >>> spearman([1, 2, 3, 4], [1, 10, 100, 1000])
    array([1.])
    """
    y, f, weights = _checked(measured, predicted, weights)
    _check_varies(y, what="measured value", metric="Spearman correlation")
    _check_varies(f, what="prediction", metric="Spearman correlation")
    return _correlation(_ranks(y, weights), _ranks(f, weights), weights)


def _ranks(values: FloatArray, weights: FloatArray) -> FloatArray:
    # A row drawn n times fills n ranks, and its tie with itself is as any other.
    _, codes = np.unique(values, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    of_value = np.add.reduceat(weights[:, order], starts, axis=1)  # (draws, values)
    ranks = np.cumsum(of_value, axis=1) - (of_value - 1) / 2
    return ranks[:, codes] / len(values)


def _correlation(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    n = weights.sum(axis=1, keepdims=True)
    x = x - (weights * x).sum(axis=1, keepdims=True) / n
    y = y - (weights * y).sum(axis=1, keepdims=True) / n
    norm = np.sqrt((weights * x**2).sum(axis=1) * (weights * y**2).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (weights * x * y).sum(axis=1) / norm
    return np.where(norm > 1e-12 * n[:, 0], np.clip(found, -1, 1), np.nan)


def _standard(values: FloatArray) -> FloatArray:
    return (values - values.mean()) / values.std()


def _check_varies(values: FloatArray, *, what: str, metric: str) -> None:
    if (values == values[0]).all():
        remedy = (
            "give rows that differ" if what != "prediction" else "look whether the model learned anything"
        )
        raise InputError(f"every {what} is {values[0]:g}, so the {metric} is undefined: {remedy}")


def _checked(
    measured: ArrayLike, predicted: ArrayLike, weights: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    y = finite_values(measured, name="the measured value")
    f = finite_values(predicted, name="the prediction")
    same_length(y, f, name="the model")
    if len(y) < 2:
        raise InputError("there is 1 row, and one value has no variance to explain: give at least 2")
    return y, f, np.ones((1, len(y))) if weights is None else weights

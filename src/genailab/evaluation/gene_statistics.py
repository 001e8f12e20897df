"""Means, variances and zeros of each gene, in generated and in real cells."""

from __future__ import annotations

import numpy as np

from genailab.evaluation.arrays import FloatArray

__all__ = ["gene_statistics", "row_correlation"]


def gene_statistics(expression: FloatArray, weights: FloatArray | None = None) -> dict[str, FloatArray]:
    """Mean, unbiased variance and share of zeros of each gene.

    Parameters
    ----------
    expression
        Log-normalised expression, ``(cells, genes)``.
    weights
        Resamples of the cells, ``(draws, cells)``; every cell once without.

    Returns
    -------
    ``(draws, genes)`` by name: ``gene mean``, ``gene variance``, ``zero fraction``.
    """
    weights = np.ones((1, len(expression))) if weights is None else weights
    n = weights.sum(axis=1, keepdims=True)
    # Around the overall mean, because the difference of two large squares would lose the small variances.
    centre = expression.mean(axis=0)
    shifted = expression - centre
    offset = weights @ shifted / n
    variance = (weights @ shifted**2 / n - offset**2) * n / np.maximum(n - 1, 1)
    return {
        "gene mean": centre + offset,
        "gene variance": np.maximum(variance, 0.0),
        "zero fraction": weights @ (expression == 0) / n,
    }


def row_correlation(x: FloatArray, y: FloatArray) -> FloatArray:
    """Pearson correlation of each row of ``x (draws, genes)`` with that of ``y``: ``(draws,)``.

    A row without any variation explains nothing, so its correlation counts as 0.

    Examples
    --------
    >>> row_correlation(np.array([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]), np.array([[2.0, 4.0, 6.0]]))
    array([1., 0.])
    """
    x = x - x.mean(axis=1, keepdims=True)
    y = y - y.mean(axis=1, keepdims=True)
    norm = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.where(norm > 0, (x * y).sum(axis=1) / np.where(norm > 0, norm, 1.0), 0.0)

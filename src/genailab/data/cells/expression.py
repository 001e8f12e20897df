"""Expression matrices ``(samples, genes)``: depth, length and scale taken out.

A pandas DataFrame with samples as rows comes back as one with the same names; an array as an array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from genailab.errors import InputError

__all__ = ["cpm", "log1p", "quantile_normalise", "size_factors", "tpm", "zscore"]

Matrix = TypeVar("Matrix", np.ndarray, pd.DataFrame)


def cpm(counts: Matrix) -> Matrix:
    """Scale each sample's counts to one million, ``(samples, genes)``.

    Raises
    ------
    InputError
        If a count is negative or not finite, or a sample has none.

    Examples
    --------
    >>> cpm(np.array([[1, 3]])).tolist()
    [[250000.0, 750000.0]]
    """
    return _like(_per_million(_counts(counts), counts), counts)


def tpm(counts: Matrix, gene_lengths: Sequence[float] | np.ndarray | pd.Series) -> Matrix:
    """Scale counts per kilobase of each gene to one million a sample (Li et al. 2010).

    Parameters
    ----------
    counts
        ``(samples, genes)``.
    gene_lengths
        Bases of each gene's transcript, ``(genes,)``. A Series is matched to a DataFrame's genes by name.

    Raises
    ------
    InputError
        For what `cpm` refuses, lengths that do not fit the genes, and lengths that are not above 0.

    Examples
    --------
    >>> tpm(np.array([[10, 10]]), [1000, 3000]).tolist()
    [[750000.0, 250000.0]]
    """
    kilobases = _gene_lengths(counts, gene_lengths) / 1000  # (genes,)
    return _like(_per_million(_counts(counts) / kilobases, counts), counts)


def log1p(values: Matrix, *, base: float | None = None) -> Matrix:
    """Take ``log(1 + x)``: natural, or to a base.

    Examples
    --------
    >>> log1p(np.array([[0, 7]]), base=2).tolist()
    [[0.0, 3.0]]
    """
    logged = np.log1p(_counts(values))
    return _like(logged if base is None else logged / np.log(base), values)


def size_factors(counts: Matrix) -> np.ndarray | pd.Series:
    """Estimate how deep each sample was sequenced, by DESeq's median of ratios.

    ``s_j = median_i k_ij / (prod_v k_iv)^(1/m)`` over the genes that every sample has (Anders & Huber 2010,
    equation 5). Divide a sample's counts by its factor to compare samples.

    Returns
    -------
    ``(samples,)``, above 0; a Series where ``counts`` is a DataFrame.

    Raises
    ------
    InputError
        If a count is negative or not finite, or no gene is counted in every sample.

    Examples
    --------
    >>> size_factors(np.array([[10, 20, 0], [40, 80, 5]])).round(6).tolist()
    [0.5, 2.0]
    """
    values = _counts(counts)
    everywhere = (values > 0).all(axis=0)
    if not everywhere.any():
        raise InputError(
            f"no gene is counted in all {len(values)} samples, so that no ratio is defined: leave out "
            "samples with few counts, or use cpm"
        )
    logged = np.log(values[:, everywhere])
    factors = np.exp(np.median(logged - logged.mean(axis=0), axis=1))  # (samples,)
    return pd.Series(factors, index=counts.index) if isinstance(counts, pd.DataFrame) else factors


def zscore(values: Matrix, *, axis: Literal["samples", "genes"] = "samples") -> Matrix:
    """Subtract the mean and divide by the standard deviation (of the population) over an axis.

    Parameters
    ----------
    values
        ``(samples, genes)``, as a rule on a log scale.
    axis
        What the mean is taken over: ``"samples"`` makes genes comparable, ``"genes"`` samples. What does not
        vary becomes 0.

    Examples
    --------
    >>> zscore(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    if axis not in ("samples", "genes"):
        raise InputError(f"axis must be 'samples' or 'genes', got {axis!r}")
    over = 0 if axis == "samples" else 1
    matrix = _finite(values)
    centred = matrix - matrix.mean(axis=over, keepdims=True)
    # The mean of equal values may differ from them in the last bit, which must not be blown up to 1.
    constant = np.ptp(matrix, axis=over, keepdims=True) == 0
    deviation = np.where(constant, 1.0, matrix.std(axis=over, keepdims=True))
    return _like(np.where(constant, 0.0, centred / deviation), values)


def quantile_normalise(values: Matrix) -> Matrix:
    """Give every sample the same distribution: the mean of their sorted values (Bolstad et al. 2003).

    Equal values of a sample stay equal: they take the value of their mean rank.

    Examples
    --------
    >>> quantile_normalise(np.array([[1.0, 5.0, 3.0], [30.0, 10.0, 20.0]])).tolist()
    [[5.5, 17.5, 11.5], [17.5, 5.5, 11.5]]
    """
    matrix = _finite(values)
    shared = np.sort(matrix, axis=1).mean(axis=0)  # (genes,)
    ranks = rankdata(matrix, axis=1) - 1  # (samples, genes)
    return _like(np.interp(ranks, np.arange(len(shared)), shared), values)


def _per_million(values: np.ndarray, matrix: np.ndarray | pd.DataFrame) -> np.ndarray:
    totals = values.sum(axis=1, keepdims=True)  # (samples, 1)
    empty = np.flatnonzero(totals == 0)
    if len(empty):
        raise InputError(f"sample {_name(matrix, 0, empty[0])} has no counts at all: leave it out")
    return values / totals * 1e6


def _counts(matrix: np.ndarray | pd.DataFrame) -> np.ndarray:
    values = _finite(matrix)
    negative = np.argwhere(values < 0)
    if len(negative):
        raise InputError(
            f"counts cannot be negative, but {_at(matrix, negative[0])} has {values[tuple(negative[0])]:g}: "
            "give counts before logarithms and scaling"
        )
    return values


def _finite(matrix: np.ndarray | pd.DataFrame) -> np.ndarray:
    try:
        values = np.asarray(matrix, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"an expression matrix holds numbers only ({error}): make names the index"
        ) from error
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(
            f"an expression matrix is (samples, genes), got {values.shape}: one sample is values[None]"
        )
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        raise InputError(
            f"{_at(matrix, wrong[0])} has {values[tuple(wrong[0])]}, which is no number: fill it in or leave "
            "it out"
        )
    return values


def _gene_lengths(
    counts: np.ndarray | pd.DataFrame, gene_lengths: Sequence[float] | np.ndarray | pd.Series
) -> np.ndarray:
    if isinstance(counts, pd.DataFrame) and isinstance(gene_lengths, pd.Series):
        missing = counts.columns.difference(gene_lengths.index)
        if len(missing):
            raise InputError(f"{len(missing)} genes have no length, first {missing[0]!r}: leave them out")
        gene_lengths = gene_lengths.loc[counts.columns]
    lengths = np.asarray(gene_lengths, dtype=np.float64)
    if lengths.shape != counts.shape[1:]:
        raise InputError(
            f"there are {lengths.size} gene lengths for {counts.shape[1]} genes: give one to each"
        )
    wrong = np.flatnonzero(~(lengths > 0) | ~np.isfinite(lengths))
    if len(wrong):
        raise InputError(
            f"gene {_name(counts, 1, wrong[0])} has length {lengths[wrong[0]]:g}, but must be above 0"
        )
    return lengths


def _at(matrix: np.ndarray | pd.DataFrame, place: np.ndarray) -> str:
    return f"sample {_name(matrix, 0, place[0])}, gene {_name(matrix, 1, place[1])}"


def _name(matrix: np.ndarray | pd.DataFrame, axis: int, number: int) -> str:
    return repr(matrix.axes[axis][number]) if isinstance(matrix, pd.DataFrame) else str(number)


def _like(values: np.ndarray, matrix: Matrix) -> Matrix:
    if isinstance(matrix, pd.DataFrame):
        return pd.DataFrame(values, index=matrix.index, columns=matrix.columns)
    return values

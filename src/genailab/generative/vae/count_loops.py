"""The negative binomial of counts on a CPU, entry by entry.

Written in torch it is two dozen passes over matrices that no cache holds; these loops read each count once.
Where the log-gamma functions would cost more than the network, counts up to `LONGEST` are looked up::

    lgamma(x + r) - lgamma(r) - lgamma(x + 1) = sum of log((r + k) / (k + 1)) over k < x

Compiled by numba, hence apart from `likelihoods`, which imports this module when it is first needed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from genailab.compiled import compiled

__all__ = ["LONGEST", "Table", "coefficients", "gradients", "log_likelihoods", "make_table"]

LONGEST = 64  # from here on Stirling's series is exact


class Table(NamedTuple):
    """The coefficients of counts 0, 1, ... of each gene in turn, each as far as its largest count."""

    values: np.ndarray  # (entries,)
    slopes: np.ndarray  # (entries,), the derivatives by the log-dispersion
    starts: np.ndarray  # (genes,), where each gene's entries begin
    dispersion: np.ndarray  # (genes,)


@compiled
def make_table(counts: np.ndarray, log_dispersion: np.ndarray) -> Table | None:
    """Return the table for these counts ``(cells, genes)``, or None if one is negative or not a number."""
    n_cells, n_genes = counts.shape
    largest = np.zeros(n_genes)
    for cell in range(n_cells):
        for gene in range(n_genes):
            count = counts[cell, gene]
            if not count >= 0:
                return None
            largest[gene] = max(largest[gene], count)
    sizes = np.minimum(largest, LONGEST).astype(np.int64) + 1
    starts = np.cumsum(sizes) - sizes
    values, slopes = np.zeros(sizes.sum()), np.zeros(sizes.sum())
    dispersion = np.exp(log_dispersion.astype(np.float64))
    for gene in range(n_genes):
        r = dispersion[gene]
        for k in range(sizes[gene] - 1):
            place = starts[gene] + k
            values[place + 1] = values[place] + math.log((r + k) / (k + 1))
            slopes[place + 1] = slopes[place] + r / (r + k)
    return Table(values, slopes, starts, dispersion)


@compiled
def coefficients(counts: np.ndarray, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficient of each count and its slope, both ``(cells, genes)``."""
    values, slopes = np.empty_like(counts), np.empty_like(counts)
    for cell in range(counts.shape[0]):
        for gene in range(counts.shape[1]):
            values[cell, gene] = _coefficient(counts[cell, gene], gene, table)
            slopes[cell, gene] = _slope(counts[cell, gene], gene, table)
    return values, slopes


@compiled
def log_likelihoods(
    counts: np.ndarray, log_ratio: np.ndarray, log1p_ratio: np.ndarray, table: Table
) -> np.ndarray:
    """Return each cell's sum over genes of ``coefficient + x log(ratio) - (x + r) log(1 + ratio)``.

    ``ratio`` is mean over dispersion; all matrices are ``(cells, genes)``.
    """
    sums = np.empty(counts.shape[0])
    for cell in range(counts.shape[0]):
        total = 0.0
        for gene in range(counts.shape[1]):
            x, log1p = counts[cell, gene], log1p_ratio[cell, gene]
            terms = x * (log_ratio[cell, gene] - log1p) - table.dispersion[gene] * log1p
            total += terms + _coefficient(x, gene, table)
        sums[cell] = total
    return sums


@compiled
def gradients(
    counts: np.ndarray,
    ratio: np.ndarray,
    log1p_ratio: np.ndarray,
    log_library: np.ndarray,
    table: Table,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradient of the weighted sum of `log_likelihoods` by the decoder's outputs.

    Means are ``library * softmax(logits)``. By the logits it is ``(cells, genes)``, by the log library
    ``(cells, 1)``, by the log-dispersion ``(genes,)``.
    """
    n_cells, n_genes = counts.shape
    by_logits, by_log_library = np.empty_like(counts), np.empty_like(log_library)
    by_log_dispersion = np.zeros(n_genes)
    for cell in range(n_cells):
        weight, total = weights[cell], 0.0
        for gene in range(n_genes):
            x, r = counts[cell, gene], table.dispersion[gene]
            by_log_mean = (x - r * ratio[cell, gene]) / (1 + ratio[cell, gene])
            by_logits[cell, gene] = by_log_mean
            total += by_log_mean
            slope = _slope(x, gene, table) - r * log1p_ratio[cell, gene] - by_log_mean
            by_log_dispersion[gene] += weight * slope
        size = math.exp(log_library[cell, 0])
        for gene in range(n_genes):
            share = table.dispersion[gene] * ratio[cell, gene] / size  # the softmax
            by_logits[cell, gene] = weight * (by_logits[cell, gene] - share * total)
        by_log_library[cell, 0] = weight * total
    return by_logits, by_log_library, by_log_dispersion


@compiled
def _coefficient(count: float, gene: int, table: Table) -> float:
    start = table.starts[gene]
    if count <= LONGEST:
        return table.values[start + int(count)]
    r = table.dispersion[gene]
    rising = _stirling(count + r) - _stirling(LONGEST + r)
    return table.values[start + LONGEST] + rising - _stirling(count + 1) + _stirling(LONGEST + 1)


@compiled
def _slope(count: float, gene: int, table: Table) -> float:
    start = table.starts[gene]
    if count <= LONGEST:
        return table.slopes[start + int(count)]
    r = table.dispersion[gene]
    return table.slopes[start + LONGEST] + r * (_digamma(count + r) - _digamma(LONGEST + r))


@compiled
def _stirling(x: float) -> float:
    """Return log Gamma(x) but for log(2 pi) / 2, for large x."""
    return (x - 0.5) * math.log(x) - x + (1 / 12 - (1 / 360 - 1 / 1260 / x**2) / x**2) / x


@compiled
def _digamma(x: float) -> float:
    """Return the derivative of log Gamma, for large x."""
    return math.log(x) - 0.5 / x - (1 / 12 - (1 / 120 - 1 / 252 / x**2) / x**2) / x**2

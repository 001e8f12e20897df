"""The negative binomial of counts on a CPU, cell by cell.

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
    n_genes = counts.shape[1]
    largest, n_wrong = np.zeros(n_genes, counts.dtype), 0
    for cell in range(len(counts)):
        row = counts[cell]
        for gene in range(n_genes):
            n_wrong += not row[gene] >= 0
            largest[gene] = largest[gene] if largest[gene] > row[gene] else row[gene]
    if n_wrong > 0:
        return None
    steps = np.minimum(largest, LONGEST).astype(np.int32)
    ends = np.cumsum(steps + 1)
    starts = (ends - steps - 1).astype(np.int32)
    values, slopes = np.zeros(ends[-1], counts.dtype), np.zeros(ends[-1], counts.dtype)
    dispersion = np.exp(log_dispersion.astype(np.float64))
    for gene in range(n_genes):
        r, value, slope = dispersion[gene], 0.0, 0.0
        for k in range(steps[gene]):
            value += math.log((r + k) / (k + 1))
            slope += r / (r + k)
            values[starts[gene] + k + 1] = value
            slopes[starts[gene] + k + 1] = slope
    return Table(values, slopes, starts, dispersion.astype(counts.dtype))


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
    sums = np.empty(len(counts))
    for cell in range(len(counts)):
        x, log, log1p, total = counts[cell], log_ratio[cell], log1p_ratio[cell], 0.0
        for gene in range(len(x)):
            total += x[gene] * (log[gene] - log1p[gene]) - table.dispersion[gene] * log1p[gene]
        for gene in range(len(x)):
            total += _coefficient(x[gene], gene, table)
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
    by_logits, by_log_library = np.empty_like(counts), np.empty_like(log_library)
    by_log_dispersion = np.zeros(counts.shape[1])
    dispersion = table.dispersion
    for cell in range(len(counts)):
        x, q, log1p, by_log_mean = counts[cell], ratio[cell], log1p_ratio[cell], by_logits[cell]
        weight, total = weights[cell], 0.0
        for gene in range(len(x)):
            by_log_mean[gene] = (x[gene] - dispersion[gene] * q[gene]) / (1 + q[gene])
            total += by_log_mean[gene]
            by_log_dispersion[gene] -= weight * (dispersion[gene] * log1p[gene] + by_log_mean[gene])
        for gene in range(len(x)):
            by_log_dispersion[gene] += weight * _slope(x[gene], gene, table)
        by_log_library[cell, 0] = total
        share = by_log_library[cell, 0] / np.exp(log_library[cell, 0])
        for gene in range(len(x)):  # the softmax is mean / library
            by_logits[cell, gene] = weight * (by_log_mean[gene] - dispersion[gene] * q[gene] * share)
        by_log_library[cell, 0] *= weight
    return by_logits, by_log_library, by_log_dispersion


@compiled
def _coefficient(count: float, gene: int, table: Table) -> float:
    start = table.starts[gene]
    if count <= LONGEST:
        return table.values[start + int(count)]
    x, r = float(count), float(table.dispersion[gene])
    rising = _stirling(x + r) - _stirling(LONGEST + r)
    return table.values[start + LONGEST] + rising - _stirling(x + 1) + _stirling(LONGEST + 1.0)


@compiled
def _slope(count: float, gene: int, table: Table) -> float:
    start = table.starts[gene]
    if count <= LONGEST:
        return table.slopes[start + int(count)]
    x, r = float(count), float(table.dispersion[gene])
    return table.slopes[start + LONGEST] + r * (_digamma(x + r) - _digamma(LONGEST + r))


@compiled
def _stirling(x: float) -> float:
    """Return log Gamma(x) but for log(2 pi) / 2, for large x."""
    return (x - 0.5) * math.log(x) - x + (1 / 12 - (1 / 360 - 1 / 1260 / x**2) / x**2) / x


@compiled
def _digamma(x: float) -> float:
    """Return the derivative of log Gamma, for large x."""
    return math.log(x) - 0.5 / x - (1 / 12 - (1 / 120 - 1 / 252 / x**2) / x**2) / x**2

"""The negative binomial of counts on a CPU, cell by cell.

Written in torch it is two dozen passes over matrices that no cache holds; these loops finish a cell and its
gradient while its few thousand numbers are at hand. Where the log-gamma functions would cost more than the
network, counts up to `LONGEST` are looked up::

    lgamma(x + r) - lgamma(r) - lgamma(x + 1) = sum of log((r + k) / (k + 1)) over k < x

Compiled by numba, hence apart from `likelihoods`, which imports this module when it is first needed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from genailab.compiled import compiled

__all__ = ["LONGEST", "Table", "coefficients", "log_likelihoods", "make_table"]

LONGEST = 64  # from here on Stirling's series is exact
ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)
# log(2) in two parts, of which the first times n is exact.
LOG2, LOG2_REST = np.float32(0.693359375), np.float32(math.log(2) - 0.693359375)


class Table(NamedTuple):
    """The coefficients of counts 0, 1, ... of each gene in turn, each as far as its largest count."""

    values: np.ndarray  # (entries,)
    slopes: np.ndarray  # (entries,), the derivatives by the log-dispersion
    starts: np.ndarray  # (genes,), where each gene's entries begin
    dispersion: np.ndarray  # (genes,)
    beyond: np.ndarray  # positions of the genes with counts above `LONGEST`


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
    starts = (ends - steps - 1).astype(np.uint32)
    values, slopes = np.zeros(ends[-1], counts.dtype), np.zeros(ends[-1], counts.dtype)
    dispersion = np.exp(log_dispersion.astype(np.float64))
    for gene in range(n_genes):
        r, value, slope = dispersion[gene], 0.0, 0.0
        for k in range(steps[gene]):
            value += math.log((r + k) / (k + 1))
            slope += r / (r + k)
            values[starts[gene] + k + 1] = value
            slopes[starts[gene] + k + 1] = slope
    beyond = np.flatnonzero(largest > LONGEST)
    return Table(values, slopes, starts, dispersion.astype(counts.dtype), beyond)


@compiled
def coefficients(counts: np.ndarray, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficient of each count and its slope, both ``(cells, genes)``."""
    values, slopes = np.empty_like(counts), np.empty_like(counts)
    for cell in range(counts.shape[0]):
        for gene in range(counts.shape[1]):
            entry = _entry(counts[cell, gene], gene, table)
            values[cell, gene], slopes[cell, gene] = table.values[entry], table.slopes[entry]
        for gene in table.beyond:
            value, slope = _beyond(counts[cell, gene], table.dispersion[gene])
            values[cell, gene] += value
            slopes[cell, gene] += slope
    return values, slopes


@compiled
def log_likelihoods(
    counts: np.ndarray,
    logits: np.ndarray,
    largest_logits: np.ndarray,
    log_library: np.ndarray,
    log_dispersion: np.ndarray,
    table: Table,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return each cell's log-likelihood under means of ``library * softmax(logits)``, and its derivatives.

    With ``a = log(mean / r)`` and ``share = mean / (mean + r) = sigmoid(a)``::

        log p(x)                = coefficient + x a - (x + r) softplus(a)
        its derivative by a     = x - (x + r) share
                    by log(r)   = slope of the coefficient - r softplus(a) - derivative by a
                    by logits   = derivative by a - softmax * (sum over genes of the derivatives by a)

    All in float32. Counts and logits are ``(cells, genes)``, ``largest_logits`` is ``(cells,)``. Returns sums
    over genes ``(cells,)``, then the derivatives of each by its logits ``(cells, genes)``, by its log library
    ``(cells, 1)`` and by the log-dispersions ``(cells, genes)``.
    """
    n_cells, n_genes = counts.shape
    sums, by_log_library = np.empty(n_cells, np.float32), np.empty((n_cells, 1), np.float32)
    by_logits, by_log_dispersion = np.empty_like(counts), np.empty_like(counts)
    softmax = np.empty(n_genes, np.float32)  # but for its denominator
    for cell in range(n_cells):
        x, logit, largest = counts[cell], logits[cell], largest_logits[cell]
        by_a, by_log_r = by_logits[cell], by_log_dispersion[cell]
        denominator = ZERO
        for gene in range(n_genes):
            softmax[gene] = _exp(logit[gene] - largest)
            denominator += softmax[gene]
        shift = np.float32(log_library[cell, 0] - largest - math.log(denominator))
        scale = np.float32(math.exp(log_library[cell, 0]) / denominator)

        total, total_by_a = ZERO, ZERO
        for gene in range(n_genes):
            r = table.dispersion[gene]
            a = logit[gene] + shift - log_dispersion[gene]
            ratio = softmax[gene] * scale / r  # exp(a)
            small = min(ratio, ONE / ratio)  # exp(-|a|), which never overflows
            softplus = max(a, ZERO) + _log1p(small)
            share = (ONE if ratio > ONE else small) / (ONE + small)
            by_a[gene] = x[gene] - (x[gene] + r) * share
            by_log_r[gene] = -r * softplus - by_a[gene]
            total += x[gene] * a - (x[gene] + r) * softplus
            total_by_a += by_a[gene]
        for gene in range(n_genes):  # apart, as look-ups are not done many at a time
            entry = _entry(x[gene], gene, table)
            total += table.values[entry]
            by_log_r[gene] += table.slopes[entry]
        for gene in table.beyond:
            value, slope = _beyond(x[gene], table.dispersion[gene])
            total += value
            by_log_r[gene] += slope
        per_share = np.float32(total_by_a / denominator)
        for gene in range(n_genes):
            by_a[gene] -= softmax[gene] * per_share
        sums[cell], by_log_library[cell, 0] = total, total_by_a
    return sums, by_logits, by_log_library, by_log_dispersion


@compiled
def _entry(count: float, gene: int, table: Table) -> int:
    """Return the table's entry for a count, or the gene's last one if the count is beyond."""
    return table.starts[gene] + np.uint32(min(count, LONGEST))


@compiled
def _beyond(count: float, dispersion: float) -> tuple[float, float]:
    """Return what coefficient and slope of a count have beyond those of `LONGEST`."""
    if count <= LONGEST:
        return 0.0, 0.0
    n, r = float(count) - LONGEST, float(dispersion)
    value, slope = _log_rising(LONGEST + r, n)
    log_factorial, _ = _log_rising(LONGEST + 1.0, n)
    return value - log_factorial, r * slope


@compiled
def _log_rising(start: float, n: float) -> tuple[float, float]:
    """Return ``lgamma(start + n) - lgamma(start)`` and its derivative by a large start.

    The difference of two Stirling series is taken term by term: for a huge start nothing else is left of it.
    """
    end, log_ratio = start + n, math.log1p(n / start)
    value = (end - 0.5) * log_ratio + n * (math.log(start) - 1) + _stirling(end) - _stirling(start)
    return value, log_ratio + 0.5 * n / (start * end) + _stirling_slope(end) - _stirling_slope(start)


@compiled
def _stirling(x: float) -> float:
    """Return what log Gamma(x) has beyond (x - 1/2) log(x) - x + log(2 pi) / 2, for large x."""
    return (1 / 12 - (1 / 360 - 1 / 1260 / x**2) / x**2) / x


@compiled
def _stirling_slope(x: float) -> float:
    return -(1 / 12 - (1 / 120 - 1 / 252 / x**2) / x**2) / x**2


@compiled
def _exp(x: np.float32) -> np.float32:
    """Return exp(x) of ``x <= 0`` to 2e-7 of itself, but never less than exp(-87).

    Written out, as the compiler does eight of these at a time, but one call of a library's function.
    ``exp(x) = 2^n exp(rest)``, rest in ±log(2) / 2: its series, and n as the exponent in a float's bits.
    """
    x = max(x, np.float32(-87))
    n = np.floor(x * np.float32(1 / math.log(2)) + np.float32(0.5))
    rest = x - n * LOG2 - n * LOG2_REST
    series = ONE
    for k in range(7, 0, -1):
        series = ONE + rest * np.float32(1 / k) * series
    return series * np.int32((n + np.float32(127)) * np.float32(2**23)).view(np.float32)  # 2^n


@compiled
def _log1p(x: np.float32) -> np.float32:
    """Return log(1 + x) of x in [0, 1] to 2e-7 of itself: the series of ``2 artanh(x / (2 + x))``."""
    ratio = x / (TWO + x)
    square, series = ratio * ratio, np.float32(1 / 15)
    for k in range(13, 0, -2):
        series = np.float32(1 / k) + square * series
    return TWO * ratio * series

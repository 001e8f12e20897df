"""Negative binomial counts of each gene, with the cell's library size as exposure.

Robinson & Smyth 2007 for counts with exposure; Chen, Lun & Smyth 2016 (edgeR) for dispersions that borrow
strength through a weighted likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy
from scipy.stats import nbinom, poisson

from genailab.evaluation.arrays import FloatArray

__all__ = ["DISPERSIONS", "NegativeBinomial", "dispersion_profile", "fit_negative_binomials"]

# 0 is the Poisson; neighbours above it differ by a factor of 1.4, less than the error of any estimate here.
DISPERSIONS: FloatArray = np.concatenate([[0.0], np.geomspace(1e-3, 1e2, 35)])


@dataclass(frozen=True, kw_only=True)
class NegativeBinomial:
    """Counts of each gene given the library size.

    Mean ``mu = library * proportion``, variance ``mu + a mu^2``.

    Parameters
    ----------
    proportions
        Share of each gene in a cell's counts, ``(genes,)``, summing to 1.
    dispersions
        ``a`` of each gene, ``(genes,)``; 0 is a Poisson.
    """

    proportions: FloatArray
    dispersions: FloatArray

    def quantile(self, probabilities: FloatArray, library_sizes: FloatArray) -> FloatArray:
        """Return counts ``(cells, genes)`` at these probabilities, for these library sizes ``(cells,)``."""
        mean = np.outer(library_sizes, self.proportions)
        counts = np.empty_like(mean)
        spread = self.dispersions > 0
        size, success = _scipy_parameters(mean[:, spread], self.dispersions[spread])
        counts[:, spread] = nbinom.ppf(probabilities[:, spread], size, success)
        counts[:, ~spread] = poisson.ppf(probabilities[:, ~spread], mean[:, ~spread])
        return counts

    def cumulative(self, counts: FloatArray, library_sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probability of fewer counts, and of as many or fewer, each ``(cells, genes)``."""
        mean = np.outer(library_sizes, self.proportions)
        fewer, at_most = np.empty_like(mean), np.empty_like(mean)
        spread = self.dispersions > 0
        size, success = _scipy_parameters(mean[:, spread], self.dispersions[spread])
        for result, shift in ((fewer, 1), (at_most, 0)):
            result[:, spread] = nbinom.cdf(counts[:, spread] - shift, size, success)
            result[:, ~spread] = poisson.cdf(counts[:, ~spread] - shift, mean[:, ~spread])
        return fewer, at_most


def fit_negative_binomials(
    groups: Sequence[FloatArray], *, prior_cells: float = 10.0, pooled_cells: float = 1.0
) -> list[NegativeBinomial]:
    """Fit a gene's proportion and dispersion in each group of cells by maximum likelihood.

    A group of few cells borrows from all groups, so that no gene is impossible in it and no dispersion is
    made of chance. The defaults gave the best held-out likelihood on PBMC; larger groups hardly feel them.

    Parameters
    ----------
    groups
        Counts ``(cells, genes)`` of each group; each with a count in it.
    prior_cells
        Average cells of all groups whose log-likelihood of the dispersion is added to a group's own.
    pooled_cells
        Average cells of all groups added to a group before its proportions are taken.
    """
    n_cells = sum(len(counts) for counts in groups)
    average_cell = np.sum([counts.sum(axis=0) for counts in groups], axis=0) / n_cells
    totals = [counts.sum(axis=0) + pooled_cells * average_cell for counts in groups]
    proportions = [total / total.sum() for total in totals]
    profiles = [dispersion_profile(counts, share) for counts, share in zip(groups, proportions, strict=True)]
    prior = prior_cells * np.sum(profiles, axis=0) / n_cells
    return [
        NegativeBinomial(proportions=share, dispersions=DISPERSIONS[np.argmax(profile + prior, axis=0)])
        for share, profile in zip(proportions, profiles, strict=True)
    ]


def dispersion_profile(counts: FloatArray, proportions: FloatArray) -> FloatArray:
    """Log-likelihood of each gene's counts at each of `DISPERSIONS`, ``(dispersions, genes)``.

    Up to ``-sum log k!``, which is the same at every dispersion.
    """
    mean = np.outer(counts.sum(axis=1), proportions)  # (cells, genes)
    whole = counts.astype(np.int64)
    possible = np.arange(whole.max() + 1)
    profile = np.empty((len(DISPERSIONS), counts.shape[1]))
    profile[0] = (xlogy(counts, mean) - mean).sum(axis=0)
    for row, dispersion in enumerate(DISPERSIONS[1:], start=1):
        size = 1 / dispersion
        # log-gamma costs more than all the rest: once a distinct count, not once a cell and gene.
        rising = gammaln(possible + size) - gammaln(size)
        spread = np.log1p(dispersion * mean)
        profile[row] = (rising[whole] - (counts + size) * spread + xlogy(counts, dispersion * mean)).sum(
            axis=0
        )
    return profile


def _scipy_parameters(mean: FloatArray, dispersions: FloatArray) -> tuple[FloatArray, FloatArray]:
    return 1 / dispersions, 1 / (1 + dispersions * mean)

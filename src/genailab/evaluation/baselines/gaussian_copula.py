"""Negative binomial genes that vary together within a type, through a Gaussian copula.

The construction of scDesign2 (Sun et al. 2021), with the correlation shrunk as in Ledoit & Wolf 2004, "A
well-conditioned estimator for large-dimensional covariance matrices", because genes outnumber cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from sklearn.covariance import ledoit_wolf_shrinkage

from genailab.data.cells.dataset import CellDataset
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.baselines.by_type import counts_by_type
from genailab.evaluation.baselines.independent_nb import IndependentNB
from genailab.evaluation.baselines.negative_binomial import NegativeBinomial

__all__ = ["GaussianCopula", "LatentCorrelation", "normal_scores"]


@dataclass(frozen=True, kw_only=True)
class LatentCorrelation:
    """A shrunk correlation, ``(1 - s) R'R / n + s m I`` scaled to a unit diagonal.

    Kept as its residuals ``R``, it needs memory for cells x genes, not genes x genes, and is sampled without
    a factorisation.

    Parameters
    ----------
    residuals
        Centred normal scores of the training cells, ``(cells, genes)``.
    shrinkage
        ``s`` in [0, 1]: 0 is the sample's own correlation, 1 is independence.
    """

    residuals: FloatArray
    shrinkage: float

    @classmethod
    def fit(cls, scores: FloatArray) -> LatentCorrelation:
        """Centre normal scores ``(cells, genes)`` and choose the shrinkage by Ledoit and Wolf's formula."""
        residuals = scores - scores.mean(axis=0)
        # One cell shows no correlation at all.
        enough = len(scores) > 1 and residuals.any()
        shrinkage = float(ledoit_wolf_shrinkage(residuals, assume_centered=True)) if enough else 1.0
        return cls(residuals=residuals, shrinkage=shrinkage)

    def sample(self, n: int, generator: np.random.Generator) -> FloatArray:
        """Draw ``(n, genes)`` standard normals with this correlation."""
        n_cells, n_genes = self.residuals.shape
        variance = (self.residuals**2).mean(axis=0)
        floor = self.shrinkage * (variance.mean() or 1.0)
        common = generator.standard_normal((n, n_cells)) @ self.residuals / np.sqrt(n_cells)
        own = generator.standard_normal((n, n_genes))
        scale = np.sqrt((1 - self.shrinkage) * variance + floor)
        return (np.sqrt(1 - self.shrinkage) * common + np.sqrt(floor) * own) / scale


@dataclass(frozen=True, kw_only=True)
class GaussianCopula:
    """Each type's genes as correlated normals, pushed through their negative binomial quantiles.

    Besides means, zeros and dispersions it knows which genes vary together in a type; what it can't know is
    structure that no correlation holds, such as sub-types and branches.

    Parameters
    ----------
    marginals
        The independent negative binomials, and the library sizes.
    latents
        The correlation of each type's normal scores.

    Examples
    --------
    >>> import numpy as np
    >>> from genailab.data import load_pbmc
    >>> copula = GaussianCopula.fit(load_pbmc())
    >>> copula.sample(["Dendritic"] * 3, np.random.default_rng(0)).counts.shape
    (3, 765)
    """

    marginals: IndependentNB
    latents: Mapping[str, LatentCorrelation]

    @classmethod
    def fit(cls, train: CellDataset, *, max_cells: int = 2000) -> GaussianCopula:
        """Fit to labelled training cells; ``max_cells`` of a type, evenly spaced, are enough.

        Raises
        ------
        InputError
            If the cells are not labelled, or a cell has no count.
        """
        marginals = IndependentNB.fit(train, max_cells=max_cells)
        groups = counts_by_type(train, max_cells=max_cells)
        latents = {
            type_: LatentCorrelation.fit(normal_scores(counts, marginals.marginals[type_]))
            for type_, counts in groups.items()
        }
        return cls(marginals=marginals, latents=latents)

    def sample(self, labels: Sequence[str], generator: np.random.Generator) -> CellDataset:
        """Draw a cell of each of these types, in their order.

        Raises
        ------
        InputError
            If a type was not among the training cells.
        """
        return self.marginals.sample_at(
            labels, generator, lambda type_, n: ndtr(self.latents[type_].sample(n, generator))
        )


def normal_scores(counts: FloatArray, marginal: NegativeBinomial) -> FloatArray:
    """Where each count stands in its own distribution, as a standard normal quantile, ``(cells, genes)``.

    The middle of the probabilities that a count stands for, rather than a random one of them: a random one
    adds noise that hides most of the correlation of sparse genes, and made a weaker baseline on PBMC.
    """
    fewer, at_most = marginal.cumulative(counts, counts.sum(axis=1))
    return ndtri(np.clip((fewer + at_most) / 2, 1e-6, 1 - 1e-6))

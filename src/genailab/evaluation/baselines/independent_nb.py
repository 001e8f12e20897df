"""Cells whose genes are independent negative binomials, one set a cell type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genailab.data.cells.dataset import CellDataset
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.baselines.by_type import as_cells, counts_by_type, draw_by_type
from genailab.evaluation.baselines.negative_binomial import NegativeBinomial, fit_negative_binomials

__all__ = ["IndependentNB"]


@dataclass(frozen=True, kw_only=True)
class IndependentNB:
    """Each gene a negative binomial given type and library size, independent of every other gene.

    Means, zeros and dispersions are right by construction; that genes vary together within a type is what it
    can't know. Library sizes are drawn from the type's own training cells.

    Parameters
    ----------
    marginals
        The fitted negative binomials of each type.
    library_sizes
        Library sizes of each type's training cells, ``(cells,)``.
    genes, label_key
        Gene names, in the order of the columns, and the name of the label.

    Examples
    --------
    >>> import numpy as np
    >>> from genailab.data import load_pbmc
    >>> baseline = IndependentNB.fit(load_pbmc())
    >>> cells = baseline.sample(["Dendritic", "CD19+ B"], np.random.default_rng(0))
    >>> cells.counts.shape, list(cells.labels)
    ((2, 765), ['Dendritic', 'CD19+ B'])
    """

    marginals: Mapping[str, NegativeBinomial]
    library_sizes: Mapping[str, FloatArray]
    genes: tuple[str, ...]
    label_key: str

    @classmethod
    def fit(cls, train: CellDataset, *, max_cells: int = 2000) -> IndependentNB:
        """Fit to labelled training cells; ``max_cells`` of a type, evenly spaced, are enough.

        Raises
        ------
        InputError
            If the cells are not labelled, or a cell has no count.
        """
        groups = counts_by_type(train, max_cells=max_cells)
        fitted = fit_negative_binomials(list(groups.values()))
        return cls(
            marginals=dict(zip(groups, fitted, strict=True)),
            library_sizes={type_: counts.sum(axis=1) for type_, counts in groups.items()},
            genes=train.genes,
            label_key=str(train.label_key),
        )

    def sample(self, labels: Sequence[str], generator: np.random.Generator) -> CellDataset:
        """Draw a cell of each of these types, in their order.

        Raises
        ------
        InputError
            If a type was not among the training cells.
        """
        return self.sample_at(labels, generator, lambda _, n: generator.random((n, len(self.genes))))

    def sample_at(
        self,
        labels: Sequence[str],
        generator: np.random.Generator,
        uniforms: Callable[[str, int], FloatArray],
    ) -> CellDataset:
        """Draw cells whose genes' quantiles are ``uniforms(type, n)``, ``(n, genes)`` in [0, 1]."""

        def draw(type_: str, n: int) -> FloatArray:
            library = generator.choice(self.library_sizes[type_], size=n)
            return self.marginals[type_].quantile(uniforms(type_, n), library)

        counts = draw_by_type(labels, self.marginals, n_genes=len(self.genes), draw=draw)
        return as_cells(counts, labels, genes=self.genes, label_key=self.label_key)

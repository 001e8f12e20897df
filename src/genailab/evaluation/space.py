"""The space in which cells are compared: log-normalised expression and its principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA

from genailab.data.cells.dataset import CellDataset
from genailab.data.cells.normalise import log_normalise
from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray

__all__ = ["CellSpace", "CellView"]


@dataclass(frozen=True, kw_only=True)
class CellView:
    """Cells as they are seen in a space.

    Parameters
    ----------
    expression
        Log-normalised expression, ``(cells, genes)``.
    points
        Principal component scores, ``(cells, dims)``.
    types
        Type of each cell; None where unknown.
    n_given
        How many cells there were before subsampling.
    """

    expression: FloatArray
    points: FloatArray
    types: tuple[str, ...] | None
    n_given: int

    def __len__(self) -> int:
        return len(self.points)

    def count(self) -> str:
        """Return how many cells are seen, in words: ``207``, or ``5,000 of 12,000`` after subsampling."""
        return f"{len(self):,}" + (f" of {self.n_given:,}" if self.n_given > len(self) else "")


@dataclass(frozen=True, kw_only=True)
class CellSpace:
    """Log-normalisation and principal components fitted once, so that all cells are seen with the same eyes.

    Parameters
    ----------
    target
        Counts per cell after scaling: the median library size of the cells it was fitted on.
    mean, components
        Centre ``(genes,)`` and principal axes ``(dims, genes)`` of log-normalised expression.
    n_fitted
        Cells it was fitted on.
    """

    target: float
    mean: FloatArray
    components: FloatArray
    n_fitted: int

    @classmethod
    def fit(cls, cells: CellDataset, *, n_components: int = 30) -> CellSpace:
        """Fit to real cells that are themselves not going to be compared in it.

        Principal components bend towards the noise of the cells they were fitted on, which therefore look
        more spread out in them than fresh cells of the same kind: on 415 PBMC a random forest told the two
        apart with an AUROC of 0.89.

        Raises
        ------
        InputError
            If there are fewer than two cells, or no cell has a count.
        """
        if cells.n_cells < 2:
            raise InputError(
                f"principal components need at least 2 cells, got {cells.n_cells}: add training cells"
            )
        target = float(np.median(cells.library_sizes))
        if target <= 0:
            raise InputError(
                f"half of the {cells.n_cells} training cells have no count over the {cells.n_genes} genes "
                "kept: keep more genes or remove those cells"
            )
        expression = log_normalise(cells.counts, target=target).toarray()
        dims = min(n_components, cells.n_cells - 1, cells.n_genes)
        pca = PCA(dims, random_state=0).fit(expression)
        return cls(target=target, mean=pca.mean_, components=pca.components_, n_fitted=cells.n_cells)

    @property
    def n_dims(self) -> int:
        """Number of principal components."""
        return len(self.components)

    def expression(self, cells: CellDataset) -> FloatArray:
        """Log-normalised expression, dense ``(cells, genes)``; a cell without a count stays 0."""
        return np.asarray(log_normalise(cells.counts, target=self.target).toarray())

    def project(self, expression: FloatArray) -> FloatArray:
        """Principal component scores ``(cells, dims)`` of log-normalised expression ``(cells, genes)``."""
        return (expression - self.mean) @ self.components.T

    def view(self, cells: CellDataset, *, n_given: int | None = None) -> CellView:
        """See cells in this space; ``n_given`` is how many they were before subsampling."""
        expression = self.expression(cells)
        return CellView(
            expression=expression,
            points=self.project(expression),
            types=tuple(str(type_) for type_ in cells.labels) if cells.label_key else None,
            n_given=n_given or cells.n_cells,
        )

    def points(self, cells: CellDataset, *, block: int = 5000) -> FloatArray:
        """Principal component scores of any number of cells, expanded ``block`` at a time."""
        starts = range(0, cells.n_cells, block)
        parts = [cells.subset(np.arange(start, min(start + block, cells.n_cells))) for start in starts]
        return np.concatenate([self.project(self.expression(part)) for part in parts])

    def describe(self) -> str:
        """Return the space in words."""
        return (
            f"{self.n_dims} principal components of log1p counts per {self.target:,.0f}, "
            f"fitted on {self.n_fitted:,} training cells"
        )

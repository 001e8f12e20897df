"""Making sure that two sets of cells can be compared, before anything is computed."""

from __future__ import annotations

import numpy as np

from genailab.data.cells.dataset import CellDataset
from genailab.errors import InputError, nearest

__all__ = ["comparable", "subsample"]


def comparable(cells: CellDataset, *, genes: tuple[str, ...], kind: str, min_cells: int) -> CellDataset:
    """Return the cells with ``genes`` in this order, after checking them.

    Raises
    ------
    InputError
        If there are fewer than ``min_cells`` cells, the genes are others, or a count is negative or not
        finite.
    """
    if cells.n_cells < min_cells:
        raise InputError(
            f"there are {cells.n_cells} {kind} cells, but at least {min_cells} are compared: add cells"
        )
    _check_genes(cells, genes, kind)
    _check_values(cells, kind)
    return cells if cells.genes == genes else cells.select_genes(genes)


def subsample(cells: CellDataset, max_cells: int, generator: np.random.Generator) -> CellDataset:
    """Return at most ``max_cells`` cells, drawn without replacement and kept in order."""
    if cells.n_cells <= max_cells:
        return cells
    return cells.subset(np.sort(generator.choice(cells.n_cells, size=max_cells, replace=False)))


def _check_genes(cells: CellDataset, genes: tuple[str, ...], kind: str) -> None:
    missing = sorted(set(genes) - set(cells.genes))
    if missing:
        raise InputError(
            f"{len(missing)} of the training cells' {len(genes)} genes are not among the {kind} cells' "
            f"(first: {missing[0]!r}; {nearest(missing[0], cells.genes)}): compare cells over the same genes"
        )
    extra = sorted(set(cells.genes) - set(genes))
    if extra:
        raise InputError(
            f"{len(extra)} genes of the {kind} cells are not among the training cells' {len(genes)} (first: "
            f"{extra[0]!r}): take the same genes with select_genes"
        )


def _check_values(cells: CellDataset, kind: str) -> None:
    wrong = np.flatnonzero(~(np.isfinite(cells.counts.data) & (cells.counts.data >= 0)))
    if len(wrong):
        cell = int(np.searchsorted(cells.counts.indptr, wrong[0], side="right")) - 1
        gene = cells.genes[cells.counts.indices[wrong[0]]]
        raise InputError(
            f"{kind} cell {cells.cells[cell]!r} has {cells.counts.data[wrong[0]]} counts of gene {gene!r}: "
            "counts are finite and not negative, so remove the cell or mend what made it"
        )

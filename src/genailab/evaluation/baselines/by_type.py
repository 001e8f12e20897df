"""Taking counts apart by cell type, and putting generated counts together as cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genailab.data.cells.dataset import CellDataset
from genailab.errors import InputError, nearest
from genailab.evaluation.arrays import FloatArray

__all__ = ["as_cells", "counts_by_type", "draw_by_type"]


def counts_by_type(train: CellDataset, *, max_cells: int) -> dict[str, FloatArray]:
    """Take dense counts ``(cells, genes)`` of each type in ``train``; at most ``max_cells`` of a type.

    Raises
    ------
    InputError
        If the cells are not labelled, or a cell has no count.
    """
    empty = np.flatnonzero(train.library_sizes <= 0)
    if len(empty):
        raise InputError(
            f"{len(empty)} of {train.n_cells} training cells have no count over the {train.n_genes} genes "
            f"kept (first: {train.cells[empty[0]]!r}): remove them before a baseline is fitted"
        )
    names = np.asarray(train.labels, dtype=str)
    return {
        type_: _dense(train, np.flatnonzero(names == type_), max_cells)
        for type_ in sorted(set(names.tolist()))
    }


def draw_by_type(
    labels: Sequence[str], known: Iterable[str], *, n_genes: int, draw: Callable[[str, int], FloatArray]
) -> sp.csr_matrix:
    """Draw counts ``(cells, genes)`` in the order of ``labels``; ``draw(type, n)`` makes ``n`` of a type."""
    names = np.asarray(labels, dtype=str)
    unknown = sorted(set(names.tolist()) - set(known))
    if unknown:
        raise InputError(
            f"type {unknown[0]!r} was asked for, but no training cell is of it: {nearest(unknown[0], known)}"
        )
    kinds = sorted(set(names.tolist()))
    rows = [np.flatnonzero(names == type_) for type_ in kinds]
    if not rows:
        return sp.csr_matrix(np.zeros((0, n_genes), dtype=np.float32))
    drawn = [
        sp.csr_matrix(draw(type_, len(at)).astype(np.float32)) for type_, at in zip(kinds, rows, strict=True)
    ]
    # The cells were drawn type after type: this puts each back where its label stands.
    return sp.csr_matrix(sp.vstack(drawn)[np.argsort(np.concatenate(rows))])


def as_cells(
    counts: sp.csr_matrix, labels: Sequence[str], *, genes: tuple[str, ...], label_key: str
) -> CellDataset:
    """Name generated counts as cells ``generated-0``, ``generated-1``, ... with the types asked for."""
    return CellDataset(
        counts=counts,
        genes=genes,
        cells=tuple(f"generated-{row}" for row in range(counts.shape[0])),
        covariates={label_key: pd.Categorical(np.asarray(labels, dtype=str))},
        label_key=label_key,
        source="generated",
    )


def _dense(train: CellDataset, rows: np.ndarray, max_cells: int) -> FloatArray:
    # Evenly spaced: needs no random numbers, and takes from every donor where cells stand donor by donor.
    spaced = rows[np.linspace(0, len(rows) - 1, min(max_cells, len(rows))).round().astype(int)]
    return train.counts[spaced].toarray().astype(np.float64)

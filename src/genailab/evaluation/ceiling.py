"""Which real cells play the part of generated ones, to show what a perfect model would score."""

from __future__ import annotations

import numpy as np

from genailab.data.cells.dataset import CellDataset
from genailab.evaluation.arrays import IntArray

__all__ = ["ceiling_rows"]


def ceiling_rows(train: CellDataset, real: CellDataset, generator: np.random.Generator) -> IntArray:
    """Rows of ``train`` to hold against held-out ``real`` cells: as many of each type as are held out.

    At most half of a type's training cells are taken, so that others of their kind remain to fit the space
    and to be the training set of the memorisation ratio. Without labels, any cells are taken.
    """
    if train.label_key is None or real.label_key is None:
        return _draw(np.arange(train.n_cells), real.n_cells, generator)
    types, held_out = np.asarray(train.labels, dtype=str), np.asarray(real.labels, dtype=str)
    drawn = [
        _draw(np.flatnonzero(types == type_), int((held_out == type_).sum()), generator)
        for type_ in sorted(set(held_out.tolist()))
    ]
    return np.sort(np.concatenate(drawn))


def _draw(rows: IntArray, wanted: int, generator: np.random.Generator) -> IntArray:
    return generator.choice(rows, size=min(wanted, (len(rows) + 1) // 2), replace=False)

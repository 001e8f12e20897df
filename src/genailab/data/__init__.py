"""What comes in: counts of single cells, found, checked, named, split and selected.

Names load when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genailab.data.cells import CellDataset
    from genailab.data.counts import check_counts, find_counts
    from genailab.data.genes import highly_variable_genes
    from genailab.data.labels import join_labels
    from genailab.data.normalise import log_normalise
    from genailab.data.pbmc import load_pbmc, load_pbmc_anndata
    from genailab.data.readers import read_cells
    from genailab.data.splits import Split, split_cells

__all__ = [
    "CellDataset",
    "Split",
    "check_counts",
    "find_counts",
    "highly_variable_genes",
    "join_labels",
    "load_pbmc",
    "load_pbmc_anndata",
    "log_normalise",
    "read_cells",
    "split_cells",
]

_MODULE_OF = {
    "CellDataset": "cells",
    "Split": "splits",
    "check_counts": "counts",
    "find_counts": "counts",
    "highly_variable_genes": "genes",
    "join_labels": "labels",
    "load_pbmc": "pbmc",
    "load_pbmc_anndata": "pbmc",
    "log_normalise": "normalise",
    "read_cells": "readers",
    "split_cells": "splits",
}


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"genailab.data.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'genailab.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)

"""From the user's file to the cells that are trained on, with every other cell accounted for."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from pandas.api.types import union_categoricals

from genailab.data import (
    CellDataset,
    Split,
    highly_variable_genes,
    join_labels,
    load_pbmc,
    read_cells,
    split_cells,
)
from genailab.data.cells.split_table import LEFT_OUT
from genailab.errors import InputError
from genailab.pipelines.single_cell_config import SingleCellConfig

__all__ = ["PreparedCells", "prepare"]

logger = logging.getLogger("genailab")

ALL_GENES_UP_TO = 3000  # more are cut to this many highly variable ones: two cores train on them in minutes


@dataclass(frozen=True)
class PreparedCells:
    """The parts of the data over the same genes, and the record of how they were made."""

    name: str
    read: CellDataset  # all cells and genes that came in
    train: CellDataset
    valid: CellDataset
    test: CellDataset
    split: Split

    @cached_property
    def used(self) -> CellDataset:
        """All real cells of the three parts, over the chosen genes."""
        parts = (self.train, self.valid, self.test)
        return replace(
            self.train,
            counts=sp.csr_matrix(sp.vstack([part.counts for part in parts])),
            cells=tuple(cell for part in parts for cell in part.cells),
            covariates={
                key: union_categoricals([part.covariates[key] for part in parts])
                for key in self.train.covariates
            },
        )

    def describe(self) -> dict[str, Any]:
        """Return what the data were and what became of them, as plain values for JSON."""
        reasons = self.split.left_out["reason"].value_counts()
        return {
            "name": self.name,
            "cells_read": self.read.n_cells,
            "genes_read": self.read.n_genes,
            "n_cells": self.used.n_cells,
            "n_genes": self.used.n_genes,
            "counts_source": self.read.source,
            "label_key": self.used.label_key,
            "types": {str(name): int(n) for name, n in pd.Series(self.used.labels).value_counts().items()},
            "parts": {name: len(part) for name, part in self.parts.items()},
            "left_out": {str(reason): int(n) for reason, n in reasons.items()},
        }

    @property
    def parts(self) -> dict[str, CellDataset]:
        """Training, validation and held-out cells by name."""
        return {"training": self.train, "validation": self.valid, "held out": self.test}


def prepare(config: SingleCellConfig) -> PreparedCells:
    """Read, check, split and select genes.

    Raises
    ------
    InputError
        If the file, its counts, its labels or the settings can't be right.
    """
    name, cells = _read(config)
    settings = config.data
    split = split_cells(
        cells,
        fractions=settings.fractions,
        group_key=settings.group_key,
        min_cells=settings.min_cells,
        seed=config.seed,
    )
    chosen = cells.select_genes(_genes(cells.subset(split.train), settings.n_genes))
    # Groups have done their work, and those held out are new to the model by intention.
    chosen = replace(chosen, covariates={key: chosen.covariates[key] for key in _told(config, chosen)})
    split = _without_unusable(split, chosen)
    categories = _categories_in(chosen.subset(split.train))
    train, valid, test = (
        _with_categories(chosen.subset(rows), categories) for rows in (split.train, split.valid, split.test)
    )
    logger.info(
        f"{len(train)} training, {len(valid)} validation and {len(test)} held-out cells over "
        f"{chosen.n_genes} genes; {len(split.left_out)} cells left out; split {split.hash[:12]}"
    )
    return PreparedCells(name, cells, train, valid, test, split)


def _told(config: SingleCellConfig, cells: CellDataset) -> list[str]:
    """Name the covariates that a model is told: the label and the batches."""
    return [key for key in cells.covariates if key == cells.label_key or key in config.data.batch_keys]


def _read(config: SingleCellConfig) -> tuple[str, CellDataset]:
    settings = config.data
    if settings.path is None:
        name, cells = "700 blood cells (10x PBMC 68k)", load_pbmc()
    else:
        keys = [*settings.batch_keys, *([settings.group_key] if settings.group_key else [])]
        name, adata = Path(settings.path).name, read_cells(settings.path)
        if settings.labels is not None:
            adata = join_labels(adata, settings.labels)
        cells = CellDataset.from_anndata(
            adata, label_key=settings.label_key, layer=settings.layer, covariates=keys
        )
    logger.info(f"{cells.n_cells} cells x {cells.n_genes} genes read from {name}, counts in {cells.source}")
    return name, cells


def _genes(train: CellDataset, n_genes: int | None) -> list[str]:
    """Choose genes on the training cells alone: what they don't express can't be learned."""
    if n_genes is not None and n_genes > train.n_genes:
        raise InputError(
            f"data.n_genes is {n_genes} but there are {train.n_genes} genes: ask for at most that many"
        )
    expressed = int((train.counts.getnnz(axis=0) > 0).sum())
    return highly_variable_genes(train, n_genes or min(expressed, ALL_GENES_UP_TO))


def _without_unusable(split: Split, chosen: CellDataset) -> Split:
    """Leave out cells that the split kept but no model can use, each with its reason."""
    parts, reasons = np.array(split.parts, dtype=object), np.array(split.reasons, dtype=object)
    empty = (chosen.library_sizes == 0) & (parts != LEFT_OUT)
    parts[empty], reasons[empty] = LEFT_OUT, "no count in the chosen genes"
    for key, values in chosen.covariates.items():
        names = np.asarray(values, dtype=object)
        unseen = ~np.isin(names, names[parts == "train"]) & (parts != LEFT_OUT)
        reasons[unseen] = [f"{key} {name!r} is in no training cell" for name in names[unseen]]
        parts[unseen] = LEFT_OUT
    new = int((parts == LEFT_OUT).sum()) - len(split.left_out)
    if new:
        warnings.warn(f"{new} more cells are left out: see cells.csv for the reason of each", stacklevel=3)
    return Split(cells=split.cells, parts=tuple(parts), reasons=tuple(reasons))


def _categories_in(cells: CellDataset) -> dict[str, pd.Index]:
    return {key: values.remove_unused_categories().categories for key, values in cells.covariates.items()}


def _with_categories(cells: CellDataset, categories: dict[str, pd.Index]) -> CellDataset:
    # A model must not offer a type that it has never seen.
    covariates = {key: values.set_categories(categories[key]) for key, values in cells.covariates.items()}
    return replace(cells, covariates=covariates)

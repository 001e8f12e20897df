"""What a report is made of: small checked records that a pipeline fills in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from genailab.errors import InputError, nearest

__all__ = ["BETTER", "DatasetSummary", "LeftOut", "Reproduction", "Score", "check_columns", "check_finite"]

# How a score's `better` reads on the page: a short word for the table and the value it should approach.
BETTER: dict[str, tuple[str, float]] = {
    "lower": ("lower is better", -np.inf),
    "higher": ("higher is better", np.inf),
    "0.5": ("0.5 is ideal", 0.5),
    "1": ("1 is ideal", 1.0),
}


class Score(Protocol):
    """What the page needs of a score; `genailab.evaluation.scores.Score` is one."""

    @property
    def metric(self) -> str:
        """Name of the metric: "MMD"."""

    @property
    def subject(self) -> str:
        """What was scored: the model, a baseline or the ceiling."""

    @property
    def value(self) -> float:
        """The score."""

    @property
    def ci_low(self) -> float:
        """Lower end of its 95% interval."""

    @property
    def ci_high(self) -> float:
        """Upper end of its 95% interval."""

    @property
    def better(self) -> str:
        """One of "lower", "higher", "0.5" and "1"."""

    @property
    def space(self) -> str:
        """In words: the space, bandwidth, neighbours or projections the score was computed with."""

    @property
    def n(self) -> int:
        """Number of generated cells used."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Cells or genes that came in and were not used, with the reason."""

    count: int
    what: str  # "cells", "genes"
    reason: str


@dataclass(frozen=True, kw_only=True)
class DatasetSummary:
    """The data as they were used.

    Parameters
    ----------
    name
        How a reader knows the data: a file name or "PBMC 68k (10x), 700 cells".
    n_cells, n_genes
        Cells and genes used.
    cell_types
        Cells used of each type. Its order is the order of the types everywhere on the page.
    counts_source
        Where raw counts were found: "X", "layers['counts']", "raw.X".
    left_out
        What came in but was not used.
    splits
        Cells in each part: ``{"training": 420, "validation": 73, "held out": 207}``.
    """

    name: str
    n_cells: int
    n_genes: int
    cell_types: Mapping[str, int]
    counts_source: str
    left_out: tuple[LeftOut, ...] = ()
    splits: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.cell_types:
            raise InputError("dataset.cell_types is empty: give the number of cells of at least one type")


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """All that is needed to get the same result again."""

    command: str
    seed: int
    device: str
    duration_seconds: float
    versions: Mapping[str, str]
    config_yaml: str
    resumed: bool = False  # the duration is then that of the last part alone


def check_columns(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    """Raise where a table lacks a column, naming the nearest one it has."""
    for column in columns:
        if column not in table.columns:
            hint = nearest(column, [str(known) for known in table.columns])
            raise InputError(f"{name} has no column {column!r}: {hint}")


def check_finite(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    """Raise where a table's number is missing or infinite, naming the row."""
    for column in columns:
        bad = ~np.isfinite(table[column].to_numpy(dtype=float))
        if bad.any():
            row = int(bad.argmax())
            value = table[column].iloc[row]
            raise InputError(
                f"{name} row {row} has {column} = {value}: every {column} must be a finite number"
            )

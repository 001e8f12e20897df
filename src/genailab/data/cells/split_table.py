"""The result of a split: which part each cell is in, and why some are in none."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from genailab.data.cells.dataset import CellDataset
from genailab.errors import InputError

__all__ = ["LEFT_OUT", "PARTS", "Split"]

PARTS = ("train", "valid", "test")
LEFT_OUT = "left out"


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Every cell's part: train, valid, test, or left out for a stated reason.

    Parameters
    ----------
    cells
        The names of all cells that were to be split, in the order of the dataset.
    parts
        For each cell ``"train"``, ``"valid"``, ``"test"`` or ``"left out"``.
    reasons
        For each cell why it is left out; empty where it isn't.
    """

    cells: tuple[str, ...]
    parts: tuple[str, ...]
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.cells) == len(self.parts) == len(self.reasons):
            raise InputError(
                f"a split of {len(self.cells)} cells has {len(self.parts)} parts and {len(self.reasons)} "
                "reasons: give one of each to every cell"
            )
        unknown = sorted({part for part in self.parts if part not in (*PARTS, LEFT_OUT)})
        if unknown:
            raise InputError(f"part {unknown[0]!r} is none of {', '.join(PARTS)} and {LEFT_OUT}: rename it")

    @cached_property
    def train(self) -> np.ndarray:
        """Positions of the training cells in the dataset, ascending."""
        return self._positions("train")

    @cached_property
    def valid(self) -> np.ndarray:
        """Positions of the validation cells, ascending."""
        return self._positions("valid")

    @cached_property
    def test(self) -> np.ndarray:
        """Positions of the test cells, ascending."""
        return self._positions("test")

    def _positions(self, part: str) -> np.ndarray:
        return np.flatnonzero(np.asarray(self.parts) == part)

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """The cells in no part, with columns ``cell`` and ``reason``."""
        table = self.table()
        return table.loc[table["part"] == LEFT_OUT, ["cell", "reason"]].reset_index(drop=True)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of which cell is in which part; the order of the rows has no say."""
        pairs = sorted(zip(self.cells, self.parts, strict=True))
        return hashlib.sha256(json.dumps(pairs, ensure_ascii=True).encode()).hexdigest()

    def table(self, dataset: CellDataset | None = None) -> pd.DataFrame:
        """Return one row for every cell, with columns ``cell``, ``part`` and ``reason``.

        Parameters
        ----------
        dataset
            Puts the rows in its order; by default they stand in the order in which the cells were split.
        """
        split = self if dataset is None else self.align(dataset)
        return pd.DataFrame({"cell": split.cells, "part": split.parts, "reason": split.reasons}, dtype=object)

    def align(self, dataset: CellDataset) -> Split:
        """Return the same split with the cells in the order of ``dataset``.

        Raises
        ------
        InputError
            If the dataset doesn't hold exactly the cells that were split.
        """
        row_of = {cell: row for row, cell in enumerate(self.cells)}
        new = [cell for cell in dataset.cells if cell not in row_of]
        gone = sorted(row_of.keys() - set(dataset.cells))
        if new or gone:
            raise InputError(
                f"the split was made for other cells: {len(new)} of the dataset's {dataset.n_cells} cells "
                f"are not in it and {len(gone)} of its own are not in the dataset (first: "
                f"{(new + gone)[0]!r}), so split again or use the same file"
            )
        rows = [row_of[cell] for cell in dataset.cells]
        parts, reasons = (tuple(column[row] for row in rows) for column in (self.parts, self.reasons))
        return Split(cells=dataset.cells, parts=parts, reasons=reasons)

    def save(self, path: str | Path) -> None:
        """Write the split as JSON; the file appears whole or not at all."""
        path = Path(path)
        content = {
            "schema": 1,
            "hash": self.hash,
            "columns": ["cell", "part", "reason"],
            "rows": list(zip(self.cells, self.parts, self.reasons, strict=True)),
        }
        beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            beside.write_text(json.dumps(content, indent=1), encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            raise InputError(f"the split cannot be written to {path}: {error.strerror or error}") from error
        finally:
            beside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path) -> Split:
        """Read a split that :meth:`save` wrote.

        Raises
        ------
        InputError
            If there is no such file, it isn't a split, or it was changed since it was written.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            cells, parts, reasons = zip(*content["rows"], strict=True)
            saved_hash = str(content["hash"])
        except OSError as error:
            raise InputError(f"the split {path} cannot be read: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} is not a split saved by genailab: give the file that was saved"
            ) from error
        split = cls(cells=cells, parts=parts, reasons=reasons)
        if split.hash != saved_hash:
            raise InputError(
                f"{path} was changed since it was saved (hash {split.hash[:12]}, not {saved_hash[:12]}), so "
                "restore the file or split again"
            )
        return split

"""Splitting intervals by chromosome: neighbours, duplicates and overlaps never lie on both sides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from genailab.data.genome.contigs import contig_hint
from genailab.data.genome.window_places import check_columns
from genailab.errors import InputError

__all__ = ["ChromosomeSplit", "split_chromosomes"]

_LEFT_OUT = "left out"


@dataclass(frozen=True, kw_only=True, eq=False)
class ChromosomeSplit:
    """Every interval's part, as one row of ``table``.

    Parameters
    ----------
    table
        One row an interval, in their order: ``chrom``, ``start``, ``end``, ``strand``, ``part`` (``"train"``,
        ``"valid"``, ``"test"`` or ``"left out"``) and ``reason`` (why it is left out, else empty).
    """

    table: pd.DataFrame

    @cached_property
    def train(self) -> np.ndarray:
        """Positions of the training intervals, ascending."""
        return self._positions("train")

    @cached_property
    def valid(self) -> np.ndarray:
        """Positions of the validation intervals, ascending."""
        return self._positions("valid")

    @cached_property
    def test(self) -> np.ndarray:
        """Positions of the test intervals, ascending."""
        return self._positions("test")

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """The intervals in no part, with the reason; the index is their position."""
        return self.table[self.table["part"] == _LEFT_OUT]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of which interval is in which part; the order of the rows has no say."""
        rows = self.table[["chrom", "start", "end", "strand", "part"]].astype(str)
        return hashlib.sha256(json.dumps(sorted(rows.values.tolist())).encode()).hexdigest()

    def _positions(self, part: str) -> np.ndarray:
        return np.flatnonzero(self.table["part"] == part)


def split_chromosomes(
    intervals: pd.DataFrame,
    *,
    valid: Sequence[str] = ("chr8",),
    test: Sequence[str] = ("chr9",),
    train: Sequence[str] | None = None,
) -> ChromosomeSplit:
    """Split intervals into train, valid and test by the chromosome that they lie on.

    Parameters
    ----------
    intervals
        Columns ``chrom``, ``start``, ``end`` and, where there are any, ``strand`` and ``status``: rows with a
        status other than ``"ok"`` (of `check_intervals`, `gc_matched_negatives`) are left out, with their
        reason.
    valid, test
        Chromosomes of these parts.
    train
        Chromosomes to train on; by default all others. Where it is given, the rest is left out.

    Raises
    ------
    InputError
        If a chromosome is named twice or has no interval, or a part would be empty.

    Examples
    --------
    >>> peaks = pd.DataFrame({"chrom": ["chr1", "chr8", "chr9"], "start": 0, "end": 100})
    >>> split = split_chromosomes(peaks)
    >>> split.train.tolist(), split.valid.tolist(), split.test.tolist(), split.hash[:8]
    ([0], [1], [2], 'c0763a2b')
    """
    check_columns(intervals)
    present = list(dict.fromkeys(map(str, intervals["chrom"])))
    named = {"valid": _names(valid), "test": _names(test), "train": _names(train or ())}
    part_of = _part_of(named, present)
    chroms = intervals["chrom"].astype(str).to_numpy()
    parts = np.array([part_of.get(name, _LEFT_OUT if train else "train") for name in chroms], dtype=object)
    reasons = np.array([f"chromosome {name} is in no part" for name in chroms], dtype=object)
    reasons[parts != _LEFT_OUT] = ""
    _leave_out_failed(intervals, parts, reasons)
    table = pd.DataFrame({
        "chrom": chroms,
        "start": intervals["start"].to_numpy(),
        "end": intervals["end"].to_numpy(),
        "strand": intervals["strand"].to_numpy() if "strand" in intervals else ".",
        "part": parts,
        "reason": reasons,
    })  # fmt: skip
    for part in ("train", "valid", "test"):
        if not (parts == part).any():
            raise InputError(
                f"no interval is left for {part}: the intervals lie on {', '.join(present[:8])}, so name "
                "other "
                "chromosomes"
            )
    return ChromosomeSplit(table=table)


def _names(chromosomes: Sequence[str]) -> list[str]:
    # A plain string would be taken for its letters.
    return [chromosomes] if isinstance(chromosomes, str) else list(chromosomes)


def _part_of(named: dict[str, list[str]], present: list[str]) -> dict[str, str]:
    part_of: dict[str, str] = {}
    for part, names in named.items():
        for name in names:
            if name in part_of:
                raise InputError(
                    f"chromosome {name!r} is named for {part_of[name]} and for {part}: name it once"
                )
            if name not in present:
                hint = contig_hint(name, present, aliases=False)
                raise InputError(f"no interval lies on {name!r}, which is named for {part}: {hint}")
            part_of[name] = part
    return part_of


def _leave_out_failed(intervals: pd.DataFrame, parts: np.ndarray, reasons: np.ndarray) -> None:
    if "status" not in intervals:
        return
    failed = (intervals["status"] != "ok").to_numpy()
    parts[failed] = _LEFT_OUT
    told = intervals["reason"] if "reason" in intervals else intervals["status"]
    reasons[failed] = told.to_numpy(dtype=object)[failed]

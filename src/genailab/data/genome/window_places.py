"""Where the window of an interval lies, and whether a table holds intervals at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genailab.errors import InputError, nearest

__all__ = ["check_columns", "interval_bounds", "is_minus", "window_starts"]


def check_columns(intervals: pd.DataFrame) -> None:
    """Raise InputError unless the table has the columns ``chrom``, ``start`` and ``end``."""
    for name in ("chrom", "start", "end"):
        if name not in intervals:
            raise InputError(
                f"the table of intervals has no column {name!r}: {nearest(name, map(str, intervals.columns))}"
            )


def interval_bounds(intervals: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and ends, int64 ``(rows,)``, 0-based half-open; InputError unless start < end."""
    check_columns(intervals)
    starts, ends = (_whole_numbers(intervals, name) for name in ("start", "end"))
    wrong = np.flatnonzero(starts >= ends)
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"interval {intervals['chrom'].iloc[row]}:{starts[row]}-{ends[row]} in row {row} holds no base: "
            "its end "
            "must lie after its start, so use 0-based half-open coordinates or leave the row out"
        )
    return starts, ends


def _whole_numbers(intervals: pd.DataFrame, name: str) -> np.ndarray:
    if not pd.api.types.is_integer_dtype(intervals[name]) or intervals[name].hasnans:
        raise InputError(
            f"column {name!r} of the intervals is of type {intervals[name].dtype}, not whole numbers: fill "
            "its "
            "gaps and convert it with .astype('int64')"
        )
    return intervals[name].to_numpy(dtype=np.int64)


def is_minus(intervals: pd.DataFrame) -> np.ndarray:
    """Return which rows are on the minus strand, bool ``(rows,)``; ``.`` or no column is the plus one."""
    if "strand" not in intervals:
        return np.zeros(len(intervals), dtype=bool)
    strands = intervals["strand"].to_numpy(dtype=object)
    minus = strands == "-"
    wrong = np.flatnonzero(~(minus | (strands == "+") | (strands == ".")))
    if len(wrong):
        raise InputError(
            f"strand {strands[wrong[0]]!r} in row {wrong[0]} of the intervals is none of '+', '-' and '.': "
            "correct it"
        )
    return minus


def window_starts(intervals: pd.DataFrame, length: int) -> np.ndarray:
    """Return where windows of ``length`` bases centred on the intervals start, int64 ``(rows,)``.

    The middle base of an interval, ``(start + end) // 2`` in the direction of its strand, comes to stand at
    position ``length // 2`` of its window as it is read on that strand. An interval as long as the window is
    its own window. Starts may be negative.
    """
    if length < 1:
        raise InputError(f"a window of {length} bases holds nothing: pass a length of 1 or more")
    starts, ends = interval_bounds(intervals)
    minus = is_minus(intervals)
    # Counted from the other end, the middle of an even number of bases is the base before.
    middle = (starts + ends - minus) // 2
    return middle - np.where(minus, (length - 1) // 2, length // 2)

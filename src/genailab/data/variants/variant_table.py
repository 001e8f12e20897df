"""How a row of a table of variants is judged, noted and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genailab.errors import InputError

__all__ = ["Finding", "annotate", "judge", "refuse", "short", "usable", "writer"]


class Finding(NamedTuple):
    """What some rows have in common, and the sentence for each of them."""

    rows: NDArray[np.bool_]
    status: str
    reason: str
    detail: Callable[[int], str]  # asked for the rows it is needed for only


def usable(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows are still ``ok``."""
    return (table["status"] == "ok").to_numpy(dtype=bool)


def judge(table: pd.DataFrame, finding: Finding) -> pd.DataFrame:
    """Return the table with the rows of the finding judged, save those that were before."""
    chosen = np.flatnonzero(finding.rows & usable(table)).tolist()
    if not chosen:
        return table
    columns = _told(table)
    columns["status"][chosen] = finding.status
    columns["reason"][chosen] = finding.reason
    columns["detail"][chosen] = [finding.detail(row) for row in chosen]
    return table.assign(**columns)


def annotate(table: pd.DataFrame, finding: Finding) -> pd.DataFrame:
    """Return the table with a note added to those rows of the finding that are ``ok``."""
    chosen = np.flatnonzero(finding.rows & usable(table)).tolist()
    if not chosen:
        return table
    columns = _told(table)
    for row in chosen:
        for name, text in (("reason", finding.reason), ("detail", finding.detail(row))):
            columns[name][row] = "; ".join(filter(None, (columns[name][row], text)))
    return table.assign(**columns)


def _told(table: pd.DataFrame) -> dict[str, NDArray]:
    return {name: table[name].to_numpy(dtype=object, copy=True) for name in ("status", "reason", "detail")}


def refuse(table: pd.DataFrame, status: str) -> None:
    """Raise InputError for the first row that has this status, saying how many there are."""
    wrong = np.flatnonzero(table["status"] == status)
    if not len(wrong):
        return
    first = int(wrong[0])
    place = f"variant {first}"
    if "line" in table and "path" in table.attrs:
        place = f"{table.attrs['path']}:{table['line'].iloc[first]}"
    others = f" ({len(wrong) - 1} more of {len(table)} rows are refused)" if len(wrong) > 1 else ""
    raise InputError(f"{place}: {table['detail'].iloc[first]}{others}")


def writer(table: pd.DataFrame, *, normal: bool = False) -> Callable[[int], str]:
    """Return what writes a row as ``22:105 'CAG' > 'C'``, in its own spelling or the normal one."""
    names = ["contig", "normal_position", "normal_ref", "normal_alt"]
    columns = [
        table[name].to_numpy(dtype=object)
        for name in (names if normal else ["chrom", "position", "ref", "alt"])
    ]

    def write(row: int) -> str:
        chrom, position, ref, alt = (column[row] for column in columns)
        return f"{chrom}:{position} {short(ref)} > {short(alt)}"

    return write


def short(allele: str, *, limit: int = 20) -> str:
    """Quote an allele, only the beginning of a long one."""
    return repr(allele) if len(allele) <= limit else f"{allele[:limit]!r}... ({len(allele)} letters)"

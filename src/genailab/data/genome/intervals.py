"""BED files: intervals of a genome, 0-based and half-open as they stand in the file.

Format: UCSC Genome Browser, "BED format"; narrowPeak and broadPeak are its ENCODE relatives.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from genailab.data.genome.numbered_lines import numbered_lines
from genailab.errors import InputError

__all__ = ["read_bed"]

_CORE = ("chrom", "start", "end", "name", "score", "strand")
_BED = ("thickStart", "thickEnd", "itemRgb", "blockCount", "blockSizes", "blockStarts")
_PEAKS = ("signalValue", "pValue", "qValue", "peak")
_REMEDY_EMPTY = "BED ends are exclusive, so if these are 1-based positions, subtract 1 from each start"


def read_bed(path: str | Path) -> pd.DataFrame:
    """Read a BED file of 3 to 12 columns, one row a record, in the order of the file.

    Lines that start with ``#``, ``track`` or ``browser`` are no records. Plain, gzip or bgzip.

    Returns
    -------
    DataFrame
        ``chrom`` str, ``start`` and ``end`` int64 (0-based half-open), ``name`` and ``strand`` str (``.``
        where the file has none), ``score`` float64 (NaN where it has none); further columns as text under
        their names in the format (``thickStart``...), those of ``.narrowPeak`` and ``.broadPeak`` files as
        numbers (``signalValue``, ``pValue``, ``qValue``, ``peak``).

    Raises
    ------
    InputError
        With file and line, if there are fewer than 3 or more than 12 columns or not as many as before, spaces
        for tabs, a coordinate that is no whole number, negative, or an end not after its start, a score that
        is no number, or a strand other than ``+``, ``-`` and ``.``.
    """
    path = Path(path).expanduser()
    records = [(number, line.split("\t")) for number, line in numbered_lines(path) if not _is_heading(line)]
    if not records:
        raise InputError(f"{path} holds no intervals: give a BED file with at least one record")
    width = len(records[0][1])
    for number, fields in records:
        _check_width(path, number, fields, width)
    table: dict[str, np.ndarray] = {"chrom": _column(records, 0)}
    for place, name in ((1, "start"), (2, "end")):
        coordinates = [_coordinate(path, number, fields[place], name) for number, fields in records]
        table[name] = np.array(coordinates, dtype=np.int64)
    _check_order(path, records, table["start"], table["end"])
    table |= _name_score_strand(path, records, width) | _further(path, records, width)
    return pd.DataFrame(table)


def _is_heading(line: str) -> bool:
    # A contig may be called "track1": the word must stand alone, and a record has tabs.
    return line.startswith("#") or (line.split(None, 1)[0] in ("track", "browser") and line.count("\t") < 2)


def _check_width(path: Path, number: int, fields: list[str], width: int) -> None:
    if len(fields) == 1 and len(fields[0].split()) >= 3:
        raise InputError(f"{path}:{number} has spaces where BED has tabs: separate the columns with tabs")
    if not 3 <= len(fields) <= 12:
        raise InputError(
            f"{path}:{number} has {len(fields)} columns where BED has 3 to 12 (chrom, start, end, ...): "
            "complete "
            "the line or keep the first 12"
        )
    if len(fields) != width:
        raise InputError(
            f"{path}:{number} has {len(fields)} columns but the first record has {width}: the file may be "
            "truncated "
            "or two files joined, so give every line the same columns"
        )


def _coordinate(path: Path, number: int, text: str, name: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    if text.startswith("-") and text[1:].isdigit():
        raise InputError(
            f"{path}:{number} has {name} {text}, before the contig begins at 0: correct or remove the line"
        )
    raise InputError(
        f"{path}:{number} has {text!r} as its {name}, which is no whole number: write it without "
        "separators or decimals, and put '#' before a line of column names"
    )


def _check_order(
    path: Path, records: list[tuple[int, list[str]]], starts: np.ndarray, ends: np.ndarray
) -> None:
    wrong = np.flatnonzero(starts >= ends)
    if not len(wrong):
        return
    number, fields = records[wrong[0]]
    place = f"{path}:{number} has the interval {fields[0]}:{fields[1]}-{fields[2]}, "
    if starts[wrong[0]] == ends[wrong[0]]:
        raise InputError(f"{place}which holds no base: {_REMEDY_EMPTY}")
    raise InputError(f"{place}whose start lies after its end: swap them")


def _column(records: list[tuple[int, list[str]]], place: int) -> np.ndarray:
    return np.array([fields[place] for _, fields in records], dtype=object)


def _name_score_strand(path: Path, records: list[tuple[int, list[str]]], width: int) -> dict[str, np.ndarray]:
    absent = np.full(len(records), ".", dtype=object)
    scores = np.full(len(records), np.nan)
    if width > 4:
        scores = np.array([_number(path, number, fields[4], "score") for number, fields in records])
    strands = _column(records, 5) if width > 5 else absent
    for row in np.flatnonzero(~np.isin(strands.astype(str), ("+", "-", "."))):
        number, fields = records[row]
        raise InputError(f"{path}:{number} has strand {fields[5]!r}, none of '+', '-' and '.': correct it")
    return {"name": _column(records, 3) if width > 3 else absent, "score": scores, "strand": strands}


def _further(path: Path, records: list[tuple[int, list[str]]], width: int) -> dict[str, np.ndarray]:
    peaks = {".narrowPeak": _PEAKS, ".broadPeak": _PEAKS[:3]}.get(
        Path(path.name.removesuffix(".gz").removesuffix(".bgz")).suffix, ()
    )
    if len(_CORE) + len(peaks) != width:
        peaks = ()
    names = peaks or _BED
    columns: dict[str, np.ndarray] = {}
    for place in range(len(_CORE), width):
        name = names[place - len(_CORE)]
        if peaks:
            columns[name] = np.array(
                [_number(path, number, fields[place], name) for number, fields in records]
            )
        else:
            columns[name] = _column(records, place)
    return columns


def _number(path: Path, number: int, text: str, name: str) -> float:
    if text == ".":
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"{path}:{number} has {text!r} as its {name}, which is no number: write a number or '.'"
        ) from None

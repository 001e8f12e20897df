"""GTF files: genes, transcripts, exons and coding sequence as one table.

Format: Ensembl, "GFF/GTF file format"; GTF is GFF 2 with ``gene_id`` and ``transcript_id`` required. Its
coordinates are 1-based and closed; here they become 0-based and half-open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from genailab.data.genome.numbered_lines import numbered_lines
from genailab.errors import InputError, nearest

__all__ = ["read_gtf"]

_COLUMNS = ("chrom", "source", "feature", "start", "end", "score", "strand", "frame")
_ATTRIBUTE = re.compile(r'\s*([^\s;"]+)\s+(?:"([^"]*)"|([^\s;"]+))\s*(?:;|$)')
_Record = tuple[int, list[str]]


def read_gtf(
    path: str | Path, *, features: Sequence[str] | None = None, attributes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a GTF file, one row a record, in the order of the file; plain, gzip or bgzip.

    Parameters
    ----------
    path
        The file. Lines that start with ``#`` are no records.
    features
        The kinds of record to keep, such as ``("transcript", "exon")``; by default all.
    attributes
        The attributes to keep besides ``gene_id`` and ``transcript_id``; by default all. A few are read
        several times faster than all where the file is a whole genome's.

    Returns
    -------
    DataFrame
        ``chrom``, ``source``, ``feature``, ``start`` and ``end`` (int64, 0-based half-open), ``score``
        (float64, NaN for ``.``), ``strand``, ``frame``, ``gene_id``, ``transcript_id`` (empty in gene
        records), and one column an attribute, as text, empty where a record has none. Values of an attribute
        that a record repeats (``tag``) are joined by commas. An attribute that is called like one of the
        eight columns is ``attribute_source``, ``attribute_score``... in the table.

    Raises
    ------
    InputError
        With file and line, if there are not 9 columns, a position is no whole number or below 1, an end lies
        before its start, a strand is none of ``+``, ``-`` and ``.``, an attribute can't be read, there is no
        ``gene_id``, or the file is GFF 3.
    """
    path = Path(path).expanduser()
    records = [
        (number, line.split("\t")) for number, line in numbered_lines(path) if not line.startswith("#")
    ]
    if not records:
        raise InputError(f"{path} holds no records: give a GTF file with at least one gene")
    for number, fields in records:
        _check_fields(path, number, fields)
    if features is not None:
        records = _of_features(path, records, features)
    columns = _columns(path, records)
    # An attribute "start" must not take the place of where the record starts.
    found = {
        f"attribute_{name}" if name in columns else name: values
        for name, values in _attributes(path, records, attributes).items()
    }
    return pd.DataFrame(columns | found)


def _check_fields(path: Path, number: int, fields: list[str]) -> None:
    if len(fields) != 9:
        raise InputError(
            f"{path}:{number} has {len(fields)} columns where GTF has 9, separated by tabs: complete the "
            "line, or copy "
            "the file again if it is truncated"
        )
    if fields[6] not in ("+", "-", "."):
        raise InputError(f"{path}:{number} has strand {fields[6]!r}, none of '+', '-' and '.': correct it")


def _of_features(path: Path, records: list[_Record], features: Sequence[str]) -> list[_Record]:
    present = {fields[2] for _, fields in records}
    for feature in features:
        if feature not in present:
            raise InputError(f"{path} has no {feature!r} records: {nearest(feature, sorted(present))}")
    return [record for record in records if record[1][2] in features]


def _columns(path: Path, records: list[_Record]) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for place, name in enumerate(_COLUMNS):
        columns[name] = np.array([fields[place] for _, fields in records], dtype=object)
    starts = [_position(path, number, fields[3], "start") for number, fields in records]
    ends = [_position(path, number, fields[4], "end") for number, fields in records]
    # 1-based closed to 0-based half-open: the first base moves, the last one's number is the end.
    columns["start"] = np.array(starts, dtype=np.int64) - 1
    columns["end"] = np.array(ends, dtype=np.int64)
    wrong = np.flatnonzero(columns["start"] >= columns["end"])
    if len(wrong):
        number, fields = records[wrong[0]]
        raise InputError(f"{path}:{number} starts at {fields[3]}, after its end {fields[4]}: swap them")
    columns["score"] = np.array([_score(path, number, fields[5]) for number, fields in records])
    return columns


def _position(path: Path, number: int, text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InputError(
            f"{path}:{number} has {text!r} as its {name}, which is no whole number of 1 or more: correct the "
            "line"
        )
    if int(text) < 1:
        raise InputError(f"{path}:{number} has {name} 0, but GTF counts from 1: add 1 if the file is 0-based")
    return int(text)


def _score(path: Path, number: int, text: str) -> float:
    try:
        return float("nan") if text == "." else float(text)
    except ValueError:
        raise InputError(f"{path}:{number} has {text!r} as its score: write a number or '.'") from None


def _attributes(path: Path, records: list[_Record], wanted: Sequence[str] | None) -> dict[str, np.ndarray]:
    kept = None if wanted is None else {"gene_id", "transcript_id", *wanted}
    columns: dict[str, np.ndarray] = {
        name: _empty(records) for name in ("gene_id", "transcript_id", *(wanted or ()))
    }
    for row, (number, fields) in enumerate(records):
        found = _parse(path, number, fields[8])
        if not found.get("gene_id"):
            raise InputError(f"{path}:{number} has no gene_id among its attributes: {_no_gene_id(fields[8])}")
        for name, value in found.items():
            if kept is None or name in kept:
                columns.setdefault(name, _empty(records))[row] = value
    for name in wanted or ():
        if not columns[name].any():
            known = {name for number, fields in records for name in _parse(path, number, fields[8])}
            raise InputError(
                f"{path} has no attribute {name!r} in the records read: {nearest(name, sorted(known))}"
            )
    return columns


def _parse(path: Path, number: int, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _ATTRIBUTE.match(text, position)
        if match is None:
            if not text[position:].strip("; "):
                break
            raise InputError(
                f"{path}:{number} has attributes that can't be read from {text[position : position + 30]!r} "
                "on: "
                f"{_no_gene_id(text)}"
            )
        name, quoted, bare = match.groups()
        value = bare if quoted is None else quoted
        found[name] = f"{found[name]},{value}" if name in found else value
        position = match.end()
    return found


def _no_gene_id(text: str) -> str:
    if re.match(r"\s*\w+=", text):
        return "it looks like GFF 3, so convert it to GTF first, for example with gffread -T"
    return 'write them as gene_id "NAME"; transcript_id "NAME";'


def _empty(records: list[_Record]) -> np.ndarray:
    return np.full(len(records), "", dtype=object)

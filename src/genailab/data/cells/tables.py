"""Tables of counts in text: one line a cell, one column a gene, names in the first line and column."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from genailab.errors import InputError

__all__ = ["read_table", "table_lines", "wrong_length"]


def read_table(path: Path, *, separator: str) -> ad.AnnData:
    """Read cells (lines) x genes (columns), plain or gzip-compressed, UTF-8.

    The first line names the genes, with or without a name for the column of cells; the first field of each
    line names the cell. A table of genes x cells is read as it stands: transpose it first.

    Raises
    ------
    InputError
        If a value isn't a number or a line has the wrong number of fields, with its line and column.
    """
    width, genes = _header(path, separator)
    kinds: defaultdict[int, type] = defaultdict(lambda: np.float64, {0: str})
    try:
        frame = pd.read_csv(
            path,
            sep=separator,
            header=None,
            skiprows=1,
            index_col=0,
            dtype=kinds,
            low_memory=False,  # else wide tables are read in chunks that lose the names' own type
            na_filter=False,  # an empty field is an error to tell, not a number to make up
        )
    except ValueError as error:  # pandas' ParserError is one
        raise InputError(_first_fault(path, separator, width, genes) or f"{path}: {error}") from error
    cells = frame.index.astype(str).rename(None)  # else its name is a number, which h5ad has no place for
    var = pd.DataFrame(index=pd.Index(genes))
    return ad.AnnData(sp.csr_matrix(frame.to_numpy()), obs=pd.DataFrame(index=cells), var=var)


def _header(path: Path, separator: str) -> tuple[int, list[str]]:
    """Return the number of fields of a line of values and the names of the genes."""
    lines = table_lines(path, separator)
    _, header = next(lines, (0, []))
    number, first = next(lines, (0, []))
    if not first:
        raise InputError(f"{path} holds one line and so no cells: give a line of gene names, then one a cell")
    if len(first) < 2:
        raise InputError(
            f"line {number} of {path} has no {separator!r} in it: save the table as .csv with commas or as "
            ".tsv with tabs"
        )
    # R writes no name for the column of row names.
    named = header if len(header) == len(first) - 1 else header[1:]
    if len(named) != len(first) - 1:
        raise InputError(wrong_length(path, number, len(first), len(header)))
    return len(first), named


def _first_fault(path: Path, separator: str, width: int, genes: list[str]) -> str | None:
    lines = table_lines(path, separator)
    next(lines)
    for number, fields in lines:
        if len(fields) != width:
            return wrong_length(path, number, len(fields), width)
        for gene, value in zip(genes, fields[1:], strict=True):
            if not _is_number(value):
                return (
                    f"{value!r} at line {number} of {path}, column {gene!r} (cell {fields[0]!r}) is not a "
                    "number: give a table of raw counts and nothing else, cells in lines and genes in columns"
                )
    return None


def wrong_length(path: Path, number: int, found: int, expected: int) -> str:
    """Say that a line is too short or too long."""
    return (
        f"line {number} of {path} has {found} fields where {expected} were expected: the file may be "
        "truncated, so copy it again or complete the line"
    )


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return "_" not in value  # Python reads 1_000, tables don't


def table_lines(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line that isn't empty, plain or gzip-compressed, UTF-8."""
    with _open(path) as file:
        reader = csv.reader(file, delimiter=separator)
        for fields in reader:
            if fields:
                yield reader.line_num, fields


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")

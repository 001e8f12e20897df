"""Labels of cells from a table: what 10x files and tables of counts leave out."""

from __future__ import annotations

import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from genailab.data.cells.files import check_readable, check_text
from genailab.data.cells.tables import table_lines, wrong_length
from genailab.errors import InputError

__all__ = ["join_labels"]

_SEPARATORS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
_GAPS = ("", "NA", "NaN", "nan")  # how spreadsheets, R and pandas write a missing value


def join_labels(adata: ad.AnnData, path: str | Path) -> ad.AnnData:
    """Return the cells with the columns of a table beside those of ``adata.obs``.

    The table names the columns in its first line and the cells in its first column, in any order. Its values
    are taken as text. Rows of other cells are passed over, and a column that ``obs`` already has is replaced,
    both with a warning that counts or names them.

    Parameters
    ----------
    adata
        Annotated cells; left as they are.
    path
        A ``.csv`` or ``.tsv``, plain or gzip-compressed (``.gz``); ``~`` is the home folder.

    Raises
    ------
    InputError
        If the file is missing or no such table, names a cell twice, or lacks a cell of ``adata``.
    """
    path = Path(path).expanduser()
    table = _read(path)
    _check_cells(adata.obs_names, table.index, path)
    _warn_of_changes(adata.obs, table, path)
    joined = adata.copy()
    for name, values in table.loc[adata.obs_names].items():
        joined.obs[name] = pd.Categorical(values)
    return joined


def _read(path: Path) -> pd.DataFrame:
    """Read the values as text, gaps as missing."""
    separator = next((_SEPARATORS[end] for end in _SEPARATORS if path.name.lower().endswith(end)), None)
    if separator is None:
        raise InputError(f"{path} cannot be a table of labels: give a file in {', '.join(_SEPARATORS)}")
    check_readable(path)
    try:
        check_text(path)
        lines = list(table_lines(path, separator))
    except EOFError as error:
        raise InputError(f"{path} is truncated, it ends too early: copy or download it again") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    columns = _columns(lines, path, separator)
    for number, fields in lines[1:]:
        if len(fields) != 1 + len(columns):
            raise InputError(wrong_length(path, number, len(fields), 1 + len(columns)))
    _check_named_once(lines[1:], path)
    rows = np.array([fields for _, fields in lines[1:]], dtype=object)
    table = pd.DataFrame(rows[:, 1:], index=pd.Index(rows[:, 0]), columns=columns)
    return table.mask(table.isin(_GAPS))


def _columns(lines: list[tuple[int, list[str]]], path: Path, separator: str) -> list[str]:
    if len(lines) < 2:
        raise InputError(f"{path} names no cell: give a line of column names, then one line a cell")
    header, (number, first) = lines[0][1], lines[1]
    if len(first) < 2:
        raise InputError(
            f"line {number} of {path} has no {separator!r} in it: save the table as .csv with commas or as "
            ".tsv with tabs"
        )
    # R writes no name for the column of row names.
    columns = header if len(header) == len(first) - 1 else header[1:]
    again = next((name for position, name in enumerate(columns) if name in columns[:position]), None)
    if again is not None:
        raise InputError(f"column {again!r} occurs twice in {path}: give each column a name of its own")
    return columns


def _check_named_once(lines: list[tuple[int, list[str]]], path: Path) -> None:
    line_of: dict[str, int] = {}
    for number, (cell, *_) in lines:
        if cell in line_of:
            raise InputError(
                f"cell {cell!r} is named at line {line_of[cell]} and again at line {number} of {path}: keep "
                "one of the two"
            )
        line_of[cell] = number


def _check_cells(cells: pd.Index, named: pd.Index, path: Path) -> None:
    absent = cells[~cells.isin(named)]
    if len(absent) == len(cells):
        raise InputError(
            f"no cell is named in {path}: the data's first is {cells[0]!r}, the table's {named[0]!r}; write "
            "the names in the table's first column as the data have them"
        )
    if len(absent):
        raise InputError(
            f"{len(absent)} of {len(cells)} cells have no row in {path} (first: cell {absent[0]!r}): add "
            "them, for example with the label 'unknown', or remove those cells from the data"
        )


def _warn_of_changes(obs: pd.DataFrame, table: pd.DataFrame, path: Path) -> None:
    others = table.index[~table.index.isin(obs.index)]
    if len(others):
        warnings.warn(
            f"{len(others)} of {len(table)} rows of {path} name no cell of the data (first: {others[0]!r}): "
            "passed over",
            stacklevel=3,
        )
    replaced = [name for name in table.columns if name in obs.columns]
    if replaced:
        names = ", ".join(map(repr, replaced))
        warnings.warn(
            f"adata.obs already has {names}: replaced by the table's in {path}",
            stacklevel=3,
        )

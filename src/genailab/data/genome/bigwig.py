"""Signal along the genome from bigWig files, through pybigtools."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from genailab.data.cells.files import check_readable
from genailab.data.genome.contigs import contig_hint
from genailab.data.genome.window_places import is_minus, window_starts
from genailab.errors import InputError

__all__ = ["read_bigwig"]


def read_bigwig(
    path: str | Path, intervals: pd.DataFrame, length: int, *, missing: Literal["nan", "zero"] = "nan"
) -> np.ndarray:
    """Return the signal over windows centred on intervals, one value a base, float32 ``(rows, length)``.

    The windows are those of `Genome.windows`; those of the minus strand are read backwards, so that column
    ``i`` of both is the same base.

    Parameters
    ----------
    path
        The bigWig file.
    intervals
        Columns ``chrom``, ``start``, ``end`` (0-based half-open) and, where there is one, ``strand``.
    length
        Bases of a window.
    missing
        What stands where the file has no value, and beyond the ends of a contig: ``"nan"`` or ``"zero"``.
        Coverage tracks leave out what is 0; others leave out what couldn't be measured.

    Raises
    ------
    InputError
        If pybigtools isn't installed, the file isn't a bigWig, or a contig isn't in it.
    """
    if missing not in ("nan", "zero"):
        raise InputError(f"missing is {missing!r}: pass 'nan' or 'zero'")
    starts, minus = window_starts(intervals, length), is_minus(intervals)
    file = _open(Path(path))
    try:
        lengths = file.chroms()
        _check_contigs(Path(path), intervals, lengths)
        signal = np.full((len(intervals), length), np.nan, dtype=np.float32)
        for row, (chrom, start) in enumerate(zip(intervals["chrom"], starts.tolist(), strict=True)):
            first, last = max(0, start), min(lengths[chrom], start + length)
            if first < last:
                signal[row, first - start : last - start] = file.values(chrom, first, last, fillna=np.nan)
    finally:
        file.close()
    signal[minus] = signal[minus, ::-1]
    return np.nan_to_num(signal, nan=0.0) if missing == "zero" else signal


def _open(path: Path):  # type: ignore[no-untyped-def]  # pybigtools' reader has no public type
    try:
        import pybigtools
    except ImportError as error:
        raise InputError(
            f"{path} needs pybigtools to be read, which is not installed: pip install 'genailab[genomics]'"
        ) from error
    check_readable(path)
    try:
        file = pybigtools.open(str(path))
    except Exception as error:  # its own error types differ between versions
        raise InputError(
            f"{path} is not a bigWig file ({error}): give a .bw made by bedGraphToBigWig"
        ) from error
    if not file.is_bigwig:
        raise InputError(f"{path} is a bigBed, not a bigWig: convert it or give the signal's file")
    return file


def _check_contigs(path: Path, intervals: pd.DataFrame, lengths: dict[str, int]) -> None:
    for name in intervals["chrom"].unique():
        if name not in lengths:
            row = int(np.argmax(intervals["chrom"].to_numpy() == name))
            hint = contig_hint(str(name), lengths, aliases=False)
            raise InputError(f"contig {name!r} in row {row} of the intervals is not in {path}: {hint}")

"""Peaks as FASTA: sequences of one length whose names say where in the genome they lie.

``bedtools getfasta`` writes such files, with 0-based half-open names: ``chr1:100-200``, with ``-s``
``chr1:100-200(+)`` and with ``-name`` ``peak7::chr1:100-200``. ``samtools faidx`` counts from 1 and includes
the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genailab.data.genome.fasta import transcribe
from genailab.errors import InputError

__all__ = ["read_peaks_fasta"]

_NAME = re.compile(r"(?:.*::)?(?P<chrom>[^:].*):(?P<start>\d+)-(?P<end>\d+)(?:\((?P<strand>[-+.])\))?")


def read_peaks_fasta(path: str | Path, *, one_based: bool = False) -> tuple[Tensor, pd.DataFrame]:
    """Read peaks and their places, in the order of the file.

    Parameters
    ----------
    path
        FASTA, plain, gzip or bgzip; all sequences of one length, each named by its coordinates.
    one_based
        Whether names count from 1 with the end included, as ``samtools faidx`` writes them.

    Returns
    -------
    codes
        uint8 ``(peaks, length)``, as they stand in the file: where the strand is ``-``, on that strand.
    intervals
        DataFrame with ``chrom`` str, ``start`` and ``end`` int64 (0-based half-open) and ``strand`` str
        (``.`` where names have none): what `split_chromosomes` takes.

    Raises
    ------
    InputError
        If the file isn't DNA in FASTA, sequences differ in length, a name is twice there or holds no
        coordinates, or coordinates and length of a peak disagree.
    """
    path = Path(path).expanduser()
    pieces = bytearray()
    lengths = transcribe(path, pieces.extend)
    intervals = _intervals(path, lengths, one_based=one_based)
    length = next(iter(lengths.values()))
    codes = torch.from_numpy(np.frombuffer(pieces, np.uint8))
    return codes.reshape(-1, length), intervals  # (peaks, length)


def _intervals(path: Path, lengths: Mapping[str, int], *, one_based: bool) -> pd.DataFrame:
    first = next(iter(lengths.values()))
    rows = []
    for number, (name, length) in enumerate(lengths.items(), 1):
        where = f"{path}: record {number}, {name!r},"
        found = _NAME.fullmatch(name)
        if found is None:
            raise InputError(f"{where} has no coordinates for a name: write it like 'chr1:100-200'")
        start, end = int(found["start"]) - one_based, int(found["end"])
        _check_length(where, start, end, length, first)
        rows.append((found["chrom"], start, end, found["strand"] or "."))
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"])


def _check_length(where: str, start: int, end: int, length: int, first: int) -> None:
    if start < 0:
        raise InputError(f"{where} starts at 0, and positions from 1 do not: leave out one_based=True")
    if end - start == length - 1:
        raise InputError(
            f"{where} has {length} letters and spans {end - start}: its positions count from 1, "
            "so pass one_based=True"
        )
    if end - start != length:
        raise InputError(
            f"{where} has {length} letters and spans {end - start}: correct its name, or extract the "
            "sequence again"
        )
    if length != first:
        raise InputError(
            f"{where} has {length} letters and the first record {first}: extend all peaks from their middle "
            "to one length"
        )

"""A genome whose bases are read from memory-mapped codes, one window or a hundred thousand at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genailab.data.genome.contigs import contig_hint
from genailab.data.genome.genome_index import open_index
from genailab.data.genome.window_places import check_columns, interval_bounds, is_minus, window_starts
from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError

__all__ = ["Genome"]

_COMPLEMENTS = DNA.complement_table.tobytes()


class Genome:
    r"""DNA of a FASTA file as codes: any stretch at once, either strand, N beyond the ends.

    The first use writes an index, one byte a base (and one bit more with ``soft_mask``): beside the FASTA as
    ``x.fa.genailab``, or, where that folder can't be written, in ``$XDG_CACHE_HOME/genailab/genomes``
    (``~/.cache/genailab/genomes``); `index_path` says where. It is written whole or not at all, and again
    when the FASTA's size, time or ends change. Processes share its pages; forked and spawned workers open it
    anew.

    All coordinates are 0-based and half-open.

    Parameters
    ----------
    path
        FASTA of DNA: plain, gzip or bgzip; lines may be ragged, blank, or end in CR LF. Lower case is folded
        and IUPAC letters are kept.
    cache
        Folder for the index, instead of the places above.
    soft_mask
        Whether to keep which letters were in lower case, for `mask`.
    aliases
        Other names of contigs, ``{name in your intervals: name in the FASTA}``. None are guessed.

    Raises
    ------
    InputError
        If the file is no FASTA of DNA (with the line), an alias leads nowhere, or no index can be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "small.fa"
    >>> _ = path.write_text(">chr1\nACGTTN\n>chr2\nggg\n")
    >>> genome = Genome(path)
    >>> genome.chromosomes
    {'chr1': 6, 'chr2': 3}
    >>> genome.text("chr1", 1, 5), genome.text("chr1", 1, 5, "-"), genome.text("chr2", -2, 4)
    ('CGTT', 'AACG', 'NNGGGN')
    >>> peaks = pd.DataFrame({"chrom": ["chr2", "chr1"], "start": [0, 2], "end": 3, "strand": ["+", "-"]})
    >>> genome.windows(peaks, 3).tolist()
    [[2, 2, 2], [0, 1, 2]]
    """

    def __init__(
        self,
        path: str | Path,
        *,
        cache: str | Path | None = None,
        soft_mask: bool = False,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.path = Path(path).expanduser()
        self.aliases = dict(aliases or {})
        self._options = {"cache": cache, "soft_mask": soft_mask, "aliases": self.aliases}
        index = open_index(self.path, cache=None if cache is None else Path(cache), soft_mask=soft_mask)
        self.index_path = index.path
        self.chromosomes = index.lengths
        self._codes, self._mask = index.codes, index.mask
        self._names = list(index.lengths)
        self._lengths = np.array(list(index.lengths.values()), dtype=np.int64)
        self._offsets = np.concatenate([[0], np.cumsum(self._lengths)[:-1]])
        self._number_of = {name: number for number, name in enumerate(self._names)}
        for alias, name in self.aliases.items():
            self._add_alias(alias, name)

    def _add_alias(self, alias: str, name: str) -> None:
        if name not in self.chromosomes:
            raise InputError(
                f"alias {alias!r} leads to {name!r}, which is no contig of {self.path}: "
                f"{contig_hint(name, self.chromosomes)}"
            )
        if alias in self.chromosomes and alias != name:
            raise InputError(
                f"alias {alias!r} (for {name!r}) is itself a contig of {self.path}: remove it from the "
                "aliases"
            )
        self._number_of[alias] = self._number_of[name]

    def __reduce__(self) -> tuple[Callable[..., Genome], tuple[Path]]:
        # A worker gets the path, not the bases, and maps the same pages.
        return partial(Genome, **self._options), (self.path,)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"Genome({str(self.path)!r}): {len(self._names)} contigs, {self._lengths.sum():,} bases"

    def fetch(self, chrom: str, start: int, end: int, strand: str = "+") -> Tensor:
        """Return the codes of one stretch, uint8 ``(end - start,)``, a copy.

        Parameters
        ----------
        chrom
            Name of a contig, or an alias.
        start, end
            0-based half-open; before 0 and beyond the end of the contig stands N.
        strand
            ``"-"`` gives the reverse complement, ``"."`` is read as ``"+"``.

        Raises
        ------
        InputError
            If the contig is unknown (with the nearest names), start > end, or the strand is none of the
            three.
        """
        minus = _check_stretch(chrom, start, end, strand)
        codes = self._padded(self.contig_number(chrom), start, end)
        return torch.from_numpy(_reverse_complement(codes) if minus else codes)

    def text(self, chrom: str, start: int, end: int, strand: str = "+") -> str:
        """Return the letters of one stretch, in upper case; arguments as of `fetch`."""
        return DNA.decode_table[self.fetch(chrom, start, end, strand).numpy()].tobytes().decode()

    def mask(self, chrom: str, start: int, end: int, strand: str = "+") -> Tensor:
        """Return which letters were in lower case, bool ``(end - start,)``; arguments as of `fetch`."""
        if self._mask is None:
            raise InputError(
                f"the soft mask of {self.path} was not kept: open it with Genome(..., soft_mask=True)"
            )
        minus = _check_stretch(chrom, start, end, strand)
        number = self.contig_number(chrom)
        first, last = max(0, start), max(0, start, min(end, int(self._lengths[number])))
        offset = int(self._offsets[number]) + first
        bits = np.unpackbits(self._mask[offset // 8 : -(-(offset + last - first) // 8)])
        flags = np.zeros(end - start, dtype=bool)
        flags[first - start : last - start] = bits[offset % 8 : offset % 8 + last - first]
        return torch.from_numpy(flags[::-1].copy() if minus else flags)

    def windows(self, intervals: pd.DataFrame, length: int) -> Tensor:
        """Return windows of equal length centred on intervals, uint8 ``(rows, length)``.

        Parameters
        ----------
        intervals
            Columns ``chrom``, ``start``, ``end`` (0-based half-open) and, where there is one, ``strand``:
            ``-`` rows are reverse complemented, ``.`` is read as ``+``. `window_starts` says what is centred.
        length
            Bases of a window. What lies beyond the ends of a contig is N.

        Raises
        ------
        InputError
            If a contig is unknown, an interval is empty, or lies wholly outside its contig; with the row.
        """
        starts = window_starts(intervals, length)
        contigs = self.check_inside(intervals)
        return self.take(contigs, starts, length, minus=is_minus(intervals))

    def take(
        self, contigs: np.ndarray, starts: np.ndarray, length: int, *, minus: np.ndarray | None = None
    ) -> Tensor:
        """Return windows by contig number and start, uint8 ``(rows, length)``: what `windows` is made of.

        Parameters
        ----------
        contigs, starts
            ``(rows,)`` int64: numbers from `contig_numbers`, and 0-based starts, which may be negative.
        minus
            ``(rows,)`` bool: which to reverse complement.
        """
        first = self._offsets[contigs] + starts
        outside = np.flatnonzero((starts < 0) | (starts + length > self._lengths[contigs]))
        if len(outside) == len(starts):
            rows = np.empty((len(starts), length), dtype=np.uint8)
        else:
            first[outside] = 0
            # A view of every window there is; picking rows of it copies whole windows at memory speed.
            rows = np.lib.stride_tricks.sliding_window_view(self._codes, length)[first]
        for row in outside:
            rows[row] = self._padded(int(contigs[row]), int(starts[row]), int(starts[row]) + length)
        if minus is not None and minus.any():
            rows[minus] = _reverse_complement(rows[minus])
        return torch.from_numpy(rows)

    def contig_number(self, name: str) -> int:
        """Return the number of a contig, counted from 0 in the order of the FASTA."""
        number = self._number_of.get(str(name), -1)  # str, as in `contig_numbers`
        if number < 0:
            raise InputError(self._unknown(str(name)))
        return number

    def contig_numbers(self, intervals: pd.DataFrame) -> np.ndarray:
        """Return the number of each row's contig, int64 ``(rows,)``; InputError if one is unknown."""
        check_columns(intervals)
        rows, names = pd.factorize(intervals["chrom"])
        # str, because a table of Ensembl names may have been read as numbers.
        numbers = np.array([*(self._number_of.get(str(name), -1) for name in names), -1], dtype=np.int64)
        found = numbers[rows]  # a gap has row code -1, hence the -1 at the end
        if (found < 0).any():
            row = int(np.argmax(found < 0))
            raise InputError(
                f"row {row} of the intervals: {self._unknown(str(intervals['chrom'].iloc[row]))}"
            )
        return found

    def _unknown(self, name: str) -> str:
        return f"contig {name!r} is not in {self.path}: {contig_hint(name, self.chromosomes)}"

    def check_inside(self, intervals: pd.DataFrame) -> np.ndarray:
        """Return the contig numbers; InputError names the first interval that lies wholly off its contig."""
        contigs = self.contig_numbers(intervals)
        starts, ends = interval_bounds(intervals)
        wrong = np.flatnonzero((ends <= 0) | (starts >= self._lengths[contigs]))
        if len(wrong):
            row = int(wrong[0])
            name = self._names[contigs[row]]
            raise InputError(
                f"interval {name}:{starts[row]}-{ends[row]} in row {row} lies outside the contig, which has "
                f"{self.chromosomes[name]} bases in {self.path}: is it of another assembly? "
                "check_intervals(..., on_error='report') finds all such rows"
            )
        return contigs

    def _padded(self, number: int, start: int, end: int) -> np.ndarray:
        codes = np.full(end - start, DNA.size, dtype=np.uint8)
        first, last = max(0, start), min(end, int(self._lengths[number]))
        if first < last:
            offset = int(self._offsets[number])
            codes[first - start : last - start] = self._codes[offset + first : offset + last]
        return codes


def _reverse_complement(codes: np.ndarray) -> np.ndarray:
    # Three times as fast as indexing the table with an array, which numpy turns into 8-byte indices first.
    letters = codes[..., ::-1].tobytes().translate(_COMPLEMENTS)
    return np.frombuffer(bytearray(letters), dtype=np.uint8).reshape(codes.shape)


def _check_stretch(chrom: str, start: Any, end: Any, strand: str) -> bool:
    """Check the coordinates and tell whether the strand is minus."""
    for name, place in (("start", start), ("end", end)):
        if not isinstance(place, (int, np.integer)):
            raise InputError(f"{name} of {chrom}:{start}-{end} is {place!r}, no whole number: pass an int")
    if start > end:
        raise InputError(f"{chrom}:{start}-{end} starts after its end: swap them")
    if strand not in ("+", "-", "."):
        raise InputError(
            f"strand {strand!r} of {chrom}:{start}-{end} is none of '+', '-' and '.': pass one of them"
        )
    return strand == "-"

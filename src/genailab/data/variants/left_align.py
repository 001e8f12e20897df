"""One spelling for each change: parsimonious and as far left as it goes.

Tan, Abecasis & Kang 2015, "Unified representation of genetic variants", Bioinformatics 31:2202: what
``vt normalize`` and ``bcftools norm`` write. An indel in a repeat has as many spellings as the repeat has
places; after this they are one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genailab.data.sequences.alphabet import DNA
from genailab.data.variants.reference_genome import ReferenceGenome, codes_at, stretches
from genailab.errors import InputError

__all__ = ["Change", "left_align", "trim"]

_BLOCK = 64  # bases looked at before each indel at a time; few repeats are longer


class Change(NamedTuple):
    """The bases ``removed`` from the 0-based ``start`` on give way to those ``added``; either may be none."""

    start: int
    removed: str
    added: str


def trim(start: int, ref: str, alt: str) -> Change:
    """Take off the ends that two alleles share, the right one first.

    Examples
    --------
    >>> trim(10, "CAT", "CT")
    Change(start=11, removed='A', added='')
    """
    shared = _shared(ref[::-1], alt[::-1])
    ref, alt = ref[: len(ref) - shared], alt[: len(alt) - shared]
    shared = _shared(ref, alt)
    return Change(start + shared, ref[shared:], alt[shared:])


def _shared(one: str, other: str) -> int:
    """Count the letters at the start of both."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count


def left_align(variants: pd.DataFrame, genome: ReferenceGenome) -> pd.DataFrame:
    """Give each change its normal spelling, in three columns beside the one it was written in.

    Two rows are the same change of the same genome exactly where contig and the three columns agree.

    Parameters
    ----------
    variants
        A table with ``contig``, ``position`` (1-based), ``ref``, ``alt`` and ``status``, as
        `check_variants` returns it. Rows with another status than ``ok`` keep their spelling.
    genome
        What REF was read from.

    Returns
    -------
    DataFrame
        A copy with ``normal_position`` (1-based), ``normal_ref`` and ``normal_alt``: as in VCF, the base
        before an insertion or deletion stands in both alleles, or the one after it at a contig's start.

    Raises
    ------
    InputError
        If a column is missing.
    """
    missing = {"contig", "position", "ref", "alt", "status"} - set(variants)
    if missing:
        raise InputError(
            f"the variants have no column {min(missing)!r}: pass them through check_variants first"
        )
    position = variants["position"].to_numpy(np.int64, copy=True)
    ref, alt = (variants[name].to_numpy(dtype=object, copy=True) for name in ("ref", "alt"))
    single = np.fromiter((len(a) == 1 == len(b) for a, b in zip(ref, alt, strict=True)), bool, len(ref))
    rows = np.flatnonzero((variants["status"] == "ok").to_numpy() & ~single)
    contigs = variants["contig"].to_numpy(dtype=object)[rows]
    changes = [trim(int(position[row]) - 1, ref[row], alt[row]) for row in rows]
    for row, change in zip(rows, _spell(genome, contigs, _shift(genome, contigs, changes)), strict=True):
        position[row], ref[row], alt[row] = change.start + 1, change.removed, change.added
    return variants.assign(normal_position=position, normal_ref=ref, normal_alt=alt)


def _is_indel(change: Change) -> bool:
    return bool(change.removed) != bool(change.added)


def _shift(genome: ReferenceGenome, contigs: NDArray, changes: list[Change]) -> list[Change]:
    indels = np.flatnonzero([_is_indel(change) for change in changes])
    alleles = _alleles(genome, contigs[indels], [changes[row] for row in indels])
    lengths = np.fromiter(map(len, alleles), np.int64, len(alleles))
    shifted = list(changes)
    for length in np.unique(lengths):
        of_length = np.flatnonzero(lengths == length)
        together = np.stack([alleles[number] for number in of_length])  # (rows, length)
        rows = indels[of_length]
        starts = np.array([changes[row].start for row in rows], np.int64)
        steps = _steps_left(genome, contigs[rows], starts, together)
        for moved in np.flatnonzero(steps):
            shifted[rows[moved]] = _moved(changes[rows[moved]], together[moved], int(steps[moved]))
    return shifted


def _moved(indel: Change, allele: NDArray[np.uint8], steps: int) -> Change:
    text = DNA.decode_table[np.roll(allele, steps)].tobytes().decode()
    removed, added = ("", text) if indel.added else (text, "")
    return Change(indel.start - steps, removed, added)


def _alleles(genome: ReferenceGenome, contigs: NDArray, indels: list[Change]) -> list[NDArray[np.uint8]]:
    """Return the codes of what each indel inserts or deletes."""
    alleles = [DNA.encode_table[np.frombuffer(indel.added.encode(), np.uint8)] for indel in indels]
    deletions = np.flatnonzero([not indel.added for indel in indels])
    starts = np.array([indels[row].start for row in deletions], np.int64)
    lengths = np.array([len(indels[row].removed) for row in deletions], np.int64)
    # The genome's own letters, not REF's: REF may be written with letters that stand for several.
    for rows, codes in stretches(genome, contigs[deletions], starts, lengths):
        for row, allele in zip(rows, codes, strict=True):
            alleles[deletions[row]] = allele
    return alleles


def _steps_left(
    genome: ReferenceGenome, contigs: NDArray, starts: NDArray, alleles: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Count the places by which indels ``(rows, length)`` can move left and still be the same change.

    Each step takes the base before the indel to its front and drops the equal one at its end, so the bases
    before it are held against the allele read backwards, over and over.
    """
    steps = np.zeros(len(starts), np.int64)
    moving = np.arange(len(starts))
    crossed = 0
    while len(moving):
        before = codes_at(genome, contigs[moving], starts[moving] - crossed - _BLOCK, _BLOCK)[:, ::-1]
        backwards = -1 - (crossed + np.arange(_BLOCK)) % alleles.shape[1]
        differs = before != alleles[moving][:, backwards]  # (moving, block)
        matched = np.where(differs.any(axis=1), differs.argmax(axis=1), _BLOCK)
        # Beyond the contig's start there is nothing to move over, though an N there may match an N.
        steps[moving] = np.minimum(crossed + matched, starts[moving])
        crossed += _BLOCK
        moving = moving[(matched == _BLOCK) & (starts[moving] > crossed)]
    return steps


def _spell(genome: ReferenceGenome, contigs: NDArray, changes: list[Change]) -> list[Change]:
    """Write indels as VCF does, with the base before them, or after them at a contig's start."""
    indels = np.flatnonzero([_is_indel(change) for change in changes])
    places = np.array([_anchor(changes[row]) for row in indels], np.int64)
    bases = DNA.decode_table[codes_at(genome, contigs[indels], places, 1)[:, 0]].tobytes().decode()
    spelled = list(changes)
    for row, base in zip(indels, bases, strict=True):
        start, removed, added = changes[row]
        if start:
            spelled[row] = Change(start - 1, base + removed, base + added)
        else:
            spelled[row] = Change(0, removed + base, added + base)
    return spelled


def _anchor(indel: Change) -> int:
    return indel.start - 1 if indel.start else len(indel.removed)

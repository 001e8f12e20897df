"""What can be wrong with a variant, in the order in which it is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genailab.data.genome.contigs import contig_hint
from genailab.data.sequences.alphabet import DNA
from genailab.data.variants.allele_kinds import AlleleKind, alternative_kind, reference_kind
from genailab.data.variants.reference_genome import ReferenceGenome, stretches
from genailab.data.variants.variant_table import Finding, short, usable, writer

__all__ = ["FAULTS", "fits"]

_SHOWN = 20  # bases of the genome in a sentence


def _alleles(table: pd.DataFrame, genome: ReferenceGenome) -> Iterator[Finding]:
    for column, kind_of in (("ref", reference_kind), ("alt", alternative_kind)):
        # Few alleles are distinct, so each is judged once.
        codes, distinct = pd.factorize(table[column].to_numpy(dtype=object))
        kinds = [kind_of(text) for text in distinct]
        for kind in dict.fromkeys(kinds):
            if kind is not None:
                rows = np.array([other == kind for other in kinds], bool)[codes]
                yield Finding(rows, kind.status, kind.reason, _remedy(table, column, kind))


def _remedy(table: pd.DataFrame, column: str, kind: AlleleKind) -> Callable[[int], str]:
    texts = table[column].to_numpy(dtype=object)
    return lambda row: f"{column.upper()} is {short(texts[row])}: {kind.remedy}"


def _contigs(table: pd.DataFrame, genome: ReferenceGenome) -> Iterator[Finding]:
    names = table["contig"].to_numpy(dtype=object)
    hints = {
        name: contig_hint(name, genome.chromosomes)
        for name in pd.unique(names)
        if name not in genome.chromosomes
    }
    yield Finding(
        np.isin(names, list(hints)),
        "invalid",
        "chromosome is not in the genome",
        lambda row: f"chromosome {names[row]!r} is not in the genome: {hints[names[row]]}",
    )


def _positions(table: pd.DataFrame, genome: ReferenceGenome) -> Iterator[Finding]:
    position = table["position"].to_numpy(np.int64)
    lengths = table["contig"].map(dict(genome.chromosomes)).fillna(0).to_numpy(np.int64)
    contig = table["contig"].to_numpy(dtype=object)
    written = writer(table)

    def before(row: int) -> str:
        return f"{written(row)} stands before the first base: positions count from 1"

    def beyond(row: int) -> str:
        return (
            f"{written(row)} reaches beyond {contig[row]!r}, which has {lengths[row]} bases: was the file "
            "made with another assembly?"
        )

    last = position - 1 + table["ref"].str.len().to_numpy(np.int64)
    yield Finding(position == 0, "skipped", "POS is 0 (telomere)", before)
    yield Finding(position < 0, "invalid", "POS is negative", before)
    yield Finding(position > lengths, "invalid", "POS is past the chromosome's end", beyond)
    yield Finding(last > lengths, "invalid", "REF runs past the chromosome's end", beyond)


def _references(table: pd.DataFrame, genome: ReferenceGenome) -> Iterator[Finding]:
    wrong = usable(table) & ~fits(table, genome, "ref")
    if not wrong.any():
        return
    swapped = wrong.copy()
    swapped[wrong] = fits(table[wrong], genome, "alt", exactly=True)
    there = _there(table, genome, np.flatnonzero(wrong))
    written = writer(table)

    def exchanged(row: int) -> str:
        return (
            f"{written(row)}: the genome has {there[row]!r} there, as ALT says: if REF and ALT are swapped, "
            "exchange them"
        )

    def differs(row: int) -> str:
        return f"{written(row)}: the genome has {there[row]!r} there: was it called on another assembly?"

    yield Finding(swapped, "invalid", "REF and ALT may be swapped", exchanged)
    yield Finding(wrong, "invalid", "REF differs from the genome", differs)


def _there(table: pd.DataFrame, genome: ReferenceGenome, rows: NDArray) -> dict[int, str]:
    """Return what the genome has where REF stands, for the sentences."""
    some = table.iloc[rows]
    lengths = np.minimum(some["ref"].str.len().to_numpy(np.int64), _SHOWN)
    found = {}
    for chosen, codes in stretches(genome, *_places(some), lengths):
        for row, letters in zip(rows[chosen].tolist(), DNA.decode_table[codes], strict=True):
            found[row] = letters.tobytes().decode()
    return found


def _places(table: pd.DataFrame) -> tuple[NDArray, NDArray]:
    return table["contig"].to_numpy(dtype=object), table["position"].to_numpy(np.int64) - 1


def fits(
    table: pd.DataFrame, genome: ReferenceGenome, column: str, *, exactly: bool = False
) -> NDArray[np.bool_]:
    """Return which alleles of the usable rows say what the genome has.

    Letters that stand for several fit where they overlap, unless ``exactly``.
    """
    fit = np.zeros(len(table), bool)
    rows = np.flatnonzero(usable(table))
    texts = table[column].to_numpy(dtype=object)[rows]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    contigs, starts = _places(table.iloc[rows])
    meant = np.packbits(DNA.shares > 0, axis=1)[:, 0]  # one bit a base, (codes,)
    for chosen, there in stretches(genome, contigs, starts, lengths):
        joined = np.frombuffer("".join(texts[chosen]).encode(), np.uint8)
        written = DNA.encode_table[joined].reshape(there.shape)  # (rows, length)
        same = written == there if exactly else (meant[written] & meant[there]) > 0
        fit[rows[chosen]] = same.all(axis=1)
    return fit


def _unchanged(table: pd.DataFrame, genome: ReferenceGenome) -> Iterator[Finding]:
    written = writer(table)
    same = (table["ref"] == table["alt"]).to_numpy(dtype=bool)
    yield Finding(same, "skipped", "ALT is REF", lambda row: f"{written(row)} changes nothing")


FAULTS = (_alleles, _contigs, _positions, _references, _unchanged)

"""Codons to amino acids, by NCBI's genetic codes, and the reading frames that are open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import overload

import numpy as np
import torch
from torch import Tensor

from genailab.data.sequences.alphabet import DNA, PROTEIN, Alphabet
from genailab.data.sequences.encoding import decode, encode
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.sequences.texts import as_texts
from genailab.errors import InputError

__all__ = [
    "STANDARD",
    "VERTEBRATE_MITOCHONDRIAL",
    "CodonTable",
    "OpenReadingFrame",
    "open_reading_frames",
    "translate",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class CodonTable:
    """A genetic code.

    ``amino_acids`` lists the 64 codons' amino acids, ``*`` for a stop, with the bases in NCBI's order T, C,
    A, G and the third base changing fastest.
    """

    number: int
    name: str
    amino_acids: str

    @cached_property
    def by_codon(self) -> dict[str, str]:
        """Amino acid of each codon, ``{"TTT": "F", ...}``."""
        codons = ("".join(bases) for bases in product("TCAG", repeat=3))
        return dict(zip(codons, self.amino_acids, strict=True))

    @cached_property
    def codes(self) -> np.ndarray:
        """PROTEIN code of each codon of DNA codes, ``(15, 15, 15)`` uint8, ambiguous letters included."""
        meanings = [DNA.ambiguous.get(letter, DNA.letters) for letter in DNA.symbols]
        meanings[: DNA.size] = DNA.letters
        together = {frozenset(meant): letter for letter, meant in PROTEIN.ambiguous.items() if len(meant) > 1}
        codes = np.full((len(meanings),) * 3, PROTEIN.size, np.uint8)
        for place in np.ndindex(codes.shape):
            spelt = product(*(meanings[code] for code in place))
            found = frozenset(self.by_codon["".join(codon)] for codon in spelt)
            meant = next(iter(found)) if len(found) == 1 else together.get(found, PROTEIN.unknown)
            codes[place] = PROTEIN.codes_of[meant]
        return codes


STANDARD = CodonTable(
    number=1,
    name="standard",
    amino_acids="FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG",
)
VERTEBRATE_MITOCHONDRIAL = CodonTable(
    number=2,
    name="vertebrate mitochondrial",
    amino_acids="FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIMMTTTTNNKKSS**VVVVAAAADDEEGGGG",
)


@overload
def translate(
    sequences: str,
    *,
    frame: int = ...,
    to_stop: bool = ...,
    table: CodonTable = ...,
    alphabet: Alphabet = ...,
) -> str: ...
@overload
def translate(
    sequences: Tensor,
    *,
    frame: int = ...,
    to_stop: bool = ...,
    table: CodonTable = ...,
    alphabet: Alphabet = ...,
) -> Tensor: ...
def translate(
    sequences: str | Sequence[str] | Tensor,
    *,
    frame: int = 0,
    to_stop: bool = False,
    table: CodonTable = STANDARD,
    alphabet: Alphabet = DNA,
) -> str | list[str] | Tensor:
    """Translate codons into amino acids; letters after the last whole codon are left out.

    A codon with ambiguous letters is the amino acid that all its spellings share (GGN is glycine), B, Z or J
    where they are the two that those stand for, and X otherwise.

    Parameters
    ----------
    sequences
        Text, several texts, or DNA or RNA codes ``(..., length)``.
    frame
        Letters before the first codon: 0, 1 or 2.
    to_stop
        End before the first stop codon. Codes keep their shape: from the stop on they are unknown.
    table
        The genetic code.
    alphabet
        DNA, or RNA for text with U.

    Returns
    -------
    Text for text, with ``*`` for stops; PROTEIN codes ``(..., (length - frame) // 3)`` for codes.

    Raises
    ------
    InputError
        If the frame is not 0, 1 or 2, or the text is not of the alphabet.

    Examples
    --------
    >>> translate("ATGGGNTAAC"), translate("ATGGGNTAAC", to_stop=True)
    ('MG*', 'MG')
    """
    if frame not in (0, 1, 2):
        raise InputError(
            f"frame must be 0, 1 or 2 letters, got {frame}: reverse_complement gives the other strand's"
        )
    if isinstance(sequences, Tensor):
        return _translate_codes(sequences, frame, to_stop, table)
    texts = as_texts(sequences)
    proteins = [_translate_text(text, frame, to_stop, table, alphabet) for text in texts]
    return proteins[0] if isinstance(sequences, str) else proteins


@dataclass(frozen=True, kw_only=True)
class OpenReadingFrame:
    """From a start codon to the stop codon: ``start`` to ``end``, 0-based half-open on the forward strand."""

    start: int
    end: int
    strand: str
    protein: str  # without the stop


def open_reading_frames(
    sequence: str, *, shortest: int = 30, table: CodonTable = STANDARD
) -> list[OpenReadingFrame]:
    """Find the stretches from the first methionine to the stop in all six frames, in order of their start.

    Parameters
    ----------
    sequence
        DNA text.
    shortest
        Amino acids that a stretch must have, the methionine included.
    table
        The genetic code.

    Examples
    --------
    >>> open_reading_frames("CCATGGCATAAC", shortest=2)
    [OpenReadingFrame(start=2, end=11, strand='+', protein='MA')]
    """
    found = []
    for strand, text in (("+", sequence), ("-", reverse_complement(sequence))):
        for frame in range(min(3, max(1, len(text) - 2))):
            protein = translate(text, frame=frame, table=table)
            for match in re.finditer(r"(M[^*]*)\*", protein):
                start, end = (frame + 3 * place for place in match.span())
                if strand == "-":
                    start, end = len(text) - end, len(text) - start
                if len(match[1]) >= shortest:
                    found.append(OpenReadingFrame(start=start, end=end, strand=strand, protein=match[1]))
    return sorted(found, key=lambda one: (one.start, one.end, one.strand))


def _translate_text(text: str, frame: int, to_stop: bool, table: CodonTable, alphabet: Alphabet) -> str:
    protein = decode(_translate_codes(encode(text, alphabet=alphabet), frame, False, table), alphabet=PROTEIN)
    return str(protein).partition("*")[0] if to_stop else str(protein)


def _translate_codes(codes: Tensor, frame: int, to_stop: bool, table: CodonTable) -> Tensor:
    if codes.is_floating_point() or codes.dtype == torch.bool:
        raise InputError(f"translate takes integer codes, got {codes.dtype}: decode() reads a one-hot")
    n_codons = max(0, codes.shape[-1] - frame) // 3
    codons = codes[..., frame : frame + 3 * n_codons].unflatten(-1, (n_codons, 3)).long()  # (..., codons, 3)
    codons = codons.where(codons < len(DNA.symbols), DNA.size)
    amino_acids = torch.from_numpy(table.codes).to(codes.device)[tuple(codons.unbind(-1))]  # (..., codons)
    if not to_stop:
        return amino_acids
    stopped = (amino_acids == PROTEIN.codes_of["*"]).cumsum(-1) > 0
    return amino_acids.where(~stopped, PROTEIN.size)

"""Alphabets: which letters a sequence is written in, and the number that stands for each.

A code is one byte. Codes ``0 .. size - 1`` are the letters themselves, code ``size`` is the unknown letter
(N, or X in proteins), and the codes above it are the letters that stand for several (IUPAC 1970, 1984), so
that nothing is lost between a file and a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from genailab.errors import InputError

__all__ = ["ALPHABETS", "DNA", "PROTEIN", "RNA", "Alphabet"]

INVALID = 255  # the code of a byte that is no letter of the alphabet


@dataclass(frozen=True, kw_only=True, eq=False)
class Alphabet:
    """Letters in the order of the channels of a one-hot encoding.

    Labels written as letters are an alphabet too: ``Alphabet(name="SS3", letters="HEC", unknown="X")``.

    Parameters
    ----------
    name
        How errors call it.
    letters
        Capitals A to Z, in the order of the channels; code ``i`` is ``letters[i]``.
    unknown
        Stands for any letter.
    ambiguous
        Signs that stand for several letters (or for none), and those letters.
    complements
        Each sign's complement on the other strand; empty where there is no second strand.

    Raises
    ------
    InputError
        If a sign occurs twice, or a letter is no capital A to Z.

    Examples
    --------
    >>> DNA.size, DNA.letters, DNA.codes_of["N"], DNA.codes_of["R"]
    (4, 'ACGT', 4, 5)
    """

    name: str
    letters: str
    unknown: str
    ambiguous: Mapping[str, str] = field(default_factory=dict)
    complements: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # One-hot encoding folds case by clearing a bit, which is right for A to Z alone.
        if not (self.letters.isascii() and self.letters.isalpha() and self.letters.isupper()):
            raise InputError(f"the letters of {self.name} must be capitals A to Z, got {self.letters!r}")
        twice = [sign for sign in self.symbols if self.symbols.count(sign) > 1]
        if twice:
            raise InputError(
                f"{twice[0]!r} occurs twice in {self.name} ({self.symbols}): give each sign one code"
            )

    @property
    def size(self) -> int:
        """Number of letters, hence of channels."""
        return len(self.letters)

    @cached_property
    def symbols(self) -> str:
        """Every letter that may be written, in the order of the codes."""
        return self.letters + self.unknown + "".join(self.ambiguous)

    @cached_property
    def codes_of(self) -> dict[str, int]:
        """The code of each letter."""
        return {letter: code for code, letter in enumerate(self.symbols)}

    @cached_property
    def encode_table(self) -> np.ndarray:
        """Code of each byte, ``(256,)`` uint8; lower case is folded, 255 is no letter of this alphabet."""
        table = np.full(256, INVALID, np.uint8)
        for letter, code in self.codes_of.items():
            table[ord(letter)] = table[ord(letter.lower())] = code
        return table

    @cached_property
    def decode_table(self) -> np.ndarray:
        """Byte of each code, ``(256,)`` uint8; codes beyond the last are written as the unknown letter."""
        table = np.full(256, ord(self.unknown), np.uint8)
        table[: len(self.symbols)] = np.frombuffer(self.symbols.encode(), np.uint8)
        return table

    @cached_property
    def shares(self) -> np.ndarray:
        """What each code stands for: ``(codes, size)`` float32; a row sums to 1, or to 0 for a stop."""
        rows = np.zeros((len(self.symbols), self.size), np.float32)
        for letter, code in self.codes_of.items():
            meant = letter if code < self.size else self.ambiguous.get(letter, self.letters)
            for one in meant:
                rows[code, self.letters.index(one)] = 1 / len(meant)
        return rows

    @cached_property
    def complement_table(self) -> np.ndarray:
        """Code of the complement of each code, ``(256,)`` uint8."""
        table = np.arange(256, dtype=np.uint8)
        for letter, other in self.complements.items():
            table[self.codes_of[letter]] = self.codes_of[other]
        return table


_IUPAC = {
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG",
}  # fmt: skip
_COMPLEMENTS = dict(zip("ACGTNRYSWKMBDHV", "TGCANYRSWMKVHDB", strict=True))

DNA = Alphabet(name="DNA", letters="ACGT", unknown="N", ambiguous=_IUPAC, complements=_COMPLEMENTS)
RNA = Alphabet(
    name="RNA",
    letters="ACGU",
    unknown="N",
    ambiguous={letter: meant.replace("T", "U") for letter, meant in _IUPAC.items()},
    complements={a.replace("T", "U"): b.replace("T", "U") for a, b in _COMPLEMENTS.items()},
)
PROTEIN = Alphabet(
    name="PROTEIN",
    letters="ACDEFGHIKLMNPQRSTVWY",
    unknown="X",
    # Selenocysteine and pyrrolysine have no channel of their own: cysteine and lysine are their nearest kin.
    # The stop is no residue at all.
    ambiguous={"B": "DN", "Z": "EQ", "J": "IL", "U": "C", "O": "K", "*": ""},
)
ALPHABETS = {alphabet.name: alphabet for alphabet in (DNA, RNA, PROTEIN)}

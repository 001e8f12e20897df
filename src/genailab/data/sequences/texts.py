"""Sequences as text: what is none is refused, with the letter, its place and the likely reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genailab.data.sequences.alphabet import INVALID, PROTEIN, Alphabet
from genailab.errors import InputError

__all__ = ["as_texts", "look_up", "refuse_letter"]


def as_texts(sequences: str | Sequence[str]) -> list[str]:
    """Return the texts as a list; InputError where there is none, or one is empty or no text."""
    texts = [sequences] if isinstance(sequences, str) else list(sequences)
    if not texts:
        raise InputError("there are no sequences to encode: the list is empty")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"sequence {row} (from 0) is {text!r}, a {type(text).__name__}: give text")
        if not text:
            raise InputError(
                f"sequence {row} (from 0) is empty: remove it, or write N where nothing is known"
            )
    return texts


def refuse_letter(texts: Sequence[str], alphabet: Alphabet) -> None:
    """Raise the InputError for the first letter that is not of the alphabet, if there is one."""
    for row, text in enumerate(texts):
        wrong = np.flatnonzero(look_up([text], alphabet.encode_table) == INVALID)
        if len(wrong):
            position = int(wrong[0])
            raise InputError(
                f"{text[position]!r} at position {position} of sequence {row} (both from 0) is no letter of "
                f"{alphabet.name}: {_remedy(text, text[position], alphabet)}"
            )


def _remedy(text: str, letter: str, alphabet: Alphabet) -> str:
    bases = sum(map(text.upper().count, "ACGTUN"))
    if alphabet is not PROTEIN and set(text.upper()) <= set(PROTEIN.symbols) and bases < len(text) / 2:
        return f"{1 - bases / len(text):.0%} of the letters are amino acids, no bases; pass alphabet=PROTEIN"
    if (alphabet.name, letter.upper()) in (("DNA", "U"), ("RNA", "T")):
        other = "RNA" if alphabet.name == "DNA" else "DNA"
        return f"if the sequence is {other}, pass alphabet={other}"
    if letter.isspace():
        return "strip white space first"
    if letter in "-.":
        return f"remove gaps, or write {alphabet.unknown} for them"
    return f"expected one of {alphabet.symbols}, in either case"


def look_up(texts: Sequence[str], table: np.ndarray) -> np.ndarray:
    """Look up every letter of all texts, one after the other: uint8 ``(letters,)``."""
    # A letter that is not of Latin-1 becomes one "?", so that positions stay.
    written = bytearray("".join(texts), "latin-1", "replace")
    return np.frombuffer(written.translate(table.tobytes()), np.uint8)

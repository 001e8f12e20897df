"""What an allele of a VCF can be besides letters (VCF 4.3, sections 1.6.1 and 5)."""

from __future__ import annotations

from typing import NamedTuple

from genailab.data.sequences.alphabet import DNA

__all__ = ["AlleleKind", "alternative_kind", "reference_kind"]


class AlleleKind(NamedTuple):
    """Why an allele gives no sequence."""

    status: str
    reason: str
    remedy: str


_DASH = AlleleKind(
    "invalid",
    "allele is written '-'",
    "VCF has no '-' for nothing, so put the base before the change at the start of both REF and ALT",
)
_NO_ALLELE = AlleleKind("invalid", "allele is not letters of DNA", f"write it with {' '.join(DNA.symbols)}")
_MONOMORPHIC = AlleleKind("skipped", "ALT is '.' (monomorphic)", "the record has no alternative allele")
_STAR = AlleleKind("skipped", "ALT is '*'", "a deletion in another record spans this one, score that one")
_SYMBOLIC = AlleleKind("skipped", "ALT is symbolic", "the file doesn't give its sequence, so write it out")
_BREAKEND = AlleleKind("skipped", "ALT is a breakend", "one window can't show a join of two places")
_AMBIGUOUS = AlleleKind(
    "skipped", "ALT stands for several sequences", "write a row for each base that it stands for"
)


def reference_kind(text: str) -> AlleleKind | None:
    """Return why this REF is none, or None if it is letters of DNA, IUPAC's among them."""
    if "-" in text:
        return _DASH
    return None if text and set(text) <= set(DNA.symbols) else _NO_ALLELE


def alternative_kind(text: str) -> AlleleKind | None:
    """Return why this ALT, in upper case, gives no sequence, or None if it is letters A, C, G, T."""
    if text == ".":
        return _MONOMORPHIC
    if text == "*":
        return _STAR
    if text.startswith("<") and text.endswith(">"):
        return _SYMBOLIC
    # A single breakend is letters with a dot before or after them: its mate is not known.
    if "[" in text or "]" in text or (text.strip(".") and text.strip(".") != text):
        return _BREAKEND
    if "-" in text:
        return _DASH
    if not text or not set(text) <= set(DNA.symbols):
        return _NO_ALLELE
    return None if set(text) <= set(DNA.letters) else _AMBIGUOUS

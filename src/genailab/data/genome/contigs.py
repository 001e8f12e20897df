"""What to say of a contig that the genome does not have."""

from __future__ import annotations

from collections.abc import Collection

from genailab.errors import nearest

__all__ = ["contig_hint"]


def contig_hint(name: str, known: Collection[str], *, aliases: bool = True) -> str:
    """Say what contig may be meant, ready to end a sentence; UCSC and Ensembl spellings are recognised.

    Only said, never done: ``chr1`` of one assembly is not ``1`` of another. ``aliases`` says whether the
    caller can be given a table of them.

    Examples
    --------
    >>> contig_hint("1", ["chr1", "chr2"])
    "it is called 'chr1' there, so rename it or pass aliases={'1': 'chr1'}"
    >>> contig_hint("chr12", ["chr1", "chr2"])
    "did you mean 'chr2' or 'chr1'?"
    """
    other = _other_spelling(name)
    if other in known:
        remedy = f"rename it or pass aliases={{{name!r}: {other!r}}}" if aliases else "rename it"
        return f"it is called {other!r} there, so {remedy}"
    return nearest(name, known)


def _other_spelling(name: str) -> str:
    swapped = {"chrM": "MT", "MT": "chrM", "M": "chrM"}
    return swapped.get(name) or (name[3:] if name.startswith("chr") else f"chr{name}")

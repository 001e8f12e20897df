"""Binding motifs: how often each letter was seen at each position of a binding site.

Counts become probabilities with a pseudocount, and probabilities become log-odds against a background, the
weight matrix that a sequence is scored with (Stormo 2000, "DNA binding sites: representation and discovery").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError

__all__ = ["PSEUDOCOUNT", "Motif", "check_background"]

# In all, spread over the letters like the background: Nishida, Frith & Nakai 2009, "Pseudocounts for
# transcription factor binding sites", found 0.8 good for most matrices whatever their number of sites.
PSEUDOCOUNT = 0.8


@dataclass(frozen=True, kw_only=True, eq=False)
class Motif:
    """How often A, C, G and T were seen at each position of the sites that a factor binds.

    Parameters
    ----------
    name
        Of the factor, as JASPAR writes it: ``"CTCF"``, ``"SPI1"``, ``"MAX::MYC"``.
    counts
        ``(4, length)`` non-negative numbers, rows A, C, G, T; probabilities where counts aren't known.
    matrix_id
        Accession and version: ``"MA0139.2"``.
    species, family
        As JASPAR writes them; several are separated by ``"; "``.

    Raises
    ------
    InputError
        If the counts are not ``(4, length)``, or one is negative or not finite.

    Examples
    --------
    >>> gata = Motif(name="GATA", counts=[[0, 9, 0, 9], [0, 0, 0, 0], [9, 0, 0, 0], [0, 0, 9, 0]])
    >>> gata.consensus, gata.reverse_complement().consensus, gata.n_sites
    ('GATA', 'TATC', 9.0)
    """

    name: str
    counts: np.ndarray
    matrix_id: str = ""
    species: str = ""
    family: str = ""

    def __post_init__(self) -> None:
        counts = np.array(self.counts, dtype=np.float64)
        if counts.ndim != 2 or counts.shape[0] != DNA.size or counts.shape[1] == 0:
            raise InputError(
                f"motif {self.name!r} has counts of shape {counts.shape}: expected (4, length), "
                "rows A, C, G, T"
            )
        wrong = np.argwhere(~(np.isfinite(counts) & (counts >= 0)))
        if len(wrong):
            row, column = wrong[0]
            raise InputError(
                f"motif {self.name!r} counts {counts[row, column]} of {DNA.letters[row]} at position "
                f"{column} (from 0): counts are finite and not negative"
            )
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)

    def __len__(self) -> int:
        return self.counts.shape[1]

    @property
    def n_sites(self) -> float:
        """Number of sites that were counted, at the position that has the most."""
        return float(self.counts.sum(axis=0).max())

    @property
    def consensus(self) -> str:
        """The commonest letter at each position; the first of A, C, G, T where several are."""
        return "".join(DNA.letters[row] for row in self.counts.argmax(axis=0))

    def probabilities(
        self, *, pseudocount: float = PSEUDOCOUNT, background: ArrayLike | None = None
    ) -> np.ndarray:
        """Return ``(4, length)`` ``(counts + pseudocount * background) / (sites + pseudocount)``."""
        shares = check_background(background)
        total = self.counts.sum(axis=0) + pseudocount
        if pseudocount < 0 or not total.all():
            raise InputError(
                f"motif {self.name!r} has no probabilities with a pseudocount of {pseudocount}: "
                "give a positive one, since a position may have no counts"
            )
        return (self.counts + pseudocount * shares[:, None]) / total

    def log_odds(
        self, *, background: ArrayLike | None = None, pseudocount: float = PSEUDOCOUNT
    ) -> np.ndarray:
        """Return ``(4, length)`` ``log2(probabilities / background)`` in bits; -inf where it can't be."""
        probabilities = self.probabilities(pseudocount=pseudocount, background=background)
        with np.errstate(divide="ignore"):
            return np.log2(probabilities / check_background(background)[:, None])

    def information(self, *, pseudocount: float = PSEUDOCOUNT) -> np.ndarray:
        """Return ``(length,)`` bits a position: 2 where one letter is certain, 0 where all are alike."""
        probabilities = self.probabilities(pseudocount=pseudocount)
        logs = np.log2(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
        return 2 + (probabilities * logs).sum(axis=0)

    def trimmed(self, *, min_bits: float = 0.25) -> Motif:
        """Return the motif without the columns at either end that have less than ``min_bits``.

        A filter's ends are mostly flat, and flat columns match flat columns (see `match_motifs`).

        Raises
        ------
        InputError
            If no column has as much.
        """
        kept = np.flatnonzero(self.information() >= min_bits)
        if len(kept) == 0:
            raise InputError(
                f"motif {self.name!r} has no column with {min_bits} bits (most: "
                f"{self.information().max():.2f}): it says next to nothing; lower min_bits or leave it out"
            )
        return replace(self, counts=self.counts[:, kept[0] : kept[-1] + 1])

    def reverse_complement(self) -> Motif:
        """Return the motif as it reads on the other strand."""
        return replace(self, counts=self.counts[::-1, ::-1])


def check_background(background: ArrayLike | Sequence[float] | None) -> np.ndarray:
    """Return the shares of A, C, G and T, ``(4,)`` float64; a quarter each where none are given."""
    if background is None:
        return np.full(DNA.size, 1 / DNA.size)
    shares = np.asarray(background, dtype=np.float64)
    if shares.shape != (DNA.size,) or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise InputError(
            f"background {shares.tolist()} is not four positive shares of A, C, G and T that sum to 1: "
            "count the letters of your sequences, or leave it out for a quarter each"
        )
    return shares

"""Binding sites: made from a motif, placed without overlap, written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor

from genailab.data.motifs.motif import Motif
from genailab.data.sequences.alphabet import DNA, Alphabet
from genailab.errors import InputError

__all__ = [
    "SITE_COLUMNS",
    "SimulatedSequences",
    "SiteWriter",
    "consensus_motif",
    "sample_sites",
    "site_energy",
    "spread_starts",
]

SITE_COLUMNS = ("sequence", "motif", "start", "end", "strand")


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedSequences:
    """Sequences and all that is known of them.

    Parameters
    ----------
    codes
        ``(n, length)`` uint8.
    rows
        One row a sequence, in order: labels, activities and what they follow from.
    sites
        One row a planted site: ``sequence`` (row of ``codes``), ``motif``, ``start``, ``end`` (0-based,
        half-open, on the forward strand), ``strand``. A background can hold further copies by chance.
    """

    codes: Tensor
    rows: pd.DataFrame
    sites: pd.DataFrame


def consensus_motif(
    name: str, consensus: str, *, purity: float = 0.9, n_sites: int = 1_000_000, alphabet: Alphabet = DNA
) -> Motif:
    """Make a motif from a consensus: its letters share ``purity`` at each position, all letters the rest.

    Counted in so many sites that pseudocounts change nothing: at a purity of 1, sampled sites are the
    consensus.

    Examples
    --------
    >>> consensus_motif("AP-1", "TGASTCA", purity=1.0).probabilities()[:, 3].round(3).tolist()
    [0.0, 0.5, 0.5, 0.0]
    """
    if not 0 < purity <= 1:
        raise InputError(f"purity of motif {name!r} is {purity}: give a share above 0, up to 1")
    unknown = sorted(set(consensus.upper()) - set(alphabet.symbols))
    if unknown or not consensus:
        raise InputError(
            f"the consensus of motif {name!r} is {consensus!r}: write it in the letters {alphabet.symbols}"
        )
    meant = alphabet.shares[alphabet.encode_table[np.frombuffer(consensus.encode(), np.uint8)]]  # (width, 4)
    shares = purity * meant.astype(np.float64) + (1 - purity) / alphabet.size
    return Motif(name=name, counts=(n_sites * shares.T).round(9))


def sample_sites(motif: Motif, n: int, *, generator: np.random.Generator) -> np.ndarray:
    """Draw ``(n, width)`` uint8 codes from the motif's probabilities, positions independent."""
    limits = np.cumsum(motif.probabilities(), axis=0)[:-1]  # (3, width)
    return (generator.random((n, 1, len(motif))) >= limits).sum(axis=1).astype(np.uint8)


def site_energy(codes: np.ndarray, motif: Motif) -> np.ndarray:
    """Binding energy above the consensus, ``(..., width) -> (...)``: ``sum_i ln(max p_i / p_i(letter))`` kT.

    Berg & von Hippel 1987: a letter's frequency in sites falls as the exponential of its energy.
    """
    logs = np.log(motif.probabilities())
    energies = logs.max(axis=0) - logs  # (4, width)
    return energies[codes, np.arange(len(motif))].sum(axis=-1)


def spread_starts(
    widths: Sequence[int], region: tuple[int, int], *, generator: np.random.Generator
) -> np.ndarray:
    """Place blocks of these widths in this order inside ``region``, all placements without overlap alike.

    Raises
    ------
    InputError
        If they do not fit.
    """
    low, high = region
    slack = high - low - sum(widths)
    if slack < 0:
        raise InputError(
            f"sites of {sum(widths)} letters in all do not fit into {low}-{high}: widen the "
            "region or plant fewer"
        )
    # The letters left of each block, as many as any below it: a choice with repetition.
    left = np.sort(generator.choice(slack + len(widths), len(widths), replace=False)) - np.arange(len(widths))
    return low + left + np.cumsum([0, *widths[:-1]])[: len(widths)]


class SiteWriter:
    """Write sites into codes ``(n, length)`` in place, and keep the table of what was written."""

    def __init__(self, codes: np.ndarray) -> None:
        self.codes = codes
        self._rows: list[tuple[int, str, int, int, str]] = []

    def write(self, sequence: int, motif: str, start: int, word: np.ndarray, *, strand: str = "+") -> None:
        """Put ``word`` at ``start``, as its reverse complement where the strand is -."""
        end = start + len(word)
        placed = word if strand == "+" else DNA.complement_table[word[::-1]]
        self.codes[sequence, start:end] = placed
        self._rows.append((sequence, motif, start, end, strand))

    def table(self) -> pd.DataFrame:
        """One row a site, sorted by sequence and start."""
        sites = pd.DataFrame(self._rows, columns=list(SITE_COLUMNS))
        sites = sites.astype({"sequence": np.int64, "start": np.int64, "end": np.int64})
        return sites.sort_values(["sequence", "start"], ignore_index=True)

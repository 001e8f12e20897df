"""What a variant is held against: stretches of a genome, many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from genailab.data.sequences.alphabet import DNA

__all__ = ["ReferenceGenome", "codes_at", "stretches"]


class ReferenceGenome(Protocol):
    """What the variants ask of a genome; `genailab.data.genome.genome.Genome` has it."""

    @property
    def chromosomes(self) -> Mapping[str, int]:
        """Length in bases of each contig, by its name."""

    @property
    def aliases(self) -> Mapping[str, str]:
        """Other names of contigs that the user has said are the same."""

    def windows(self, intervals: pd.DataFrame, length: int, /) -> Tensor:
        """Return codes ``(rows, length)`` uint8, centred on the intervals, N beyond the ends."""


def codes_at(genome: ReferenceGenome, contigs: NDArray, starts: NDArray, length: int) -> NDArray[np.uint8]:
    """Return the ``length`` bases from each 0-based start on, ``(rows, length)``; N beyond the ends."""
    ends = starts + length
    # A genome refuses intervals that lie wholly outside: of another assembly, as a rule, but not here.
    sizes = np.array([genome.chromosomes[name] for name in contigs], np.int64)
    inside = (ends > 0) & (starts < sizes) & (length > 0)
    # Intervals as long as the window: whatever "centred" rounds to, the window is the interval.
    intervals = pd.DataFrame({"chrom": contigs, "start": starts, "end": ends})
    if inside.all() and len(inside):
        return genome.windows(intervals, length).numpy()
    codes = np.full((len(starts), length), DNA.size, np.uint8)
    if inside.any():
        codes[inside] = genome.windows(intervals[inside], length).numpy()
    return codes


def stretches(
    genome: ReferenceGenome, contigs: NDArray, starts: NDArray, lengths: NDArray
) -> Iterator[tuple[NDArray, NDArray[np.uint8]]]:
    """Yield, for each distinct length, the rows that have it and their bases ``(rows, length)``."""
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        yield rows, codes_at(genome, contigs[rows], starts[rows], int(length))

"""Which intervals share a base with which others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genailab.data.genome.window_places import interval_bounds

__all__ = ["OverlapIndex"]


class OverlapIndex:
    """Regions, merged and sorted by contig, that can be asked many times.

    Examples
    --------
    >>> regions = pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [5, 20], "end": [10, 30]})
    >>> index = OverlapIndex(regions)
    >>> index.hits("chr1", np.array([0, 9, 10]), np.array([5, 11, 20])).tolist()
    [False, True, False]
    """

    def __init__(self, regions: pd.DataFrame) -> None:
        starts, ends = interval_bounds(regions)
        self._merged: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for chrom, rows in regions.groupby("chrom", sort=False).indices.items():
            self._merged[str(chrom)] = _merge(starts[rows], ends[rows])

    def hits(self, chrom: str, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Return which intervals of one contig share a base with a region, bool ``(rows,)``; half-open."""
        if chrom not in self._merged:
            return np.zeros(len(starts), dtype=bool)
        first, last = self._merged[chrom]
        # Merged regions are apart: only the last one that starts before an interval's end can reach into it.
        before = np.searchsorted(first, ends, side="left") - 1
        return (before >= 0) & (last[before] > starts)


def _merge(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(starts, kind="stable")
    starts, reached = starts[order], np.maximum.accumulate(ends[order])
    begins = np.concatenate([[True], starts[1:] > reached[:-1]])
    return starts[begins], reached[np.concatenate([begins[1:], [True]])]

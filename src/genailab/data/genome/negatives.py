"""Negatives with the GC content of the positives, so that a model can't tell them apart by that alone."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from genailab.data.genome.genome import Genome
from genailab.data.genome.overlaps import OverlapIndex
from genailab.data.genome.window_places import interval_bounds
from genailab.errors import InputError

__all__ = ["gc_content", "gc_matched_negatives"]

_BASES_AT_ONCE = 1 << 24
_DRAWS_A_ROUND = 8


def gc_content(genome: Genome, intervals: pd.DataFrame) -> pd.DataFrame:
    """Return GC content and the share of unknown bases of each interval.

    Returns
    -------
    DataFrame
        ``gc``, the share of G and C among the bases that are A, C, G or T (NaN where there is none), and
        ``unknown``, the share of the other letters and of what lies beyond the contig; float64.
    """
    contigs = genome.contig_numbers(intervals)
    starts, ends = interval_bounds(intervals)
    gc, unknown = _composition(genome, contigs, starts, ends - starts)
    return pd.DataFrame({"gc": gc, "unknown": unknown}, index=intervals.index)


def gc_matched_negatives(
    genome: Genome,
    intervals: pd.DataFrame,
    *,
    generator: np.random.Generator,
    n_per_positive: int = 1,
    exclude: pd.DataFrame | None = None,
    tolerance: float = 0.02,
    max_unknown: float = 0.0,
    max_draws: int = 2000,
) -> pd.DataFrame:
    """Draw, for each interval, windows of its width and GC content that overlap none of the intervals.

    They are drawn evenly from the interval's own chromosome, so that a split by chromosome keeps each
    beside its positive. Two negatives may overlap each other, but no window is given twice.

    Parameters
    ----------
    genome, intervals
        The positives: columns ``chrom``, ``start``, ``end``, 0-based half-open.
    generator
        Source of the draws: the same state gives the same windows.
    n_per_positive
        Negatives for each interval.
    exclude
        More regions not to be overlapped, such as all peaks of the assay or a blacklist.
    tolerance
        The most by which the GC content of a negative may differ from its positive's.
    max_unknown
        The largest share of letters other than A, C, G, T in a negative.
    max_draws
        Windows looked at before one is given up.

    Returns
    -------
    DataFrame
        ``n_per_positive`` rows an interval, in their order: ``chrom``, ``start``, ``end``, ``strand``
        (the positive's, or ``.``), ``positive`` (the interval's position in the table), ``gc``,
        ``positive_gc``, ``status`` (``"ok"`` or ``"unmatched"``) and ``reason``. Unmatched rows stay, with
        start and end -1, and a warning counts them: go on with ``table[table["status"] == "ok"]``.

    Raises
    ------
    InputError
        If a contig is unknown, an interval is empty, or a setting is out of range.
    """
    _check_settings(n_per_positive, tolerance, max_unknown, max_draws)
    positives = intervals.reset_index(drop=True)
    contigs = genome.contig_numbers(positives)
    avoided = [positives] if exclude is None else [positives, exclude]
    search = _Search(genome, [_places(genome, table) for table in avoided], tolerance, max_unknown)
    wanted = np.repeat(np.arange(len(positives)), n_per_positive)
    starts, ends = interval_bounds(positives)
    gc = gc_content(genome, positives)["gc"].to_numpy()
    found, found_gc = search.run(contigs[wanted], (ends - starts)[wanted], gc[wanted], max_draws, generator)
    return _table(positives, wanted, found, found_gc, gc, f"± {tolerance:g} in {max_draws} draws")


class _Search:
    """Draws windows for all that are still wanted, a few each, until every one is found or given up."""

    def __init__(
        self, genome: Genome, avoided: list[pd.DataFrame], tolerance: float, max_unknown: float
    ) -> None:
        self.genome, self.tolerance, self.max_unknown = genome, tolerance, max_unknown
        self.avoided = OverlapIndex(pd.concat(avoided, ignore_index=True))
        self.lengths = np.array(list(genome.chromosomes.values()), dtype=np.int64)
        self.names = list(genome.chromosomes)
        self.taken: set[tuple[int, int, int]] = set()

    def run(
        self,
        contigs: np.ndarray,
        widths: np.ndarray,
        gc: np.ndarray,
        draws: int,
        generator: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the starts, -1 where none was found, and their GC content."""
        starts, found_gc = np.full(len(widths), -1, dtype=np.int64), np.full(len(widths), np.nan)
        room = self.lengths[contigs] - widths
        left = np.flatnonzero((room >= 0) & ~np.isnan(gc))
        for done in range(0, draws, _DRAWS_A_ROUND):
            rows = np.repeat(left, min(_DRAWS_A_ROUND, draws - done))
            candidates = generator.integers(0, room[rows] + 1)
            content = self._fitting(contigs[rows], candidates, widths[rows], gc[rows])
            for place in np.flatnonzero(~np.isnan(content)):
                row = rows[place]
                key = (int(contigs[row]), int(candidates[place]), int(widths[row]))
                if starts[row] < 0 and key not in self.taken:
                    self.taken.add(key)
                    starts[row], found_gc[row] = candidates[place], content[place]
            left = left[starts[left] < 0]
            if not len(left):
                break
        return starts, found_gc

    def _fitting(
        self, contigs: np.ndarray, starts: np.ndarray, widths: np.ndarray, gc: np.ndarray
    ) -> np.ndarray:
        """Return the GC content of the candidates that will do, NaN of the others."""
        free = np.zeros(len(starts), dtype=bool)
        for number in np.unique(contigs):
            rows = np.flatnonzero(contigs == number)
            free[rows] = ~self.avoided.hits(self.names[number], starts[rows], (starts + widths)[rows])
        content = np.full(len(starts), np.nan)
        content[free], unknown = _composition(self.genome, contigs[free], starts[free], widths[free])
        content[free] = np.where(unknown <= self.max_unknown, content[free], np.nan)
        return np.where(np.abs(content - gc) <= self.tolerance, content, np.nan)


def _composition(
    genome: Genome, contigs: np.ndarray, starts: np.ndarray, widths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return GC content and share of unknown letters of windows of any width, a block at a time."""
    gc, unknown = np.full(len(starts), np.nan), np.ones(len(starts))
    for width in np.unique(widths):
        rows = np.flatnonzero(widths == width)
        for some in np.array_split(rows, -(-len(rows) * int(width) // _BASES_AT_ONCE)):
            codes = genome.take(contigs[some], starts[some], int(width)).numpy()
            known = (codes < 4).sum(axis=1)
            # C and G are codes 1 and 2: the bases for which code - 1, in unsigned bytes, is below 2.
            n_gc = (codes - np.uint8(1) < 2).sum(axis=1)
            gc[some] = np.divide(n_gc, known, out=np.full(len(some), np.nan), where=known > 0)
            unknown[some] = 1 - known / width
    return gc, unknown


def _places(genome: Genome, table: pd.DataFrame) -> pd.DataFrame:
    """Return the intervals under the genome's own names of the contigs, without aliases."""
    names = np.array(list(genome.chromosomes), dtype=object)
    starts, ends = interval_bounds(table)
    return pd.DataFrame({"chrom": names[genome.contig_numbers(table)], "start": starts, "end": ends})


def _table(
    positives: pd.DataFrame,
    wanted: np.ndarray,
    starts: np.ndarray,
    found_gc: np.ndarray,
    gc: np.ndarray,
    limit: str,
) -> pd.DataFrame:
    matched = starts >= 0
    widths = (positives["end"] - positives["start"]).to_numpy()[wanted]
    chroms = positives["chrom"].to_numpy(dtype=object)[wanted]
    strands = (
        positives["strand"].to_numpy(dtype=object) if "strand" in positives else np.full(len(positives), ".")
    )
    reasons = np.full(len(wanted), "", dtype=object)
    for row in np.flatnonzero(~matched):
        reasons[row] = (
            f"no free window of {widths[row]} bases on {chroms[row]} with GC {gc[wanted[row]]:.3f} {limit}"
        )
    if not matched.all():
        warnings.warn(
            f"{(~matched).sum()} of {len(wanted)} negatives could not be matched (first: "
            f"{reasons[~matched][0]}): "
            "raise tolerance, max_unknown or max_draws, or go on without them (status 'unmatched')",
            stacklevel=3,
        )
    table = {
        "chrom": chroms,
        "start": starts,
        "end": np.where(matched, starts + widths, -1),
        "strand": strands[wanted],
        "positive": wanted,
        "gc": found_gc,
        "positive_gc": gc[wanted],
        "status": np.where(matched, "ok", "unmatched"),
        "reason": reasons,
    }
    return pd.DataFrame(table)


def _check_settings(n_per_positive: int, tolerance: float, max_unknown: float, max_draws: int) -> None:
    for name, value, low, high in (
        ("n_per_positive", n_per_positive, 1, np.inf),
        ("tolerance", tolerance, 0, 1),
        ("max_unknown", max_unknown, 0, 1),
        ("max_draws", max_draws, 1, np.inf),
    ):
        if not low <= value <= high:
            limits = f"between {low} and {high}" if high < np.inf else f"{low} or more"
            raise InputError(f"{name} is {value}, which is out of range: pass a value {limits}")

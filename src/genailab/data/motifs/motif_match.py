"""Which known motif does a matrix look like: the method of TomTom.

Gupta et al. 2007, "Quantifying similarity between motifs". The columns of two matrices are compared by their
Euclidean distance at every offset and on both strands. What counts is not the distance itself but how often
so good a sum arises when the query's columns meet columns drawn at random from all targets.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genailab.data.motifs.motif import Motif
from genailab.errors import InputError

__all__ = ["match_motifs"]

N_BINS = 100  # levels of the similarity of two columns, as in the paper
FEW_COLUMNS = 200  # targets' columns, below which the null distribution is a rough one


def match_motifs(query: Motif, targets: Sequence[Motif]) -> pd.DataFrame:
    """Compare a motif with others, best match first.

    The alignment is the one with the highest sum over all offsets and both strands; the p-value is that of so
    high a best sum with a random target, and the e-value is the p-value times the number of targets, to be
    compared with 0.05 however many were searched.

    TomTom takes columns for independent, but flat columns come in rows: a query that says next to nothing
    matches long matrices with flat stretches, such as CTCF's of 33 columns, at e-values of 1e-10. Give
    ``query.trimmed()``, and trust a match only if shuffles of the query's own columns don't reach it.

    Parameters
    ----------
    query
        For instance what a filter of a network learned.
    targets
        For instance ``read_jaspar(tax_group="vertebrates")``. Their columns are the null distribution: give
        many, and the same ones when p-values are compared.

    Returns
    -------
    One row a target: ``motif``, ``matrix_id``, ``family``, ``p_value``, ``e_value``, ``offset`` (where the
    target's first column lies on the query; negative before it), ``overlap`` (columns) and ``strand``
    (``"-"`` where the target's reverse complement was laid on the query).

    Warns
    -----
    UserWarning
        If the targets have so few columns that the p-values are rough.
    """
    if not targets:
        raise InputError("no motifs to compare with: give targets, for instance read_jaspar()")
    both = [*targets, *(target.reverse_complement() for target in targets)]
    columns = np.concatenate([target.probabilities() for target in both], axis=1)
    if columns.shape[1] < FEW_COLUMNS:
        warnings.warn(
            f"{len(targets)} targets with {columns.shape[1] // 2} columns are a rough null distribution: "
            "p-values depend on which targets are given; compare with a whole collection",
            stacklevel=2,
        )
    levels = _similarity_levels(query.probabilities(), columns)
    widths = np.array([len(target) for target in both])
    best = _best_alignments(levels, widths)
    return _table(targets, best, len(targets))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Alignments:
    score: np.ndarray
    p_value: np.ndarray
    offset: np.ndarray
    overlap: np.ndarray


def _similarity_levels(query: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Similarity of each pair of columns as whole numbers ``(query length, columns)``, median 0 a row."""
    distance = np.sqrt(((query[:, :, None] - columns[:, None, :]) ** 2).sum(axis=0))
    # The complete score: a query column beyond the target counts as the median, hence as 0 here.
    above = np.median(distance, axis=1, keepdims=True) - distance
    step = (above.max() - above.min()) / N_BINS or 1.0
    return np.rint(above / step).astype(np.int64)


def _best_alignments(levels: np.ndarray, widths: np.ndarray) -> _Alignments:
    tails = _Tails(levels)
    ends = widths.cumsum()
    parts = {name: np.zeros(len(widths), np.int64) for name in ("score", "offset", "overlap")}
    p_value = np.ones(len(widths))
    for width in np.unique(widths):
        which = np.flatnonzero(widths == width)
        spans = _spans(len(levels), width)
        scores = np.stack([_sums(levels, ends[which] - width, *span) for span in spans])  # (offsets, targets)
        best = scores.argmax(axis=0)
        top = scores.max(axis=0)
        p_value[which] = tails.of_best(top, spans)
        parts["score"][which] = top
        parts["offset"][which] = best + 1 - width
        parts["overlap"][which] = np.array([last - first for first, last, _ in spans])[best]
    return _Alignments(p_value=p_value, **parts)


def _spans(length: int, width: int) -> list[tuple[int, int, int]]:
    """Query columns ``first .. last`` that a target lies on, and its offset, for every offset."""
    return [(max(0, at), min(length, at + width), at) for at in range(1 - width, length)]


def _sums(levels: np.ndarray, starts: np.ndarray, first: int, last: int, offset: int) -> np.ndarray:
    rows = np.arange(first, last)
    return levels[rows, starts[:, None] + rows - offset].sum(axis=1)


class _Tails:
    """Probability of a sum of levels over query columns ``first .. last``, or of a larger one."""

    def __init__(self, levels: np.ndarray) -> None:
        self.low = int(levels.min())
        high = int(levels.max()) - self.low
        self.shares = [np.bincount(row - self.low, minlength=high + 1) / len(row) for row in levels]
        self.mass: dict[tuple[int, int], np.ndarray] = {}

    def of_best(self, score: np.ndarray, spans: list[tuple[int, int, int]]) -> np.ndarray:
        """Probability that the best of these alignments of a random target reaches ``score``."""
        none = np.zeros(len(score))  # log of the probability that none does, on one strand
        for first, last, _ in spans:
            mass = self.mass_of(first, last)
            tail = np.append(mass[::-1].cumsum()[::-1], 0.0)
            index = (score - self.low * (last - first)).clip(0, len(mass))
            none += np.log1p(-tail[index].clip(max=1 - 1e-12))
        return -np.expm1(2 * none)  # two strands

    def mass_of(self, first: int, last: int) -> np.ndarray:
        if last == first + 1:
            return self.shares[first]
        if (first, last) not in self.mass:
            self.mass[first, last] = np.convolve(self.mass_of(first, last - 1), self.shares[last - 1])
        return self.mass[first, last]


def _table(targets: Sequence[Motif], best: _Alignments, n: int) -> pd.DataFrame:
    strand = (best.score[n:] > best.score[:n]).astype(np.int64)
    chosen = strand * n + np.arange(n)
    table = pd.DataFrame(
        {
            "motif": [target.name for target in targets],
            "matrix_id": [target.matrix_id for target in targets],
            "family": [target.family for target in targets],
            "p_value": best.p_value[chosen],
            "e_value": best.p_value[chosen] * n,
            "offset": best.offset[chosen],
            "overlap": best.overlap[chosen],
            "strand": np.array(["+", "-"])[strand],
        }
    )
    by = ["p_value", "overlap"]
    return table.sort_values(by, ascending=[True, False], kind="stable", ignore_index=True)

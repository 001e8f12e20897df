"""Do these intervals fit this genome? Every row is answered."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
import pandas as pd

from genailab.data.genome.contigs import contig_hint
from genailab.data.genome.genome import Genome
from genailab.data.genome.window_places import check_columns
from genailab.errors import InputError

__all__ = ["check_intervals"]


def check_intervals(
    intervals: pd.DataFrame, genome: Genome, *, on_error: Literal["fail", "report"] = "fail"
) -> pd.DataFrame:
    """Return the same rows with ``status`` (``"ok"`` or ``"failed"``) and ``reason`` (empty where it is ok).

    A row fails if its contig isn't in the genome, it starts before 0, holds no base, or ends beyond the
    contig. Rows out are rows in, in their order.

    A warning says that the coordinates look 1-based and closed, as of GTF or VCF, on one of two signs: an end
    exactly one beyond its contig's (a whole contig written as 1 to length, its end raised for BED but not its
    start), or intervals that start at 1 while none starts at 0.

    Parameters
    ----------
    intervals
        Columns ``chrom``, ``start``, ``end``; left as it is.
    on_error
        ``"fail"`` raises InputError for the first row that fails and counts the others.
    """
    if on_error not in ("fail", "report"):
        raise InputError(f"on_error is {on_error!r}: pass 'fail' or 'report'")
    check_columns(intervals)
    lengths = np.array([_length(genome, name) for name in intervals["chrom"]], dtype=np.float64)
    starts, ends = (intervals[name].to_numpy(dtype=np.float64) for name in ("start", "end"))
    reasons = _reasons(intervals, genome, starts, ends, lengths)
    failed = np.flatnonzero(reasons != "")
    _warn_if_one_based(starts, ends, lengths)
    if on_error == "fail" and len(failed):
        raise InputError(
            f"{len(failed)} of {len(intervals)} intervals don't fit {genome.path} (first: row {failed[0]}, "
            f"{reasons[failed[0]]}): correct them, or pass on_error='report' to go on with the others"
        )
    return intervals.assign(status=np.where(reasons == "", "ok", "failed"), reason=reasons)


def _length(genome: Genome, name: object) -> float:
    try:
        return genome.chromosomes[genome.aliases.get(str(name), str(name))]
    except KeyError:
        return np.nan


def _reasons(
    intervals: pd.DataFrame, genome: Genome, starts: np.ndarray, ends: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    reasons = np.full(len(intervals), "", dtype=object)
    known = ~np.isnan(lengths)
    whole = (starts == np.floor(starts)) & (ends == np.floor(ends))  # False where there is a gap
    wrong = ~known | ~whole | (starts < 0) | (starts >= ends) | (ends > lengths)
    for row in np.flatnonzero(wrong):
        name, start, end = (intervals[column].iloc[row] for column in ("chrom", "start", "end"))
        if not known[row]:
            why = f"contig {str(name)!r} is not in the genome: {contig_hint(str(name), genome.chromosomes)}"
        elif not whole[row]:
            why = "its coordinates are no whole numbers"
        elif starts[row] < 0:
            why = "it starts before 0"
        elif starts[row] >= ends[row]:
            why = "its start lies after its end" if starts[row] > ends[row] else "it holds no base"
        else:
            why = f"it ends beyond the contig, which has {lengths[row]:.0f} bases"
        reasons[row] = f"{name}:{start}-{end}: {why}"
    return reasons


def _warn_if_one_based(starts: np.ndarray, ends: np.ndarray, lengths: np.ndarray) -> None:
    one_beyond = int((ends == lengths + 1).sum())
    at_one = int((starts == 1).sum())
    if one_beyond:
        sign = f"{one_beyond} of them end exactly one base beyond the contig"
    elif at_one and not (starts == 0).any():
        sign = f"{at_one} of them start at 1 and none at 0"
    else:
        return
    warnings.warn(
        f"the intervals may be 1-based ({sign}): if they come from GTF, GFF or VCF, subtract 1 from each "
        "start",
        stacklevel=3,
    )

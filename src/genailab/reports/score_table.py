"""The table of scores: a row a metric, a column a subject, the ceiling set apart."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from genailab.reports.contents import BETTER, Score

__all__ = ["Cell", "Row", "score_rows", "subjects"]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A score as it is shown. Positions are percent of the row's scale, for the small interval bar."""

    subject: str
    text: str
    interval: str
    mark: str  # "best", "tied" or ""
    ceiling: bool
    left: float
    width: float
    dot: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """A metric: what it means, how it was computed, and a cell for every subject (None: not computed)."""

    metric: str
    meaning: str
    better: str
    details: tuple[tuple[str, str], ...]  # (subjects, space and number of cells)
    cells: tuple[Cell | None, ...]
    ceiling_at: float | None


def subjects(scores: Sequence[Score], *, model: str, ceiling: str) -> list[str]:
    """Columns in reading order: the model, the baselines as they came, the ceiling last."""
    found = dict.fromkeys(score.subject for score in scores)
    middle = [name for name in found if name not in (model, ceiling)]
    return [name for name in (model, *middle, ceiling) if name in found]


def score_rows(
    scores: Sequence[Score], columns: Sequence[str], *, ceiling: str, meanings: Mapping[str, str]
) -> list[Row]:
    """One row a metric, in the order in which the metrics came.

    "best" marks the generated subject closest to the ideal; "tied" each other whose 95% interval overlaps.
    The ceiling is real cells, so it never takes part, but what passes it only counts as reaching it: cells
    more typical of their type than real ones are, as a baseline makes them, are no better.
    """
    by_metric: dict[str, dict[str, Score]] = {}
    for score in scores:
        by_metric.setdefault(score.metric, {})[score.subject] = score
    return [
        _row(metric, found, columns, ceiling, meanings.get(metric, "")) for metric, found in by_metric.items()
    ]


def _row(metric: str, found: Mapping[str, Score], columns: Sequence[str], ceiling: str, meaning: str) -> Row:
    marks = _marks([score for score in found.values() if score.subject != ceiling], found.get(ceiling))
    low, high = _scale(list(found.values()))
    decimals = _decimals([score.value for score in found.values()])

    def place(value: float) -> float:
        return round(100 * min(max((value - low) / (high - low), 0.0), 1.0), 2)

    cells = tuple(
        _cell(found[name], marks.get(name, ""), name == ceiling, decimals, place) if name in found else None
        for name in columns
    )
    top = found.get(ceiling)
    ceiling_at = place(top.value) if top is not None and math.isfinite(top.value) else None
    better = BETTER[next(iter(found.values())).better][0]
    return Row(
        metric=metric,
        meaning=meaning,
        better=better,
        details=_details(found),
        cells=cells,
        ceiling_at=ceiling_at,
    )


def _cell(score: Score, mark: str, ceiling: bool, decimals: int, place: Callable[[float], float]) -> Cell:
    finite = math.isfinite(score.value)
    bounded = finite and math.isfinite(score.ci_low) and math.isfinite(score.ci_high)
    left, right = (place(score.ci_low), place(score.ci_high)) if bounded else (0.0, 0.0)
    return Cell(
        subject=score.subject,
        text=_number(score.value, decimals) if finite else "not defined",
        interval=f"{_number(score.ci_low, decimals)} to {_number(score.ci_high, decimals)}"
        if bounded
        else "",
        mark=mark,
        ceiling=ceiling,
        left=left,
        width=round(right - left, 2),
        dot=place(score.value) if finite else -1.0,
    )


def _marks(scores: Sequence[Score], ceiling: Score | None) -> dict[str, str]:
    scores = [score for score in scores if math.isfinite(score.value)]
    if len(scores) < 2:
        return {}  # "best of one" says nothing
    least = _distance(ceiling) if ceiling is not None and math.isfinite(ceiling.value) else -math.inf
    distances = {score.subject: max(_distance(score), least) for score in scores}
    nearest = min(distances.values())
    best = [score for score in scores if distances[score.subject] == nearest]
    marks = {
        score.subject: "tied"
        for score in scores
        if any(score.ci_low <= other.ci_high and other.ci_low <= score.ci_high for other in best)
    }
    if len(best) > 1:
        return marks | dict.fromkeys((score.subject for score in best), "tied")
    return marks | {best[0].subject: "best"}


def _distance(score: Score) -> float:
    """How far from the ideal; for an ideal at infinity the signed value orders the same way."""
    ideal = BETTER[score.better][1]
    return abs(score.value - ideal) if math.isfinite(ideal) else -math.copysign(1.0, ideal) * score.value


def _scale(scores: Sequence[Score]) -> tuple[float, float]:
    ends = [
        end for score in scores for end in (score.ci_low, score.value, score.ci_high) if math.isfinite(end)
    ]
    ends += [BETTER[score.better][1] for score in scores if math.isfinite(BETTER[score.better][1])]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _decimals(values: Sequence[float]) -> int:
    """Choose decimals for a whole row, so that its numbers compare: about three digits of the middle one."""
    sizes = [abs(value) for value in values if math.isfinite(value) and value != 0]
    if not sizes:
        return 2
    return min(max(2 - math.floor(math.log10(statistics.median(sizes))), 2), 4)


def _number(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    is_zero = float(text) == 0
    return text.replace("-", "" if is_zero else "\N{MINUS SIGN}")


def _details(found: Mapping[str, Score]) -> tuple[tuple[str, str], ...]:
    """How each subject was scored; subjects scored alike share a line."""
    groups: dict[str, list[str]] = {}
    for score in found.values():
        how = f"{score.space}; {score.n:,} cells" if score.space else f"{score.n:,} cells"
        groups.setdefault(how, []).append(score.subject)
    return tuple((", ".join(names), how) for how, names in groups.items())

"""What the scores say, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from genailab.errors import InputError, nearest
from genailab.evaluation.metrics import metric_named
from genailab.evaluation.scores import Score

__all__ = ["Contest", "contest", "verdict"]

CEILING = "ceiling"


@dataclass(frozen=True, kw_only=True)
class Contest:
    """On which metrics a model is better than, even with and worse than another subject."""

    against: str
    better: tuple[str, ...]
    even: tuple[str, ...]
    worse: tuple[str, ...]

    @property
    def n(self) -> int:
        """Metrics that both were scored on."""
        return len(self.better) + len(self.even) + len(self.worse)


def contest(scores: Iterable[Score], *, model: str, against: str) -> Contest:
    """Compare two subjects metric by metric, beyond the 95% interval of their difference.

    The interval of a difference is made from the two intervals as if they were independent (Zou & Donner
    2008), which is cautious here, because both subjects were held against the same real cells. Where the
    ceiling is among the scores, what passes it counts as reaching it: cells more typical than real ones are
    not better.

    Raises
    ------
    InputError
        If a subject has no score.
    """
    table = _table(scores)
    mine, others, real = _of(table, model), _of(table, against), table.get(CEILING, {})
    won: dict[int, list[str]] = {1: [], 0: [], -1: []}
    for metric, score in mine.items():
        if metric in others:
            won[_better(score, others[metric], real.get(metric))].append(metric)
    return Contest(against=against, better=tuple(won[1]), even=tuple(won[0]), worse=tuple(won[-1]))


def verdict(scores: Sequence[Score], *, model: str = "latent diffusion") -> str:
    """Say where the model beats every baseline, where it doesn't, and how far it is from real cells.

    Parameters
    ----------
    scores
        Of the model, its baselines and ``ceiling``, as `CellComparison` makes them.
    model
        Which subject is judged; all others but the ceiling are its baselines.

    Returns
    -------
    Two or three sentences.

    Raises
    ------
    InputError
        If the model has no score, or there is nothing to compare it with.
    """
    table = _table(scores)
    _of(table, model)
    contests = [contest(scores, model=model, against=name) for name in table if name not in (model, CEILING)]
    if not contests and CEILING not in table:
        raise InputError(f"only {model!r} has scores: score a baseline or the ceiling too")
    sentences = [_headline(model, contests), _details(contests)] if contests else []
    if CEILING in table:
        sentences.append(_distance_from_real(scores, model, baselines=bool(contests)))
    return " ".join(sentences)


def _headline(model: str, contests: list[Contest]) -> str:
    ahead = [each.against for each in contests if len(each.better) > len(each.worse)]
    behind = [each.against for each in contests if len(each.worse) > len(each.better)]
    level = [each.against for each in contests if len(each.worse) == len(each.better)]
    parts = [f"loses to {_and(behind)}"] if behind else []
    parts += [f"is level with {_and(level)}"] if level else []
    parts += [f"beats {_and(ahead)}"] if ahead else []
    return _sentence(f"{model} {_and(parts)}, counting metrics that differ beyond their 95% intervals")


def _details(contests: list[Contest]) -> str:
    return _sentence("; ".join(_detail(each) for each in contests))


def _detail(each: Contest) -> str:
    worse = f"worse on {len(each.worse)} ({', '.join(each.worse)})" if each.worse else "worse on none"
    even = f"even on {len(each.even)}"
    return f"against {each.against} it is better on {len(each.better)} of {each.n} metrics, {even}, {worse}"


def _distance_from_real(scores: Sequence[Score], model: str, *, baselines: bool) -> str:
    table = _table(scores)
    real = contest(scores, model=model, against=CEILING)
    who = "it" if baselines else model
    text = f"{who} scores as real cells do on {real.n - len(real.worse)} of {real.n} metrics"
    auroc = "discriminator AUROC"
    if auroc in table[model] and auroc in table[CEILING]:
        mine, best = table[model][auroc].value, table[CEILING][auroc].value
        text += (
            ", and a random forest tells its cells from real ones with an AUROC of "
            f"{mine:.2f} (real cells {best:.2f}, ideal 0.50)"
        )
    return _sentence(text)


def _better(mine: Score, other: Score, real: Score | None) -> int:
    """Return 1 where ``mine`` is better beyond the interval of the difference, -1 where worse, else 0."""
    least = -math.inf if real is None else metric_named(real.metric).badness(real.value)
    low, value, high = (max(end, least) for end in _badness(mine))
    other_low, other_value, other_high = (max(end, least) for end in _badness(other))
    difference = other_value - value
    if difference > math.hypot(high - value, other_value - other_low):
        return 1
    if -difference > math.hypot(value - low, other_high - other_value):
        return -1
    return 0


def _badness(score: Score) -> tuple[float, float, float]:
    """Distance from the best value: at its least, as estimated, and at its most within the interval."""
    metric = metric_named(score.metric)
    ends = sorted([metric.badness(score.ci_low), metric.badness(score.ci_high)])
    # The ideal itself may lie inside the interval: then the distance can be 0, though neither end is.
    if score.ci_low < metric.best < score.ci_high:
        ends[0] = 0.0
    return ends[0], metric.badness(score.value), ends[1]


def _table(scores: Iterable[Score]) -> dict[str, dict[str, Score]]:
    table: dict[str, dict[str, Score]] = {}
    for score in scores:
        table.setdefault(score.subject, {})[score.metric] = score
    return table


def _of(table: dict[str, dict[str, Score]], subject: str) -> dict[str, Score]:
    if subject not in table:
        raise InputError(f"{subject!r} has no scores: {nearest(subject, table)}")
    return table[subject]


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."

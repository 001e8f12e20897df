"""What the scores of generated sequences say, in plain sentences: copies first, then who beats whom."""

from __future__ import annotations

from collections.abc import Sequence

from genailab.errors import InputError, nearest
from genailab.evaluation.scores import Score
from genailab.evaluation.verdict import CEILING, Contest, contest

__all__ = ["sequence_verdict"]

COPIES = "exact-copy rate"
DISCRIMINATORS = ("logistic AUROC", "forest AUROC")


def sequence_verdict(scores: Sequence[Score], *, model: str = "generated") -> str:
    """Say whether the sequences are copies, which baselines they beat, and how far from real ones they are.

    Parameters
    ----------
    scores
        Of the model, its baselines and ``ceiling``, as `SequenceComparison` makes them.
    model
        Which subject is judged.

    Raises
    ------
    InputError
        If the model has no score, or there is nothing to compare it with.
    """
    subjects = dict.fromkeys(score.subject for score in scores)
    if model not in subjects:
        raise InputError(f"{model!r} has no scores: {nearest(model, subjects)}")
    others = [name for name in subjects if name not in (model, CEILING)]
    if len(subjects) == 1:
        raise InputError(f"only {model!r} has scores: score a baseline or the ceiling too")
    contests = [contest(scores, model=model, against=name) for name in others]
    sentences = [_copies(scores, model)] + ([_headline(model, contests)] if contests else [])
    sentences += [_detail(each) for each in contests]
    if CEILING in subjects:
        sentences.append(_distance_from_real(scores, model))
    return " ".join(sentence for sentence in sentences if sentence)


def _copies(scores: Sequence[Score], model: str) -> str:
    found = _score(scores, model, COPIES)
    if found is None or found.value == 0:
        return ""
    real = _score(scores, CEILING, COPIES)
    beside = "" if real is None else f"; of held-out real sequences {real.value:.1%} are"
    # None seen among n real ones is not none at all: up to 3 / n can hide there (the rule of three).
    if found.value < 0.5 and (real is None or found.ci_low <= max(real.ci_high, 3 / real.n)):
        return ""
    return (
        f"WARNING: {found.value:.1%} of the sequences of {model} are training sequences letter by "
        f"letter{beside}. Other scores praise copies, so read none of them as quality."
    )


def _headline(model: str, contests: Sequence[Contest]) -> str:
    ahead = [each.against for each in contests if len(each.better) > len(each.worse)]
    behind = [each.against for each in contests if len(each.worse) > len(each.better)]
    level = [each.against for each in contests if len(each.worse) == len(each.better)]
    words = (("loses to", behind), ("is level with", level), ("beats", ahead))
    said = _and([f"{verb} {_and(names)}" for verb, names in words if names])
    text = f"{model} {said}, counting metrics that differ beyond their 95% intervals."
    return text[:1].upper() + text[1:]


def _detail(each: Contest) -> str:
    worse = f"worse on {len(each.worse)} ({', '.join(each.worse)})" if each.worse else "worse on none"
    return (
        f"Against {each.against} it is better on {len(each.better)} of {each.n} metrics, even on "
        f"{len(each.even)}, {worse}."
    )


def _distance_from_real(scores: Sequence[Score], model: str) -> str:
    real = contest(scores, model=model, against=CEILING)
    text = f"It scores as real sequences do on {real.n - len(real.worse)} of {real.n} metrics"
    told = [found for name in DISCRIMINATORS if (found := _score(scores, model, name)) is not None]
    if not told:
        return f"{text}."
    strongest = max(told, key=lambda score: abs(score.value - 0.5))
    best = _score(scores, CEILING, strongest.metric)
    beside = "" if best is None else f"real ones {best.value:.2f}, "
    return (
        f"{text}, and the stronger discriminator tells its sequences from real ones with an AUROC of "
        f"{strongest.value:.2f} ({beside}ideal 0.50)."
    )


def _score(scores: Sequence[Score], subject: str, metric: str) -> Score | None:
    return next((each for each in scores if (each.subject, each.metric) == (subject, metric)), None)


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

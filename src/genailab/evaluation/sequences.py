"""Models and baselines on the same held-out sequences: every score with its interval, and their differences.

Each function takes all subjects at once, so that all meet the same resamples: where ``baseline`` is named,
each other subject gets a further score, its paired difference from the baseline (Efron & Tibshirani 1993,
chapter 8). Draw whole groups (chromosomes, proteins) with ``groups`` where rows of a group are related.

The metrics themselves are in `classification`, `calibration`, `regression` and `secondary_structure`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from genailab.errors import InputError, nearest
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.calibration import brier_score, expected_calibration_error
from genailab.evaluation.classification import accuracy, auprc, auroc, balanced_accuracy, prevalence
from genailab.evaluation.predictions import binary_labels, group_codes, probabilities_of, same_length
from genailab.evaluation.regression import pearson, r2, spearman
from genailab.evaluation.resampling import metric_interval, resample
from genailab.evaluation.scores import Score
from genailab.evaluation.secondary_structure import STATES, StructureCounts, structure_counts
from genailab.evaluation.sequence_metrics import sequence_metric

__all__ = ["Bootstrap", "score_binary", "score_classes", "score_regression", "score_structure"]

Statistic = Callable[[FloatArray], FloatArray]

GUESSING = "guessing"


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How the intervals are made: the same resamples for the same rows, groups and seed.

    Parameters
    ----------
    n_bootstrap
        Resamples.
    seed
        What makes them the same again.
    groups
        Each row's group (its chromosome, or protein), ``(rows,)``: whole groups are then drawn. With few
        groups (fewer than about 20) such intervals are rough.
    """

    n_bootstrap: int = 1000
    seed: int = 0
    groups: Sequence[Any] | np.ndarray | None = None


def score_binary(
    labels: ArrayLike,
    probabilities: Mapping[str, ArrayLike],
    *,
    baseline: str | None = None,
    bootstrap: Bootstrap | None = None,
) -> list[Score]:
    """AUROC, AUPRC, Brier score and calibration error of each subject.

    Parameters
    ----------
    labels
        0 or 1, ``(rows,)``.
    probabilities
        Probability of 1 of each row, ``(rows,)``, by subject (a model, a baseline).
    baseline
        The subject that the others are compared with, pair by pair.
    bootstrap
        How intervals are made.

    Returns
    -------
    A score a subject and metric; the prevalence as ``AUPRC`` of the subject ``guessing``; then the paired
    differences, whose subject is ``"model - baseline"``.

    Raises
    ------
    InputError
        If only one class is there, a probability is missing or outside [0, 1] (with its row), or rows differ.

    Examples
    --------
    >>> labels, found = [0, 1, 0, 1, 1, 0] * 5, {"model": [0.1, 0.9, 0.3, 0.2, 0.8, 0.7] * 5}
    >>> [(s.metric, s.subject, round(s.value, 2)) for s in score_binary(labels, found)][:3]
    [('AUROC', 'model', 0.78), ('AUPRC', 'model', 0.87), ('Brier score', 'model', 0.21)]
    """
    truth = binary_labels(labels)
    functions = {
        "AUROC": auroc,
        "AUPRC": auprc,
        "Brier score": brier_score,
        "calibration error": expected_calibration_error,
    }
    statistics: dict[str, dict[str, Statistic]] = {}
    for subject, given in probabilities.items():
        found = probabilities_of(given, name=f"the probability by {subject!r}")
        same_length(truth, found, name=repr(subject))
        statistics[subject] = {metric: partial(f, truth, found) for metric, f in functions.items()}
    rows = f"{len(truth):,} sequences, {int(truth.sum()):,} positive (prevalence {truth.mean():.3g})"
    statistics[GUESSING] = {"AUPRC": partial(prevalence, truth)}
    return _scores(statistics, len(truth), rows=rows, baseline=baseline, bootstrap=bootstrap)


def score_classes(
    labels: ArrayLike,
    predicted: Mapping[str, ArrayLike],
    *,
    baseline: str | None = None,
    bootstrap: Bootstrap | None = None,
) -> list[Score]:
    """Accuracy and balanced accuracy of each subject's predicted classes, whole numbers ``(rows,)``.

    Options, result and errors are those of `score_binary`.
    """
    n_rows = len(np.asarray(labels))
    functions = {"accuracy": accuracy, "balanced accuracy": balanced_accuracy}
    statistics = {
        subject: {metric: partial(f, labels, found) for metric, f in functions.items()}
        for subject, found in predicted.items()
    }
    rows = f"{n_rows:,} sequences of {len(np.unique(np.asarray(labels)))} classes"
    return _scores(statistics, n_rows, rows=rows, baseline=baseline, bootstrap=bootstrap)


def score_regression(
    measured: ArrayLike,
    predicted: Mapping[str, ArrayLike],
    *,
    baseline: str | None = None,
    bootstrap: Bootstrap | None = None,
) -> list[Score]:
    """R2, Spearman and Pearson correlation of each subject's predicted values, ``(rows,)``.

    Options, result and errors are those of `score_binary`; constant predictions are an error too.
    """
    n_rows = len(np.asarray(measured))
    functions = {"R2": r2, "Spearman": spearman, "Pearson": pearson}
    statistics = {
        subject: {metric: partial(f, measured, found) for metric, f in functions.items()}
        for subject, found in predicted.items()
    }
    return _scores(statistics, n_rows, rows=f"{n_rows:,} sequences", baseline=baseline, bootstrap=bootstrap)


def score_structure(
    labels: ArrayLike,
    predicted: Mapping[str, ArrayLike],
    *,
    states: tuple[str, ...] = STATES,
    baseline: str | None = None,
    bootstrap: Bootstrap | None = None,
) -> list[Score]:
    """Q3 over residues, Q3 averaged over proteins, and each state's recall, resampling whole proteins.

    Parameters
    ----------
    labels
        Codes of the states, ``(proteins, length)``, -100 where a residue doesn't count.
    predicted
        Codes of the states, ``(proteins, length)``, by subject.
    states
        Names of the states in the order of their codes.
    baseline, bootstrap
        As in `score_binary`; groups are groups of proteins (families).
    """
    counts = {subject: structure_counts(labels, found, states=states) for subject, found in predicted.items()}
    if not counts:
        raise InputError("there are no predictions to score: give at least one subject")
    total = next(iter(counts.values())).total
    statistics = {subject: _structure_statistics(found) for subject, found in counts.items()}
    rows = f"{int(total.sum()):,} residues of {len(total):,} proteins"
    return _scores(statistics, len(total), rows=rows, baseline=baseline, bootstrap=bootstrap)


def _structure_statistics(counts: StructureCounts) -> dict[str, Statistic]:
    recalls = {
        f"recall of {state}": partial(counts.recall, code)
        for code, state in enumerate(counts.states)
        if counts.total[:, code].sum() > 0
    }
    return {"Q3": counts.q3, "Q3 per protein": counts.per_protein, **recalls}


def _scores(
    statistics: Mapping[str, Mapping[str, Statistic]],
    n_rows: int,
    *,
    rows: str,
    baseline: str | None,
    bootstrap: Bootstrap | None,
) -> list[Score]:
    bootstrap = bootstrap or Bootstrap()
    if not set(statistics) - {GUESSING}:
        raise InputError("there are no predictions to score: give at least one subject")
    if baseline is not None and baseline not in statistics:
        raise InputError(f"baseline {baseline!r} is not among the subjects: {nearest(baseline, statistics)}")
    values = _values(statistics, n_rows, bootstrap)
    score = partial(_score, space=f"{rows}; {_described(bootstrap, n_rows)}", n=n_rows)
    scores = [score(found, metric, subject) for (subject, metric), found in values.items()]
    if baseline is None:
        return scores
    return scores + [
        score(found - values[baseline, metric], metric, f"{subject} - {baseline}")
        for (subject, metric), found in values.items()
        if subject not in (baseline, GUESSING)
    ]


def _values(
    statistics: Mapping[str, Mapping[str, Statistic]], n_rows: int, bootstrap: Bootstrap
) -> dict[tuple[str, str], FloatArray]:
    flat = {(subject, metric): f for subject, metrics in statistics.items() for metric, f in metrics.items()}
    values = resample(
        list(flat.values()),
        n_rows,
        groups=group_codes(bootstrap.groups, n_rows),
        n_bootstrap=bootstrap.n_bootstrap,
        seed=bootstrap.seed,
    )
    return dict(zip(flat, values, strict=True))


def _score(values: FloatArray, metric: str, subject: str, *, space: str, n: int) -> Score:
    meant = sequence_metric(metric)
    if " - " in subject:
        meant = replace(meant, lowest=-math.inf, highest=math.inf)
    found = metric_interval(values, meant, subject=subject)
    return Score(
        metric=metric,
        subject=subject,
        value=found.value,
        ci_low=found.low,
        ci_high=found.high,
        better=meant.better,
        space=space,
        n=n,
    )


def _described(bootstrap: Bootstrap, n_rows: int) -> str:
    codes = group_codes(bootstrap.groups, n_rows)
    drawn = "rows" if codes is None else f"{int(codes.max()) + 1} groups of rows"
    return f"{bootstrap.n_bootstrap:,} resamples of {drawn}"

"""Whether a predicted probability means what it says: of rows given 0.8, 80% should be positive.

Murphy 1973, "A new vector partition of the probability score"; Stephenson et al. 2008, "Two extra
components in the Brier score decomposition"; Naeini et al. 2015 (expected calibration error); Cox 1958, "Two
further applications of a model for binary regression" (slope and intercept).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.predictions import binary_labels, probabilities_of, same_length

__all__ = [
    "BrierDecomposition",
    "CalibrationLine",
    "brier_decomposition",
    "brier_score",
    "calibration_line",
    "expected_calibration_error",
    "reliability_table",
]

Bins = Literal["width", "count"]

_CLIP = 1e-6  # a probability of 0 or 1 has no finite logit


def brier_score(labels: ArrayLike, probabilities: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Mean squared difference of probability and label, ``(draws,)``: 0 is perfect, lower is better.

    Examples
    --------
    >>> brier_score([0, 1], [0.5, 0.5])
    array([0.25])
    """
    truth, found = _checked(labels, probabilities)
    weights = np.ones((1, len(truth))) if weights is None else weights
    return weights @ (found - truth) ** 2 / weights.sum(axis=1)


def reliability_table(
    labels: ArrayLike, probabilities: ArrayLike, *, n_bins: int = 10, bins: Bins = "width"
) -> pd.DataFrame:
    """Predicted probability against observed frequency, bin by bin.

    Parameters
    ----------
    labels, probabilities
        0 or 1, and the probability of 1, ``(rows,)``.
    n_bins
        Most bins there can be; empty ones have no row in the table.
    bins
        ``width``: of equal width, ``[0, 0.1), ..., [0.9, 1]``; ``count``: of nearly equal numbers of rows,
        equal probabilities staying together.

    Returns
    -------
    A row a bin: ``low``, ``high`` (of the bin's edges, or of its probabilities for ``count``), ``n``,
    ``predicted`` and ``observed`` (means), and ``ci_low``, ``ci_high`` of the observed frequency (Wilson
    1927, 95%).

    Examples
    --------
    >>> reliability_table([0, 1, 1], [0.1, 0.9, 0.7], n_bins=2)[["low", "high", "n", "observed"]]
       low  high  n  observed
    0  0.0   0.5  1       0.0
    1  0.5   1.0  2       1.0
    """
    truth, found = _checked(labels, probabilities)
    codes = _bin_codes(found, n_bins, bins)
    grouped = pd.DataFrame({"bin": codes, "p": found, "y": truth}).groupby("bin")
    table = grouped.agg(
        low=("p", "min"), high=("p", "max"), n=("y", "size"), predicted=("p", "mean"), observed=("y", "mean")
    )
    if bins == "width":
        table["low"], table["high"] = table.index / n_bins, (table.index + 1) / n_bins
    table["ci_low"], table["ci_high"] = _wilson(table["observed"].to_numpy(), table["n"].to_numpy())
    return table.reset_index(drop=True)


def expected_calibration_error(
    labels: ArrayLike,
    probabilities: ArrayLike,
    weights: FloatArray | None = None,
    *,
    n_bins: int = 10,
    bins: Bins = "width",
) -> FloatArray:
    """Mean distance of predicted and observed frequency over the bins of `reliability_table`: ``(draws,)``.

    Weighted by the bins' rows. It depends on the bins, which stay those of the sample in every resample, and
    lies above 0 for a perfect model too, because a bin's frequency is itself a sample.

    Examples
    --------
    >>> expected_calibration_error([0, 1], [0.2, 0.6]).round(3)
    array([0.3])
    """
    truth, found = _checked(labels, probabilities)
    weights = np.ones((1, len(truth))) if weights is None else weights
    members = np.eye(n_bins)[_bin_codes(found, n_bins, bins)]  # (rows, n_bins)
    gap = weights @ (members * (found - truth)[:, None])  # (draws, n_bins)
    return np.abs(gap).sum(axis=1) / weights.sum(axis=1)


@dataclass(frozen=True, kw_only=True)
class BrierDecomposition:
    """The parts that add up to the Brier score: ``reliability - resolution + uncertainty + within_bins``.

    Parameters
    ----------
    brier
        Mean squared difference of probability and label.
    reliability
        Mean squared distance of predicted and observed frequency over the bins; 0 when calibrated.
    resolution
        How far the bins' frequencies lie from the overall one; higher is better.
    uncertainty
        ``prevalence * (1 - prevalence)``: the data's own.
    within_bins
        What rows of unequal probability in one bin add; 0 where each bin holds one value.
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float


def brier_decomposition(
    labels: ArrayLike, probabilities: ArrayLike, *, n_bins: int = 10, bins: Bins = "width"
) -> BrierDecomposition:
    """Take the Brier score apart, over the bins of `reliability_table`."""
    truth, found = _checked(labels, probabilities)
    codes = _bin_codes(found, n_bins, bins)
    n = np.bincount(codes, minlength=n_bins)
    predicted = np.bincount(codes, found, n_bins) / np.maximum(n, 1)
    observed = np.bincount(codes, truth, n_bins) / np.maximum(n, 1)
    share = n / len(truth)
    p, y = found - predicted[codes], truth - observed[codes]
    return BrierDecomposition(
        brier=float(np.mean((found - truth) ** 2)),
        reliability=float(share @ (predicted - observed) ** 2),
        resolution=float(share @ (observed - truth.mean()) ** 2),
        uncertainty=float(truth.mean() * (1 - truth.mean())),
        within_bins=float(np.mean(p**2) - 2 * np.mean(p * y)),
    )


@dataclass(frozen=True, kw_only=True)
class CalibrationLine:
    """``logit P(label = 1) = intercept + slope * logit(probability)``; calibrated is 0 and 1.

    A slope below 1 means overconfident, above 1 too timid; an intercept below 0 means probabilities too high.
    """

    intercept: float
    slope: float


def calibration_line(labels: ArrayLike, probabilities: ArrayLike) -> CalibrationLine:
    """Fit Cox's recalibration line by unpenalised logistic regression.

    Probabilities are clipped to ``[1e-6, 1 - 1e-6]`` first.

    Raises
    ------
    InputError
        If the probabilities separate the classes (no finite slope fits) or are all equal.
    """
    truth, found = _checked(labels, probabilities)
    x = logit(np.clip(found, _CLIP, 1 - _CLIP))
    if (x == x[0]).all():
        raise InputError(f"every probability is {found[0]:g}, so no slope can be fitted: look at the model")
    positive, negative = x[truth == 1], x[truth == 0]
    if positive.min() >= negative.max() or positive.max() <= negative.min():
        raise InputError(
            f"the probabilities separate the {len(truth)} rows' classes, so the calibration slope is "
            "infinite: judge calibration on more rows"
        )
    intercept, slope = _logistic_line(x, truth)
    return CalibrationLine(intercept=intercept, slope=slope)


def _logistic_line(x: FloatArray, y: IntArray) -> tuple[float, float]:
    scale = x.std()
    design = np.stack([np.ones_like(x), x / scale], axis=1)  # (rows, 2)
    line = np.zeros(2)
    for _ in range(100):
        fitted = expit(design @ line)
        gradient = design.T @ (y - fitted)
        curvature = (design * (fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), gradient)
        # Newton from 0 can overshoot where the classes hardly overlap; the likelihood is concave.
        while _likelihood(design @ (line + step), y) < _likelihood(design @ line, y) - 1e-9:
            step = step / 2
        line = line + step
        if np.abs(step).max() < 1e-10:
            break
    return float(line[0]), float(line[1] / scale)


def _likelihood(logits: FloatArray, y: IntArray) -> float:
    return float((y * logits - np.logaddexp(0, logits)).sum())


def _bin_codes(probabilities: FloatArray, n_bins: int, bins: Bins) -> IntArray:
    if n_bins < 1:
        raise InputError(f"n_bins is {n_bins}: calibration needs at least 1 bin")
    if bins == "width":
        edges = np.arange(1, n_bins) / n_bins
        return np.searchsorted(edges, probabilities, side="right")
    if bins != "count":
        raise InputError(f"bins is {bins!r}: choose 'width' or 'count'")
    _, codes, n = np.unique(probabilities, return_inverse=True, return_counts=True)
    middle = (np.cumsum(n) - n / 2) / len(probabilities)  # where each value lies among the rows
    return np.minimum((middle * n_bins).astype(np.int64), n_bins - 1)[codes]


def _wilson(share: FloatArray, n: IntArray) -> tuple[FloatArray, FloatArray]:
    z = 1.959963984540054
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[IntArray, FloatArray]:
    truth, found = binary_labels(labels), probabilities_of(probabilities)
    same_length(truth, found, name="the model")
    return truth, found

"""How well predictions tell classes apart, in the sample and in all of its resamples at once.

Every function takes ``weights (draws, rows)``, how often each row occurs in each resample, and gives
``(draws,)``; without weights, every row counts once. A resample that lacks a class gives NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.bootstrap import Weights
from genailab.evaluation.discriminator import auroc as mann_whitney
from genailab.evaluation.predictions import binary_labels, finite_values, same_length

__all__ = ["accuracy", "auprc", "auroc", "balanced_accuracy", "confusion_matrix", "prevalence"]


def auroc(labels: ArrayLike, predictions: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Probability that a positive row is ranked above a negative one, ties counting half.

    Examples
    --------
    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.9])
    array([0.875])
    """
    truth, scores, weights = _checked(labels, predictions, weights)
    positive = truth == 1
    parts = Weights(real=weights[:, ~positive], generated=weights[:, positive])
    with np.errstate(invalid="ignore"):
        return mann_whitney(scores[~positive], scores[positive], parts)


def auprc(labels: ArrayLike, predictions: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Area under the precision-recall curve, as average precision: no interpolation between thresholds.

    ``sum over thresholds of precision * (recall gained)``, rows of equal score entering together. Guessing
    scores the `prevalence`, not 0.5: read the two side by side (Davis & Goadrich 2006; Boyd et al. 2013).

    Examples
    --------
    >>> auprc([0, 1, 1, 0], [0.1, 0.9, 0.4, 0.6]).round(3)
    array([0.833])
    """
    truth, scores, weights = _checked(labels, predictions, weights)
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))  # first row of each threshold
    ordered = weights[:, order]
    gained = np.add.reduceat(ordered * truth[order], starts, axis=1)  # (draws, thresholds)
    called = np.cumsum(np.add.reduceat(ordered, starts, axis=1), axis=1)
    precision = np.cumsum(gained, axis=1) / np.maximum(called, 1)
    positives = gained.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return (precision * gained).sum(axis=1) / positives


def prevalence(labels: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Share of positive rows: the `auprc` of guessing.

    Examples
    --------
    >>> prevalence([0, 0, 0, 1])
    array([0.25])
    """
    truth = binary_labels(labels)
    weights = _weights(weights, len(truth))
    return weights @ truth / weights.sum(axis=1)


def accuracy(labels: ArrayLike, predicted: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Share of the rows given their own class; classes are any whole numbers.

    Examples
    --------
    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    array([0.75])
    """
    truth, called = _classes(labels, predicted)
    weights = _weights(weights, len(truth))
    return weights @ (truth == called) / weights.sum(axis=1)


def balanced_accuracy(
    labels: ArrayLike, predicted: ArrayLike, weights: FloatArray | None = None
) -> FloatArray:
    """Share of each class's rows that were given it, averaged over the classes that occur.

    Examples
    --------
    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    array([0.5])
    """
    truth, called = _classes(labels, predicted)
    weights = _weights(weights, len(truth))
    names, codes = np.unique(truth, return_inverse=True)
    of_class = np.eye(len(names))[codes]  # (rows, classes)
    n = weights @ of_class  # (draws, classes)
    right = weights @ (of_class * (truth == called)[:, None])
    return (right / np.maximum(n, 1)).sum(axis=1) / (n > 0).sum(axis=1)


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, *, n_classes: int) -> IntArray:
    """How many rows of each class (row) were given each class (column): ``(n_classes, n_classes)``.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1], [0, 0, 1], n_classes=2)
    array([[1, 0],
           [1, 1]])
    """
    truth, called = _classes(labels, predicted)
    for name, codes in (("label", truth), ("prediction", called)):
        wrong = np.flatnonzero((codes < 0) | (codes >= n_classes))
        if len(wrong):
            raise InputError(
                f"the {name} of row {wrong[0]} is class {codes[wrong[0]]}, but there are {n_classes} "
                f"classes: number them 0 to {n_classes - 1}"
            )
    return np.bincount(truth * n_classes + called, minlength=n_classes**2).reshape(n_classes, n_classes)


def _checked(
    labels: ArrayLike, predictions: ArrayLike, weights: FloatArray | None
) -> tuple[IntArray, FloatArray, FloatArray]:
    truth, scores = binary_labels(labels), finite_values(predictions, name="the prediction")
    same_length(truth, scores, name="the model")
    return truth, scores, _weights(weights, len(truth))


def _classes(labels: ArrayLike, predicted: ArrayLike) -> tuple[IntArray, IntArray]:
    truth = finite_values(labels, name="the label")
    called = finite_values(predicted, name="the predicted class")
    same_length(truth, called, name="the model")
    return truth.astype(np.int64), called.astype(np.int64)


def _weights(weights: FloatArray | None, n_rows: int) -> FloatArray:
    return np.ones((1, n_rows)) if weights is None else weights

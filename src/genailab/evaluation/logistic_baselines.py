"""Logistic regression on k-mer counts or on positions: what a deep classifier of sequences has to beat.

k-mer counts say what occurs, wherever it is (Ghandi et al. 2014, gkm-SVM, is their refinement); positions say
what stands where, for sequences that are aligned to a site.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import Tensor

from genailab.data.sequences.alphabet import DNA, Alphabet
from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.kmer_features import kmer_features

__all__ = ["KmerLogistic", "PositionLogistic"]

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fitted:
    model: LogisticRegression
    scale: FloatArray
    strength: float


@dataclass(frozen=True, kw_only=True, eq=False)
class KmerLogistic:
    """Logistic regression on counts of all words of 1 to ``k`` letters. Make it with `fit`.

    Parameters
    ----------
    k, canonical
        Longest word, and whether the strands are one.
    strength
        Inverse of the L2 penalty that was best on the validation rows.
    """

    k: int
    canonical: bool
    strength: float
    _fitted: _Fitted

    @classmethod
    def fit(
        cls,
        codes: Tensor,
        labels: ArrayLike,
        *,
        valid_codes: Tensor,
        valid_labels: ArrayLike,
        k: int = 6,
        canonical: bool = True,
        strengths: Sequence[float] = STRENGTHS,
    ) -> KmerLogistic:
        """Fit to training rows, with the penalty of least log loss on the validation rows.

        Parameters
        ----------
        codes, labels
            DNA codes ``(n, length)`` and classes 0, 1, ... ``(n,)`` to fit.
        valid_codes, valid_labels
            Rows to choose the penalty by.
        k, canonical
            Longest word; whether a word and its reverse complement are one feature.
        strengths
            Inverse penalties to choose from.
        """
        features = [_kmers(given, k, canonical) for given in (codes, valid_codes)]
        fitted = _best(features[0], labels, features[1], valid_labels, strengths)
        return cls(k=k, canonical=canonical, strength=fitted.strength, _fitted=fitted)

    def predict(self, codes: Tensor) -> FloatArray:
        """Probability of class 1, ``(n,)``; of each class, ``(n, classes)``, if there are more than two."""
        return _probabilities(self._fitted, _kmers(codes, self.k, self.canonical))


@dataclass(frozen=True, kw_only=True, eq=False)
class PositionLogistic:
    """Logistic regression on which letter stands at which position. Make it with `fit`.

    Parameters
    ----------
    alphabet
        Of the codes.
    strength
        Inverse of the L2 penalty that was best on the validation rows.
    """

    alphabet: Alphabet
    strength: float
    _fitted: _Fitted

    @classmethod
    def fit(
        cls,
        codes: Tensor,
        labels: ArrayLike,
        *,
        valid_codes: Tensor,
        valid_labels: ArrayLike,
        alphabet: Alphabet = DNA,
        strengths: Sequence[float] = STRENGTHS,
    ) -> PositionLogistic:
        """Fit to training rows, as `KmerLogistic.fit` does; all sequences have one length."""
        features = [_positions(given, alphabet) for given in (codes, valid_codes)]
        fitted = _best(features[0], labels, features[1], valid_labels, strengths)
        return cls(alphabet=alphabet, strength=fitted.strength, _fitted=fitted)

    def predict(self, codes: Tensor) -> FloatArray:
        """Probability of class 1, ``(n,)``; of each class, ``(n, classes)``, if there are more than two."""
        return _probabilities(self._fitted, _positions(codes, self.alphabet))


def _kmers(codes: Tensor, k: int, canonical: bool) -> sp.csr_matrix:
    parts = [kmer_features(codes, size, canonical=canonical) for size in range(1, k + 1)]
    return sp.csr_matrix(sp.hstack(parts))


def _positions(codes: Tensor, alphabet: Alphabet) -> sp.csr_matrix:
    given = codes.numpy()
    row, position = np.nonzero(given < alphabet.size)
    column = position * alphabet.size + given[row, position]
    ones = np.ones(len(row), np.float32)
    return sp.csr_matrix((ones, (row, column)), shape=(len(given), given.shape[1] * alphabet.size))


def _best(
    train: sp.csr_matrix,
    labels: ArrayLike,
    valid: sp.csr_matrix,
    valid_labels: ArrayLike,
    strengths: Sequence[float],
) -> _Fitted:
    truth, held_out = _classes(labels, valid_labels)
    scale = _scale(train)
    scaled = [sp.csr_matrix(part @ sp.diags(scale)) for part in (train, valid)]
    best: tuple[float, _Fitted] | None = None
    model = LogisticRegression(max_iter=300, warm_start=True)
    for strength in sorted(strengths):
        model.set_params(C=strength).fit(scaled[0], truth)
        loss = log_loss(held_out, model.predict_proba(scaled[1]), labels=model.classes_)
        if best is None or loss < best[0]:
            best = (loss, _Fitted(model=deepcopy(model), scale=scale, strength=strength))
    if best is None:
        raise InputError("strengths is empty: give at least one to choose from")
    return best[1]


def _scale(features: sp.csr_matrix) -> FloatArray:
    # One penalty for all is fair only where features vary alike; not centred, so that they stay sparse.
    mean = np.asarray(features.mean(axis=0)).ravel()
    square = np.asarray(features.multiply(features).mean(axis=0)).ravel()
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    return np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)


def _probabilities(fitted: _Fitted, features: sp.csr_matrix) -> FloatArray:
    if features.shape[1] != len(fitted.scale):
        raise InputError(
            f"these sequences have {features.shape[1]} features and the baseline {len(fitted.scale)}: give "
            "sequences of the length it was fitted on"
        )
    # In single precision a probability can come out above 1.
    scaled = features.astype(np.float64) @ sp.diags(fitted.scale.astype(np.float64))
    found = fitted.model.predict_proba(scaled)
    return found[:, 1] if found.shape[1] == 2 else found


def _classes(labels: ArrayLike, valid_labels: ArrayLike) -> tuple[IntArray, IntArray]:
    truth, held_out = np.asarray(labels).astype(np.int64), np.asarray(valid_labels).astype(np.int64)
    classes = np.unique(truth)
    if len(classes) < 2 or not np.array_equal(classes, np.arange(len(classes))):
        raise InputError(
            f"the training rows have classes {classes.tolist()}: number them 0, 1, ..., at least two"
        )
    absent = np.setdiff1d(held_out, classes)
    if len(absent):
        raise InputError(
            f"class {absent[0]} is among the validation rows, but in no training row: split again by class"
        )
    return truth, held_out

"""Additive and pairwise linear models of measured sequences: what a deep regressor has to beat.

Every letter adds its own amount (additive), or every pair of letters too (pairwise), relative to the
commonest letter of each position: ``y = b + sum_i theta_i(x_i) + sum_i<j theta_ij(x_i, x_j)`` (Kinney &
McCandlish 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from genailab.data.sequences.alphabet import DNA, Alphabet
from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.predictions import finite_values, same_length

__all__ = ["LinearSequenceModel"]

PENALTIES = (1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)
MOST_FEATURES = 10_000

Order = Literal["additive", "pairwise"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearSequenceModel:
    """A ridge regression on letters, or on pairs of letters, of sequences of one length. Make it with `fit`.

    Parameters
    ----------
    order
        ``additive`` or ``pairwise``.
    alphabet
        Of the codes.
    reference
        Code of the commonest letter of each training position, ``(length,)``.
    mean, weights, intercept
        Mean of each feature, its coefficient, and the mean of the training values.
    penalty
        The L2 penalty that was best on the validation rows.
    """

    order: Order
    alphabet: Alphabet
    reference: IntArray
    mean: FloatArray
    weights: FloatArray
    intercept: float
    penalty: float

    @classmethod
    def fit(
        cls,
        codes: Tensor,
        values: ArrayLike,
        *,
        valid_codes: Tensor,
        valid_values: ArrayLike,
        order: Order = "additive",
        alphabet: Alphabet = DNA,
        penalties: Sequence[float] = PENALTIES,
    ) -> LinearSequenceModel:
        """Fit to training rows, with the penalty of least squared error on the validation rows.

        Parameters
        ----------
        codes, values
            Codes ``(n, length)`` and measured values ``(n,)`` to fit.
        valid_codes, valid_values
            Rows to choose the penalty by.
        order
            ``additive`` (``length * 3`` features for DNA) or ``pairwise`` (``+ length * (length - 1) / 2 *
            9``).
        alphabet
            Of the codes.
        penalties
            To choose from.

        Raises
        ------
        InputError
            If a letter is unknown, a value is not finite, or there are more than 10,000 features.
        """
        y, held_out = (finite_values(v, name="the measured value") for v in (values, valid_values))
        same_length(codes, y, name="the training set")
        same_length(valid_codes, held_out, name="the validation set")
        _check_size(codes.shape[1], order, alphabet)
        reference = _commonest(_known(codes, alphabet), alphabet)
        train, valid = (
            _features(_known(given, alphabet), reference, order, alphabet) for given in (codes, valid_codes)
        )
        mean, intercept = train.mean(axis=0), float(y.mean())
        paths = _ridge_path(train - mean, y - intercept, penalties)
        errors = [np.mean((held_out - intercept - (valid - mean) @ weights) ** 2) for weights in paths]
        best = int(np.argmin(errors))
        return cls(
            order=order,
            alphabet=alphabet,
            reference=reference,
            mean=mean,
            weights=paths[best],
            intercept=intercept,
            penalty=penalties[best],
        )

    def predict(self, codes: Tensor) -> FloatArray:
        """Predicted value of each sequence, ``(n,)``."""
        known = _known(codes, self.alphabet)
        if known.shape[1] != len(self.reference):
            raise InputError(
                f"these sequences have {known.shape[1]} letters and the model was fitted on "
                f"{len(self.reference)}: give sequences of that length"
            )
        features = _features(known, self.reference, self.order, self.alphabet)
        return self.intercept + (features - self.mean) @ self.weights


def _ridge_path(features: FloatArray, values: FloatArray, penalties: Sequence[float]) -> list[FloatArray]:
    # (X'X + penalty)^-1 X'y for all penalties from one eigendecomposition; both are centred.
    roots, axes = np.linalg.eigh(features.T @ features)
    along = axes.T @ (features.T @ values)
    return [axes @ (along / (np.maximum(roots, 0) + penalty)) for penalty in penalties]


def _features(codes: IntArray, reference: IntArray, order: Order, alphabet: Alphabet) -> FloatArray:
    # The letters other than the reference, each its own feature: (n, length, size - 1).
    others = np.stack([np.delete(np.arange(alphabet.size), letter) for letter in reference])
    letters = (codes[:, :, None] == others).astype(np.float64)
    single = letters.reshape(len(codes), -1)
    if order == "additive":
        return single
    pairs = [
        (letters[:, i, :, None] * letters[:, j, None, :]).reshape(len(codes), -1)
        for i, j in combinations(range(codes.shape[1]), 2)
    ]
    return np.concatenate([single, *pairs], axis=1)


def _commonest(codes: IntArray, alphabet: Alphabet) -> IntArray:
    return (codes[:, :, None] == np.arange(alphabet.size)).sum(axis=0).argmax(axis=1)


def _known(codes: Tensor, alphabet: Alphabet) -> IntArray:
    given = codes.numpy().astype(np.int64)
    unknown = np.argwhere(given >= alphabet.size)
    if len(unknown):
        raise InputError(
            f"sequence {unknown[0][0]} has no letter of {alphabet.letters} at position {unknown[0][1]} "
            "(from 0): a linear model has no amount for an unknown letter, so leave the sequence out"
        )
    return given


def _check_size(length: int, order: Order, alphabet: Alphabet) -> None:
    if order not in ("additive", "pairwise"):
        raise InputError(f"order is {order!r}: choose 'additive' or 'pairwise'")
    single = length * (alphabet.size - 1)
    n_features = single + (order == "pairwise") * length * (length - 1) // 2 * (alphabet.size - 1) ** 2
    if n_features > MOST_FEATURES:
        raise InputError(
            f"{length} letters make {n_features:,} {order} features, more than {MOST_FEATURES:,}: take "
            "shorter sequences" + (" or order='additive'" if order == "pairwise" else "")
        )

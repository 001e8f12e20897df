"""What is checked before predictions are scored: that they are there, finite, in range and of two kinds."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray

__all__ = ["binary_labels", "finite_values", "group_codes", "probabilities_of", "same_length"]


def finite_values(values: ArrayLike, *, name: str) -> FloatArray:
    """Return ``values`` as float64 ``(rows,)``; InputError that names the first row which is not finite."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or len(found) == 0:
        raise InputError(f"{name} has shape {found.shape}: give one value a row, and at least one row")
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        raise InputError(
            f"{name} is {found[wrong[0]]} in row {wrong[0]} (and in {len(wrong) - 1} rows more): leave these "
            "rows out with a reason, or mend the model"
        )
    return found


def binary_labels(labels: ArrayLike) -> IntArray:
    """Return labels as 0 and 1, ``(rows,)``; InputError for other values or a single class."""
    found = finite_values(labels, name="the label")
    wrong = np.flatnonzero((found != 0) & (found != 1))
    if len(wrong):
        raise InputError(f"the label of row {wrong[0]} is {found[wrong[0]]:g}: labels are 0 or 1")
    if len(np.unique(found)) < 2:
        raise InputError(
            f"all {len(found)} rows have label {found[0]:g}, so nothing ranks one class above the other: "
            "give rows of both classes"
        )
    return found.astype(np.int64)


def probabilities_of(predictions: ArrayLike, *, name: str = "the probability") -> FloatArray:
    """Return probabilities ``(rows,)``; InputError for one outside [0, 1], as raw logits are."""
    found = finite_values(predictions, name=name)
    wrong = np.flatnonzero((found < 0) | (found > 1))
    if len(wrong):
        raise InputError(
            f"{name} is {found[wrong[0]]:.4g} in row {wrong[0]}, outside [0, 1]: pass logits through "
            "a sigmoid"
        )
    return found


def same_length(truth: Sized, predictions: Sized, *, name: str) -> None:
    """Refuse predictions for another number of rows than there are truths."""
    if len(truth) != len(predictions):
        raise InputError(
            f"{name} has {len(predictions)} predictions for {len(truth)} rows: predict each row once, in "
            "order"
        )


def group_codes(groups: Sequence[Any] | np.ndarray | None, n_rows: int) -> IntArray | None:
    """Give the code of each row's group, ``(rows,)``; None where rows are their own groups."""
    if groups is None:
        return None
    if len(groups) != n_rows:
        raise InputError(f"there are {len(groups)} groups for {n_rows} rows: name each row's group once")
    names, codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    if len(names) < 2:
        raise InputError(
            f"all rows are of one group ({str(names[0])!r}), and resampling one group tells nothing: give at "
            "least 2, or groups=None"
        )
    return codes

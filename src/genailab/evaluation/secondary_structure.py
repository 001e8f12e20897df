"""Secondary structure in three states, residue by residue: Q3, each state's recall, each protein's share.

Rost & Sander 1993. Residues are counted once a protein, so that a bootstrap can draw whole proteins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.nn.tasks import IGNORED

__all__ = ["STATES", "StructureCounts", "structure_counts"]

STATES = ("helix", "strand", "coil")


@dataclass(frozen=True, kw_only=True)
class StructureCounts:
    """Residues of each protein, by state: all, and those that were predicted right.

    Parameters
    ----------
    total, right
        ``(proteins, states)``.
    states
        Names of the states, in the order of their codes.

    Examples
    --------
    >>> counts = structure_counts([[0, 0, 2, -100], [1, 2, 2, 2]], [[0, 2, 2, 0], [1, 2, 2, 2]])
    >>> counts.q3().round(3), counts.per_protein().round(3), counts.recall(0)
    (array([0.857]), array([0.833]), array([0.5]))
    """

    total: FloatArray
    right: FloatArray
    states: tuple[str, ...] = STATES

    def q3(self, weights: FloatArray | None = None) -> FloatArray:
        """Share of the residues predicted right, long proteins counting more: ``(draws,)``."""
        weights = self._weights(weights)
        return weights @ self.right.sum(axis=1) / (weights @ self.total.sum(axis=1))

    def per_protein(self, weights: FloatArray | None = None) -> FloatArray:
        """Share of a protein's residues predicted right, averaged over proteins: ``(draws,)``."""
        weights = self._weights(weights)
        shares = self.right.sum(axis=1) / self.total.sum(axis=1)
        return weights @ shares / weights.sum(axis=1)

    def recall(self, state: int, weights: FloatArray | None = None) -> FloatArray:
        """Share of a state's residues that were predicted in it: ``(draws,)``, NaN where there are none."""
        weights = self._weights(weights)
        with np.errstate(invalid="ignore"):
            return weights @ self.right[:, state] / (weights @ self.total[:, state])

    def _weights(self, weights: FloatArray | None) -> FloatArray:
        return np.ones((1, len(self.total))) if weights is None else weights


def structure_counts(
    labels: ArrayLike, predicted: ArrayLike, *, states: tuple[str, ...] = STATES
) -> StructureCounts:
    """Count right residues, leaving out those labelled -100.

    Parameters
    ----------
    labels
        Codes of the states, ``(proteins, length)``; -100 for padding and unresolved residues.
    predicted
        Codes of the states, ``(proteins, length)``; what stands where the label is -100 does not matter.
    states
        Names of the states, in the order of their codes.

    Raises
    ------
    InputError
        If the shapes differ, a code is no state (with protein and residue), or a protein has no residue left.
    """
    truth, called = np.asarray(labels), np.asarray(predicted)
    if truth.shape != called.shape or truth.ndim != 2:
        raise InputError(
            f"labels have shape {truth.shape} and predictions {called.shape}: give both as "
            "(proteins, length) codes"
        )
    counted = truth != IGNORED
    for name, codes in (("label", truth), ("prediction", called)):
        _check_states(codes, counted, name=name, n_states=len(states))
    empty = np.flatnonzero(~counted.any(axis=1))
    if len(empty):
        raise InputError(f"protein {empty[0]} has no residue with a label: leave it out with a reason")
    of_state = np.stack([truth == code for code in range(len(states))], axis=2)  # (proteins, length, states)
    right = of_state & (called == truth)[:, :, None]
    return StructureCounts(
        total=of_state.sum(axis=1).astype(float), right=right.sum(axis=1).astype(float), states=states
    )


def _check_states(codes: np.ndarray, counted: np.ndarray, *, name: str, n_states: int) -> None:
    wrong = np.argwhere(counted & ~np.isin(codes, np.arange(n_states)))
    if len(wrong):
        protein, residue = wrong[0]
        raise InputError(
            f"the {name} of protein {protein}, residue {residue} (from 0) is {codes[protein, residue]}: "
            f"states are 0 to {n_states - 1}, and -100 does not count"
        )

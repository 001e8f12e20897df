"""How likely a random sequence scores at least so much against a motif: exact, by dynamic programming.

Staden 1989, "Methods for calculating the probabilities of finding patterns in sequences", with the search
confined to the scores that matter as in Touzet & Varre 2007, "Efficient and accurate P-value computation for
Position Weight Matrices". A weight is first rounded to a multiple of 1/1024 bit. Scores of the rounded matrix
are then exact in single precision, and so are their p-values; a score differs from that of the unrounded
matrix by at most 1/2048 bit a position.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genailab.errors import InputError

__all__ = ["STEP", "ScoreTail", "round_log_odds", "score_tail"]

STEP = 2.0**-10  # bits
NEVER = -4096.0  # bits: the weight of a letter that can't be there; far below any score that can
FIRST_REACH = round(12 / STEP)  # below the best score; doubled until the tail is covered


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreTail:
    """Probability of each of the highest scores, or better, for a word of independent letters.

    ``at_least[d]`` is the probability of a score of at least ``best - d * STEP`` bits.
    """

    best: float  # bits
    at_least: np.ndarray

    def threshold(self, p_value: float) -> float:
        """Lowest score in bits whose probability is at most ``p_value``; inf if the best word is likelier."""
        below = int(np.searchsorted(self.at_least, p_value, side="right")) - 1
        return self.best - below * STEP if below >= 0 else np.inf

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """Probability of each score or a better one; 1 for those below the scores that were covered."""
        below = np.rint((self.best - np.asarray(scores, dtype=np.float64)) / STEP)
        known = below < len(self.at_least)
        return np.where(known, self.at_least[np.where(known, below, 0).clip(0).astype(np.int64)], 1.0)


def round_log_odds(log_odds: np.ndarray) -> np.ndarray:
    """Round weights to multiples of ``STEP`` bits; a letter that can't be there weighs ``NEVER``."""
    return np.where(
        np.isfinite(log_odds), np.rint(np.where(np.isfinite(log_odds), log_odds, 0) / STEP) * STEP, NEVER
    )


def score_tail(log_odds: np.ndarray, background: np.ndarray, *, up_to: float = 1.0) -> ScoreTail:
    """Find the probabilities of the highest scores of a matrix ``(4, length)``, as far as ``up_to``.

    Scores are counted downwards from the best one, so that a table of the upper tail alone is exact and a
    p-value of 1e-4 costs a hundredth of the whole distribution.

    Raises
    ------
    InputError
        If ``up_to`` isn't a probability above 0.
    """
    if not 0 < up_to <= 1:
        raise InputError(f"p-value {up_to} is not in (0, 1]: 1e-4 is usual for a scan")
    rounded = round_log_odds(log_odds)
    losses = np.rint((rounded.max(axis=0) - rounded) / STEP).astype(np.int64)  # (4, length)
    possible = rounded > NEVER
    whole = int(np.where(possible, losses, 0).max(axis=0).sum())
    reach = min(FIRST_REACH, whole)
    while True:
        at_least = _loss_probabilities(losses, background, reach).cumsum()
        if reach >= whole or at_least[-1] > up_to:
            return ScoreTail(best=float(rounded.max(axis=0).sum()), at_least=at_least)
        reach = min(2 * reach, whole)


def _loss_probabilities(losses: np.ndarray, background: np.ndarray, reach: int) -> np.ndarray:
    mass = np.zeros(reach + 1)
    mass[0] = 1.0
    for column in losses.T:
        longer = np.zeros(reach + 1)
        for loss, share in zip(column, background, strict=True):
            if loss <= reach:
                longer[loss:] += share * mass[: reach + 1 - loss]
        mass = longer
    return mass

"""Sequences without signal: letters drawn one by one, or each given the letter before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError

__all__ = ["Background"]


@dataclass(frozen=True, kw_only=True)
class Background:
    """Letters drawn independently, or as a Markov chain of order 1 where ``transitions`` are given.

    Parameters
    ----------
    composition
        Share of each letter, in the alphabet's order (A, C, G, T). With ``transitions`` it is not used: the
        chain starts in, and keeps, its own `stationary` composition.
    transitions
        Row ``a``: how often each letter follows letter ``a``; rows sum to 1.

    Raises
    ------
    InputError
        If shares are negative or do not sum to 1.

    Examples
    --------
    >>> Background(composition=(0.0, 0.5, 0.5, 0.0)).sample(1, 5, generator=np.random.default_rng(0)).tolist()
    [[2, 1, 1, 1, 2]]
    """

    composition: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)
    transitions: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        rows = [("composition", self.composition)]
        rows += [(f"row {number} of transitions", row) for number, row in enumerate(self.transitions or ())]
        for name, row in rows:
            if len(row) != len(self.composition) or min(row) < 0 or abs(sum(row) - 1) > 1e-6:
                raise InputError(
                    f"{name} is {tuple(row)}: give {len(self.composition)} shares of 0 or more that sum to 1"
                )
        if self.transitions is not None and len(self.transitions) != len(self.composition):
            raise InputError(
                f"transitions have {len(self.transitions)} rows for {len(self.composition)} letters: "
                "give each letter a row"
            )

    @classmethod
    def from_codes(cls, codes: torch.Tensor) -> Background:
        """Measure the transitions of DNA codes ``(batch, length)``; pairs with an unknown letter don't count.

        One count is added to each pair, so that a pair which never occurred is rare, not impossible.
        """
        known = codes.numpy().astype(np.int64)
        before, after = known[:, :-1].ravel(), known[:, 1:].ravel()
        kept = (before < DNA.size) & (after < DNA.size)
        pairs = np.bincount(before[kept] * DNA.size + after[kept], minlength=DNA.size**2) + 1
        rows = pairs.reshape(DNA.size, DNA.size)
        return cls(transitions=tuple(map(tuple, (rows / rows.sum(axis=1, keepdims=True)).tolist())))

    @classmethod
    def cpg_depleted(cls, *, gc: float = 0.42, kept: float = 0.25) -> Background:
        """Bulk vertebrate DNA: C is followed by G ``kept`` times as often as chance would have it.

        Methylated CpG decays to TpG (Bird 1980); what is missing is spread over the other letters.
        """
        shares = np.array([1 - gc, gc, gc, 1 - gc]) / 2
        rows = np.tile(shares, (4, 1))
        rows[1, 2] *= kept
        rows[1, [0, 1, 3]] *= (1 - rows[1, 2]) / rows[1, [0, 1, 3]].sum()
        return cls(composition=tuple(shares.tolist()), transitions=tuple(map(tuple, rows.tolist())))

    @property
    def stationary(self) -> np.ndarray:
        """Expected share of each letter at every position, ``(letters,)``."""
        if self.transitions is None:
            return np.array(self.composition)
        # The left eigenvector of eigenvalue 1, as the least-squares solution of pi P = pi, sum pi = 1.
        size = len(self.transitions)
        system = np.vstack([np.array(self.transitions).T - np.eye(size), np.ones(size)])
        found = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
        return np.maximum(found, 0) / np.maximum(found, 0).sum()

    def sample(self, n: int, length: int, *, generator: np.random.Generator) -> np.ndarray:
        """Draw ``(n, length)`` uint8 codes."""
        uniform = generator.random((n, length))
        first = np.cumsum(self.stationary)[:-1]
        if self.transitions is None:
            return np.searchsorted(first, uniform, side="right").astype(np.uint8)
        following = np.cumsum(np.array(self.transitions), axis=1)[:, :-1]  # (letters, letters - 1)
        codes = np.empty((n, length), np.uint8)
        codes[:, :1] = np.searchsorted(first, uniform[:, :1], side="right")
        for position in range(1, length):
            limits = following[codes[:, position - 1]]  # (n, letters - 1)
            codes[:, position] = (uniform[:, position, None] >= limits).sum(axis=1)
        return codes

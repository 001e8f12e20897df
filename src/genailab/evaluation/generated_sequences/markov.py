"""Sequences by the simplest generators there are: what a deep one has to beat.

`MarkovSequences` draws each letter given the k before it, `PositionFrequencies` (a position weight matrix)
each letter by its position, `shuffled` keeps a real sequence's pairs of letters and loses all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from genailab.data.sequences.alphabet import Alphabet
from genailab.data.sequences.shuffle import shuffle
from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.generated_sequences.collection import SequenceCollection

__all__ = ["MarkovSequences", "PositionFrequencies", "shuffled"]

PSEUDOCOUNT = 1.0  # shared by the letters of a context, so that an unseen word is rare, not impossible
HELD_OUT = 5  # every fifth training sequence chooses the order


@dataclass(frozen=True, kw_only=True, eq=False)
class MarkovSequences:
    """Each letter given the ``order`` letters before it, at every position alike. Make it with `fit`.

    Parameters
    ----------
    order
        Letters before; the first ones of a sequence are given as many as there are.
    tables
        For each number of letters before, 0 to ``order``: shares ``(size^number, size)``.
    lengths
        Of the training sequences; drawn from where none are asked for.
    alphabet
        Of the codes.
    """

    order: int
    tables: tuple[FloatArray, ...]
    lengths: np.ndarray
    alphabet: Alphabet

    @classmethod
    def fit(
        cls, train: SequenceCollection, *, order: int | None = None, orders: Sequence[int] = range(6)
    ) -> MarkovSequences:
        """Count the training sequences.

        Parameters
        ----------
        train
            Words with an unknown letter don't count.
        order
            Letters before; by default the one of ``orders`` under which every fifth training sequence is
            likeliest when the others are counted.
        """
        longest = int(train.lengths.max()) - 1
        orders = [each for each in orders if 0 <= each <= longest] if order is None else [order]
        if not orders or orders[0] < 0 or orders[-1] > longest:
            raise InputError(
                f"order is {order}: give 0 to {longest}, the letters before the last of the longest sequence"
            )
        if len(orders) == 1 or len(train) < 2 * HELD_OUT:
            return cls._counted(train, orders[0])
        rows = np.arange(len(train))
        fitted, held_out = (train.subset(rows[kept]) for kept in (rows % HELD_OUT > 0, rows % HELD_OUT == 0))
        likely = [cls._counted(fitted, each).log_likelihood(held_out).mean() for each in orders]
        return cls._counted(train, orders[int(np.argmax(likely))])

    @classmethod
    def _counted(cls, train: SequenceCollection, order: int) -> MarkovSequences:
        size = train.alphabet.size
        tables = []
        for before in range(order + 1):
            counts = np.full((size**before, size), PSEUDOCOUNT / size)
            # Fewer letters before than the order are known at the beginning of a sequence alone.
            last = train.codes.shape[1] if before == order else before + 1
            context, letter, _ = _contexts(train, before, last)
            np.add.at(counts, (context, letter), 1.0)
            tables.append(counts / counts.sum(axis=1, keepdims=True))
        return cls(order=order, tables=tuple(tables), lengths=train.lengths, alphabet=train.alphabet)

    def log_likelihood(self, sequences: SequenceCollection) -> FloatArray:
        """Log (base e) of each sequence's probability given its length, ``(n,)``, without unknown words."""
        total = np.zeros(len(sequences))
        for before, table in enumerate(self.tables):
            last = sequences.codes.shape[1] if before == self.order else before + 1
            context, letter, row = _contexts(sequences, before, last)
            np.add.at(total, row, np.log(table[context, letter]))
        return total

    def sample(
        self, n: int, *, generator: np.random.Generator, lengths: np.ndarray | None = None
    ) -> SequenceCollection:
        """Draw ``n`` sequences of the given lengths ``(n,)``, or of lengths drawn from the training set's."""
        if lengths is None:
            lengths = generator.choice(self.lengths, size=n)
        size, longest = self.alphabet.size, int(lengths.max())
        codes = np.full((n, longest), size, dtype=np.uint8)
        uniform = generator.random((n, longest))
        context = np.zeros(n, dtype=np.int64)
        for position in range(longest):
            limits = np.cumsum(self.tables[min(position, self.order)][context], axis=1)[:, :-1]
            codes[:, position] = (uniform[:, position, None] >= limits).sum(axis=1)
            kept = size ** min(position + 1, self.order)
            context = (context * size + codes[:, position]) % kept
        codes[np.arange(longest) >= lengths[:, None]] = size
        return SequenceCollection(codes=torch.from_numpy(codes), lengths=lengths, alphabet=self.alphabet)


@dataclass(frozen=True, kw_only=True, eq=False)
class PositionFrequencies:
    """Each letter by its position, independently of all others: ``shares (length, size)``."""

    shares: FloatArray
    alphabet: Alphabet

    @classmethod
    def fit(cls, train: SequenceCollection) -> PositionFrequencies:
        """Count training sequences of one length.

        Raises
        ------
        InputError
            If their lengths differ.
        """
        if not train.aligned:
            raise InputError(
                f"training sequences have {train.lengths.min()} to {train.lengths.max()} letters: "
                "frequencies by position need sequences of one length"
            )
        size = train.alphabet.size
        hot = train.codes[..., None] == torch.arange(size, dtype=torch.uint8)  # (n, length, size)
        counts = hot.sum(dim=0).double().numpy() + PSEUDOCOUNT / size
        return cls(shares=counts / counts.sum(axis=1, keepdims=True), alphabet=train.alphabet)

    def sample(self, n: int, *, generator: np.random.Generator) -> SequenceCollection:
        """Draw ``n`` sequences."""
        limits = np.cumsum(self.shares, axis=1)[:, :-1]  # (length, size - 1)
        codes = (generator.random((n, len(self.shares), 1)) >= limits).sum(axis=2).astype(np.uint8)
        lengths = np.full(n, len(self.shares), dtype=np.int64)
        return SequenceCollection(codes=torch.from_numpy(codes), lengths=lengths, alphabet=self.alphabet)


def shuffled(sequences: SequenceCollection, *, generator: np.random.Generator) -> SequenceCollection:
    """Shuffle each sequence, keeping how often each letter follows each other one, hence its composition."""
    codes = sequences.codes.clone()
    for length in np.unique(sequences.lengths):
        rows = torch.from_numpy(np.flatnonzero(sequences.lengths == length))
        codes[rows, :length] = shuffle(codes[rows, :length].contiguous(), generator=generator)
    return SequenceCollection(
        codes=codes, lengths=sequences.lengths, alphabet=sequences.alphabet, labels=sequences.labels
    )


def _contexts(
    sequences: SequenceCollection, before: int, last: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the word before each letter, the letter and its row, at positions ``before`` up to ``last``."""
    size = sequences.alphabet.size
    codes = sequences.codes.numpy().astype(np.int64)
    letter = codes[:, before:last]
    known = letter < size
    context = np.zeros_like(letter)
    for place in range(before):
        earlier = codes[:, place : place + letter.shape[1]]
        known &= earlier < size
        context = context * size + earlier
    row = np.nonzero(known)[0]
    return context[known], letter[known], row

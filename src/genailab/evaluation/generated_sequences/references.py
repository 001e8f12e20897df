"""What generated sequences are held against: real ones in their part, and the simplest generators.

Where sequences have classes, each class has its own simple generator, and all sets hold the classes in the
proportion of the held-out sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import reduce

import numpy as np

from genailab.evaluation.arrays import IntArray
from genailab.evaluation.generated_sequences.collection import SequenceCollection, together
from genailab.evaluation.generated_sequences.markov import MarkovSequences, PositionFrequencies, shuffled

__all__ = ["ceiling_rows", "reference_sequences"]

MOST_PARAMETERS = 10**6  # of a Markov chain: order 5 of proteins would have 64 million

Generate = Callable[[SequenceCollection, int], SequenceCollection]


def ceiling_rows(
    train: SequenceCollection, real: SequenceCollection, generator: np.random.Generator
) -> IntArray:
    """Rows of ``train`` that stand in for generated sequences: as many of each class as are held out.

    At most half of a class is taken, so that others of its kind remain as the training set of the novelty
    ratio.
    """
    drawn = []
    for label, n in _classes(real).items():
        rows = _rows(train, label)
        drawn.append(generator.choice(rows, size=min(n, (len(rows) + 1) // 2), replace=False))
    return np.sort(np.concatenate(drawn))


def reference_sequences(
    train: SequenceCollection, like: SequenceCollection, *, generator: np.random.Generator
) -> dict[str, SequenceCollection]:
    """As many sequences as ``like`` has of each class, from each simple generator fitted to ``train``.

    A Markov chain whose order (0 to 5) makes left-out training sequences likeliest; training sequences
    shuffled with their pairs of letters kept; and, where all have one length, letters drawn independently by
    position.
    """
    size = train.alphabet.size
    chain = MarkovSequences.fit(train, orders=[k for k in range(6) if size ** (k + 1) <= MOST_PARAMETERS])

    def markov(rows: SequenceCollection, n: int) -> SequenceCollection:
        order = min(chain.order, int(rows.lengths.max()) - 1)
        return MarkovSequences.fit(rows, order=order).sample(n, generator=generator)

    def dinucleotide(rows: SequenceCollection, n: int) -> SequenceCollection:
        order = generator.permutation(len(rows))
        return shuffled(rows.subset(np.resize(order, n)), generator=generator)

    def by_position(rows: SequenceCollection, n: int) -> SequenceCollection:
        return PositionFrequencies.fit(rows).sample(n, generator=generator)

    makers: dict[str, Generate] = {f"Markov (k = {chain.order})": markov, "shuffled pairs": dinucleotide}
    if train.aligned:
        makers["position weights"] = by_position
    return {name: _by_class(train, like, maker) for name, maker in makers.items()}


def _by_class(train: SequenceCollection, like: SequenceCollection, generate: Generate) -> SequenceCollection:
    classes = _classes(like)
    parts = [generate(train.subset(_rows(train, label)), n) for label, n in classes.items()]
    labels = tuple(label for label, n in classes.items() if label is not None for _ in range(n))
    return replace(reduce(together, parts), labels=labels or None)


def _classes(sequences: SequenceCollection) -> dict[str | None, int]:
    if sequences.labels is None:
        return {None: len(sequences)}
    return dict(sorted(Counter(sequences.labels).items()))


def _rows(sequences: SequenceCollection, label: str | None) -> IntArray:
    if label is None or sequences.labels is None:
        return np.arange(len(sequences))
    return np.flatnonzero(np.asarray(sequences.labels) == label)

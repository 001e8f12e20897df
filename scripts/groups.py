"""Find sequences that are copies of each other or overlap, and keep each family in one part of a split."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

__all__ = ["related_groups", "split_groups"]

_COMPLEMENT = str.maketrans("ACGT", "TGCA")


def related_groups(sequences: list[str], *, shared: int, mismatches: int) -> np.ndarray:
    """Find families and number them: linked by a word of ``shared`` letters or by few differences.

    A shared word, on either strand, tells windows that overlap in the genome (a short exon gives a donor and
    an acceptor window); at most ``mismatches`` differences at the same offset tell homologues and repeats.
    """
    pairs = [*_sharing_a_word(sequences, shared), *_nearly_equal(sequences, mismatches)]
    first, second = np.array(pairs).T
    links = coo_matrix((np.ones(len(pairs)), (first, second)), shape=(len(sequences), len(sequences)))
    return connected_components(links, directed=False)[1]


def _sharing_a_word(sequences: list[str], length: int) -> list[tuple[int, int]]:
    holders = defaultdict(list)
    for number, sequence in enumerate(sequences):
        for strand in (sequence, sequence.translate(_COMPLEMENT)[::-1]):
            for start in range(len(strand) - length + 1):
                holders[strand[start : start + length]].append(number)
    return [(numbers[0], other) for numbers in holders.values() for other in numbers[1:]]


def _nearly_equal(sequences: list[str], mismatches: int) -> list[tuple[int, int]]:
    letters = np.array([list(sequence) for sequence in sequences])
    equal = sum(
        (letters == letter).astype(np.float32) @ (letters == letter).T.astype(np.float32) for letter in "ACGT"
    )
    return [(int(a), int(b)) for a, b in np.argwhere(letters.shape[1] - equal <= mismatches)]


def split_groups(group: np.ndarray, label: np.ndarray, *, fractions: dict[str, float]) -> np.ndarray:
    """Give each group a part, the largest first, where its labels are most wanting."""
    wanted = {part: {k: share * n for k, n in Counter(label).items()} for part, share in fractions.items()}
    part_of = {}
    order = np.random.default_rng(0).permutation(group.max() + 1)
    sizes = np.bincount(group)
    for number in order[np.argsort(-sizes[order], kind="stable")]:
        counts = Counter(label[group == number])

        def lack(part: str, counts: Counter = counts) -> float:
            return sum(n * wanted[part][k] / fractions[part] for k, n in counts.items())

        part_of[number] = max(fractions, key=lack)
        for k, n in counts.items():
            wanted[part_of[number]][k] -= n
    return np.array([part_of[number] for number in group])

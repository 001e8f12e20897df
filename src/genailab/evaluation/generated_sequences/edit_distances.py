"""Levenshtein distances of pairs of sequences: fewest letters to change, insert or delete.

Wagner & Fischer 1974, one row of the table at a time for all pairs at once.
"""

from __future__ import annotations

import numpy as np

from genailab.evaluation.arrays import IntArray

__all__ = ["edit_distances"]


def edit_distances(
    first: IntArray, first_lengths: IntArray, second: IntArray, second_lengths: IntArray
) -> IntArray:
    """Distance of row ``i`` of ``first (pairs, n)`` to row ``i`` of ``second (pairs, m)``: ``(pairs,)``.

    Only as many codes of a row count as its length says.

    Examples
    --------
    >>> edit_distances(np.array([[1, 2, 3]]), np.array([3]), np.array([[1, 3, 9]]), np.array([2]))
    array([1])
    """
    n, m = first.shape[1], second.shape[1]
    across = np.arange(m + 1)
    row = np.broadcast_to(across, (len(first), m + 1))
    distances = np.where(first_lengths == 0, second_lengths, 0)
    for i in range(n):
        changed = row[:, :-1] + (first[:, i : i + 1] != second)  # (pairs, m)
        best = np.minimum(row + 1, np.pad(changed, ((0, 0), (1, 0)), constant_values=n + m))
        # Inserting letters one by one: the least of all entries to the left, each plus its distance.
        row = np.minimum.accumulate(best - across, axis=1) + across
        ends = first_lengths == i + 1
        distances[ends] = row[ends, second_lengths[ends]]
    return distances

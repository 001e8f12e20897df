"""Uniform walks that take every step of a given sequence once: the engine of `shuffle`.

Compiled by numba, hence apart from `shuffle`, which imports this module when it is first needed.
"""

from __future__ import annotations

import numpy as np

from genailab.compiled import compiled

__all__ = ["eulerian_walks"]


@compiled
def eulerian_walks(rows: np.ndarray, n_letters: int, generator: np.random.Generator) -> np.ndarray:
    """Draw for each row a sequence uniform among those with the same steps from letter to letter.

    ``rows`` is ``(batch, length)`` uint8 below ``n_letters``; the result has its shape.
    """
    walks = rows.copy()  # (batch, length)
    if rows.shape[1] < 3:
        return walks
    steps = np.empty((n_letters, n_letters), np.int64)
    total = np.empty(n_letters, np.int64)
    last_exit = np.empty(n_letters, np.int64)
    for row in range(len(rows)):
        _count_steps(rows[row], steps, total)
        _draw_last_exits(rows[row, -1], steps, total, last_exit, generator)
        _walk(walks[row], steps, total, last_exit, generator)
    return walks


@compiled
def _count_steps(sequence: np.ndarray, steps: np.ndarray, total: np.ndarray) -> None:
    steps[:] = 0
    total[:] = 0
    for position in range(len(sequence) - 1):
        steps[sequence[position], sequence[position + 1]] += 1
        total[sequence[position]] += 1


@compiled
def _draw_last_exits(
    end: int, steps: np.ndarray, total: np.ndarray, last_exit: np.ndarray, generator: np.random.Generator
) -> None:
    """Draw a tree of exits towards the final letter, by Wilson's loop-erased walks, and set it aside."""
    in_tree = total == 0  # letters that are never left need no exit
    in_tree[end] = True
    last_exit[:] = -1
    for start in range(len(total)):
        letter = start
        while not in_tree[letter]:
            # Leaving to itself is a loop, which Wilson's algorithm erases at once.
            others = total[letter] - steps[letter, letter]
            last_exit[letter] = _draw_step(steps[letter], letter, others, generator)
            letter = last_exit[letter]
        # Later exits overwrote earlier ones, so following them from the start is the walk without its loops.
        letter = start
        while not in_tree[letter]:
            in_tree[letter] = True
            letter = last_exit[letter]
    for letter in range(len(total)):
        if last_exit[letter] >= 0:
            steps[letter, last_exit[letter]] -= 1
            total[letter] -= 1


@compiled
def _walk(
    sequence: np.ndarray,
    steps: np.ndarray,
    total: np.ndarray,
    last_exit: np.ndarray,
    generator: np.random.Generator,
) -> None:
    """Rewrite the sequence from its first letter: free exits in random order, then the one set aside."""
    letter = sequence[0]
    for position in range(1, len(sequence)):
        if total[letter] == 0:
            letter = last_exit[letter]
        else:
            following = _draw_step(steps[letter], -1, total[letter], generator)
            steps[letter, following] -= 1
            total[letter] -= 1
            letter = following
        sequence[position] = letter


@compiled
def _draw_step(counts: np.ndarray, excluded: int, total: int, generator: np.random.Generator) -> int:
    """Draw a letter in proportion to the steps that are left, ``total`` of them without the excluded."""
    left = int(generator.random() * total)
    for letter in range(len(counts)):
        if letter != excluded:
            if left < counts[letter]:
                return letter
            left -= counts[letter]
    return -1

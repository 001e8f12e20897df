"""The practice engine: what there is to practise, checks that explain a mistake, and progress that is kept.

The content itself, a folder an exercise, is in ``genailab/curriculum``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genailab.learn.jupyter.notebook import NotebookExercise

__all__ = ["exercise"]


def exercise(id: str) -> NotebookExercise:
    """Return an exercise to work on in a notebook: ``exercise("s01.1").check(one_hot_encode_sequence)``.

    Raises
    ------
    InputError
        If there is no exercise of this id; the nearest ids are named.
    """
    # A command that lists exercises imports this package, and must start at once.
    from genailab.learn.jupyter.notebook import NotebookExercise

    return NotebookExercise.of(id)

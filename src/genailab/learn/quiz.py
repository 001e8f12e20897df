"""Questions whose wrong options explain themselves: a session's ``quiz.toml``.

[[question]]
text = "Why one-hot, and not the numbers 0 to 3?"
[[question.option]]
text = "It takes less memory."
why = "It takes four times as much."
[[question.option]]
text = "..."
right = true
why = "..."
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from genailab.errors import InputError
from genailab.learn.content import Session

__all__ = ["Option", "Question", "read_quiz"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """One answer, whether it is right, and why."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question with one right answer."""

    text: str
    options: tuple[Option, ...]


def read_quiz(session: Session) -> tuple[Question, ...]:
    """Return the questions of a session; none where it has no quiz.

    Raises
    ------
    InputError
        If a question has not exactly one right option, or an option no reason.
    """
    path = session.folder / "quiz.toml"
    if not path.is_file():
        return ()
    found = []
    for fields in tomllib.loads(path.read_text(encoding="utf-8"))["question"]:
        options = tuple(Option(**option) for option in fields["option"])
        if sum(option.right for option in options) != 1 or not all(option.why for option in options):
            raise InputError(
                f"{path}: {fields['text']!r} needs exactly one right option, and a reason for each"
            )
        found.append(Question(text=fields["text"], options=options))
    return tuple(found)

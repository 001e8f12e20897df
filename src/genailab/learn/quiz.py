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
from pathlib import Path
from typing import Any

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
        If the file is not as it should be: a question has exactly one right option, and each option a reason.
    """
    path = session.folder / "quiz.toml"
    if not path.is_file():
        return ()
    found = []
    for fields in _questions(path):
        try:
            options = tuple(Option(**option) for option in fields["option"])
        except (KeyError, TypeError) as error:
            text = fields.get("text", "a question")
            raise InputError(f"{path}: {text!r} needs options, each with a text and a why") from error
        if sum(option.right for option in options) != 1 or not all(option.why for option in options):
            raise InputError(
                f"{path}: {fields['text']!r} needs exactly one right option, and a reason for each"
            )
        found.append(Question(text=fields["text"], options=options))
    return tuple(found)


def _questions(path: Path) -> list[dict[str, Any]]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("question", [])
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    for number, fields in enumerate(found, start=1):
        if "text" not in fields:
            raise InputError(f"{path}: question {number} has no text")
    return list(found)

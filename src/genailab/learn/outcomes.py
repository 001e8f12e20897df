"""What a check found: one result a check, one verdict an attempt, both plain data that travels as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Self

__all__ = ["CheckResult", "Picture", "State", "Verdict"]


class State(StrEnum):
    """How a check, or a whole attempt, ended; the gravest of an attempt's checks is the attempt's."""

    PASSED = "passed"
    NOT_ATTEMPTED = "not attempted"
    FAILED = "failed"
    ERROR = "error in your code"
    TIMED_OUT = "timed out"


GRAVITY = list(State)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """The learner's values beside the expected ones, for those who draw them.

    Parameters
    ----------
    kind
        ``matrix`` (a heat map), ``logo`` (letters by position, rows A, C, G, T) or ``track`` (lines).
    yours, expected
        Rows of numbers; ``yours`` may have another shape.
    title
        What is shown.
    rows
        Names of the rows.
    """

    kind: str
    yours: Sequence[Sequence[float]]
    expected: Sequence[Sequence[float]]
    title: str = ""
    rows: Sequence[str] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check of an attempt.

    Parameters
    ----------
    name
        What was checked, as a short sentence.
    state
        How it ended.
    message
        What is wrong, in one or two sentences.
    mistake
        Name of the mistake, where a known one was recognised.
    why
        Why it matters in biology or in training.
    given, yours, expected
        The input, what the learner's code made of it, and what is right, as text.
    line
        Line of the learner's file the error was raised in, counted from 1.
    picture
        The two results to be drawn side by side.
    """

    name: str
    state: State
    message: str = ""
    mistake: str | None = None
    why: str = ""
    given: str = ""
    yours: str = ""
    expected: str = ""
    line: int | None = None
    picture: Picture | None = None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Undo ``dataclasses.asdict``."""
        picture = Picture(**fields["picture"]) if fields.get("picture") else None
        return cls(**{**fields, "state": State(fields["state"]), "picture": picture})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What all checks of one attempt found.

    Parameters
    ----------
    id
        Of the exercise.
    seed
        What the hidden inputs were made from: the same seed asks the same again.
    checks
        In the order of the exercise; at least one.
    seconds
        How long the learner's code and its checks ran.
    output
        What the learner's code printed, cut to a page; before it, which of torch's settings were put back.
    """

    id: str
    seed: int
    checks: tuple[CheckResult, ...]
    seconds: float = 0.0
    output: str = ""

    @property
    def outcome(self) -> State:
        """The gravest state of the checks: an attempt has passed only if every check has."""
        return max((check.state for check in self.checks), key=GRAVITY.index)

    @property
    def first_problem(self) -> CheckResult | None:
        """The first check of the gravest state, or None after a pass: what to look at next."""
        if self.outcome is State.PASSED:
            return None
        return next(check for check in self.checks if check.state is self.outcome)

    @property
    def mistake(self) -> str | None:
        """Name of the first mistake that was recognised."""
        return next((check.mistake for check in self.checks if check.mistake), None)

    def to_json(self) -> dict[str, Any]:
        """Return what ``genailab learn check --json`` prints."""
        fields = dataclasses.asdict(self)
        return {"id": self.id, "outcome": self.outcome, "mistake": self.mistake, **fields}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Undo `to_json`."""
        kept = {field.name: fields[field.name] for field in dataclasses.fields(cls)}
        return cls(**{**kept, "checks": tuple(CheckResult.from_json(check) for check in fields["checks"])})

"""What a learner has done on one exercise, and how each event changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from genailab.learn.outcomes import State

__all__ = ["STATES", "TRIES_FOR_SOLUTION", "Event", "ExerciseProgress"]

TRIES_FOR_SOLUTION = 3
STATES = ("not started", "tried", "passed")
SOLUTIONS = ("", "earned", "anyway")

# A line of the history.
Event = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ExerciseProgress:
    """What a learner has done on an exercise.

    Parameters
    ----------
    state
        ``not started``, ``tried`` or ``passed`` (which a later failure does not take away).
    tries
        Checks of a file that was not as given.
    hints
        Highest level seen, 0 to 3.
    solution
        Whether the solution was seen: ``""``, ``earned`` or ``anyway``.
    passed_at
        Time of the first pass, ISO 8601 in UTC, or ``""``.
    """

    state: str = "not started"
    tries: int = 0
    hints: int = 0
    solution: str = ""
    passed_at: str = ""

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Undo ``dataclasses.asdict``; a field that an older version did not write takes its default.

        Raises
        ------
        ValueError
            If a value cannot be one of ours.
        """
        names = {field.name for field in fields(cls)} & row.keys()
        progress = cls(**{name: row[name] for name in names})
        texts = (progress.state, STATES), (progress.solution, SOLUTIONS)
        if any(text not in known for text, known in texts):
            raise ValueError(f"no progress of an exercise: {row}")
        if not all(isinstance(number, int) for number in (progress.tries, progress.hints)):
            raise ValueError(f"no progress of an exercise: {row}")
        return progress

    @property
    def may_see_solution(self) -> bool:
        """Whether it is passed or was tried three times."""
        return self.state == "passed" or self.tries >= TRIES_FOR_SOLUTION

    def after(self, event: Event) -> Self:
        """Return the progress after an event of the history."""
        if event["event"] == "hint":
            return replace(self, hints=max(self.hints, event["level"]))
        if event["event"] == "solution":
            return replace(self, solution=event["how"]) if self.solution != "earned" else self
        if event["event"] != "check" or event["outcome"] == State.NOT_ATTEMPTED:
            return self
        tried = replace(self, tries=self.tries + 1, state=_later(STATES, self.state, "tried"))
        if event["outcome"] != State.PASSED or self.state == "passed":
            return tried
        return replace(tried, state="passed", passed_at=event["at"])

    def joined(self, other: Self) -> Self:
        """Return the further of two records of the same exercise."""
        times = sorted(filter(None, (self.passed_at, other.passed_at)))
        return replace(
            self,
            state=_later(STATES, self.state, other.state),
            tries=max(self.tries, other.tries),
            hints=max(self.hints, other.hints),
            solution="earned"
            if "earned" in (self.solution, other.solution)
            else self.solution or other.solution,
            passed_at=times[0] if times else "",
        )


def _later(order: tuple[str, ...], one: str, other: str) -> str:
    return max(one, other, key=order.index)

"""Where a notebook's progress goes: the workspace it lies in, or nowhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from genailab.errors import InputError
from genailab.learn.outcomes import Verdict
from genailab.learn.state.exercise_progress import ExerciseProgress
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace

__all__ = ["Record", "record_of_here"]

_said: set[str] = set()


class Record:
    """Progress in a workspace's file or, without a workspace, for as long as the kernel runs."""

    def __init__(self, workspace: Workspace | None, reason: str = "") -> None:
        self._progress = None if workspace is None else Progress.open(workspace)
        self._unsaved: dict[str, ExerciseProgress] = {}
        self._reason = reason

    def of(self, id: str) -> ExerciseProgress:
        """Return what was done on an exercise."""
        if self._progress is not None:
            return self._progress.of(id)
        return self._unsaved.get(id, ExerciseProgress())

    def record(self, verdict: Verdict) -> None:
        """Keep a verdict."""
        if self._progress is not None:
            self._progress.record(verdict)
        else:
            event = {"event": "check", "outcome": verdict.outcome, "at": "now"}
            self._unsaved[verdict.id] = self.of(verdict.id).after(event)

    def record_hint(self, id: str, level: int) -> None:
        """Keep that a hint was seen."""
        if self._progress is not None:
            self._progress.record_hint(id, level)
        else:
            self._unsaved[id] = self.of(id).after({"event": "hint", "level": level})

    def record_solution(self, id: str, *, anyway: bool) -> None:
        """Keep that the solution was seen."""
        if self._progress is not None:
            self._progress.record_solution(id, anyway=anyway)

    def notices_once(self) -> list[str]:
        """Return what is to be said about where progress goes, each sentence once a kernel."""
        notices = [self._reason] if self._progress is None else self._progress.notices
        new = [notice for notice in notices if notice not in _said]
        _said.update(new)
        return new


def record_of_here() -> Record:
    """Return the record of the workspace that the current folder lies in; without one nothing is saved."""
    try:
        return Record(Workspace.find(Path.cwd()))
    except FileNotFoundError:
        return _unsaved("Progress is not saved: the folder of this notebook was moved or deleted.")
    except InputError as error:
        return _unsaved(f"Progress is not saved: {error}.")


@cache
def _unsaved(reason: str) -> Record:
    return Record(None, reason)

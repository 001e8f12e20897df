"""How far a learner is, as the page and the report show it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from genailab.learn.content import Exercise, Session
from genailab.learn.outcomes import Verdict
from genailab.learn.quiz import read_quiz
from genailab.learn.state.exercise_progress import ExerciseProgress
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace

__all__ = ["SessionSummary", "Summary", "last_verdict", "summary_of", "verdict_of"]


@dataclass(frozen=True, kw_only=True)
class SessionSummary:
    """A session, what was done on each of its exercises, and its quiz."""

    session: Session
    rows: tuple[tuple[Exercise, ExerciseProgress], ...]
    questions: int
    quiz: int | None

    @property
    def passed(self) -> int:
        """How many exercises are passed."""
        return sum(done.state == "passed" for _, done in self.rows)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All sessions, and sums over them."""

    sessions: tuple[SessionSummary, ...]
    next: Exercise | None
    notices: tuple[str, ...]

    @property
    def rows(self) -> list[tuple[Exercise, ExerciseProgress]]:
        """All exercises."""
        return [row for session in self.sessions for row in session.rows]

    @property
    def passed(self) -> int:
        """How many exercises are passed."""
        return sum(session.passed for session in self.sessions)

    @property
    def tries(self) -> int:
        """How many times a file was checked."""
        return sum(done.tries for _, done in self.rows)

    @property
    def minutes_left(self) -> int:
        """About how long what is not passed takes."""
        return sum(exercise.minutes for exercise, done in self.rows if done.state != "passed")


def summary_of(workspace: Workspace) -> Summary:
    """Return how far the learner of a workspace is."""
    progress = Progress.open(workspace)
    sessions = [
        SessionSummary(
            session=session,
            rows=tuple((exercise, progress.of(exercise.id)) for exercise in session.exercises),
            questions=len(read_quiz(session)),
            quiz=progress.quiz_of(session.id),
        )
        for session in workspace.sessions
    ]
    return Summary(
        sessions=tuple(sessions),
        next=progress.next_exercise(),
        notices=(*workspace.notices, *progress.notices),
    )


def verdict_of(workspace: Workspace, exercise: Exercise) -> Verdict | None:
    """Return the last verdict on an exercise, or None before the first (or where it cannot be read)."""
    path = workspace.state / "feedback" / f"{exercise.id}.json"
    try:
        return Verdict.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def last_verdict(workspace: Workspace) -> tuple[Exercise, Verdict] | None:
    """Return the verdict that was written last, and its exercise."""
    written = [(_changed(workspace, exercise), exercise) for exercise in workspace.exercises]
    when, exercise = max(written, key=lambda pair: pair[0], default=(0, None))
    verdict = verdict_of(workspace, exercise) if exercise is not None and when else None
    return None if exercise is None or verdict is None else (exercise, verdict)


def _changed(workspace: Workspace, exercise: Exercise) -> int:
    try:
        return (workspace.state / "feedback" / f"{exercise.id}.json").stat().st_mtime_ns
    except OSError:
        return 0

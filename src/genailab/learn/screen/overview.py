"""The list of all exercises: what is passed, how long each takes and what it builds on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from genailab.learn.content import Exercise, Session
from genailab.learn.quiz import read_quiz
from genailab.learn.screen.prose import wrap
from genailab.learn.state.exercise_progress import STATES
from genailab.learn.state.progress import Progress

__all__ = ["overview_lines", "overview_rows"]

STATE_WIDTH = max(map(len, STATES))
COLOURS = {"passed": "green", "tried": "bold", "not started": ""}


def overview_rows(
    sessions: Sequence[Session], progress: Progress | None, *, pending: bool = False, search: str = ""
) -> list[tuple[Session, list[tuple[Exercise, str]]]]:
    """Return sessions with their exercises and states, of those only what is asked for.

    Parameters
    ----------
    sessions
        What there is.
    progress
        Of a workspace; without one nothing is started.
    pending
        Leave out what is passed.
    search
        Keep what has this in its id, title or objectives, or in its session's title, in any case.
    """
    found = []
    for session in sessions:
        rows = [
            (exercise, "not started" if progress is None else progress.of(exercise.id).state)
            for exercise in session.exercises
            if _matches(search, session, exercise)
        ]
        rows = [(exercise, state) for exercise, state in rows if not (pending and state == "passed")]
        if rows:
            found.append((session, rows))
    return found


def overview_lines(
    rows: Sequence[tuple[Session, Sequence[tuple[Exercise, str]]]], progress: Progress | None, *, width: int
) -> Iterator[str | Text]:
    """Yield the tree as lines: a session, then its exercises below it."""
    for number, (session, tasks) in enumerate(rows):
        if number:
            yield ""
        yield Text(f"{session.id} {session.title}", style="bold")
        yield f"  {_summary(session, progress)}"
        for exercise, state in tasks:
            yield from _exercise(exercise, state, width)


def _matches(search: str, session: Session, exercise: Exercise) -> bool:
    texts = (exercise.id, exercise.title, session.title, exercise.kind, *exercise.objectives)
    return any(search.lower() in text.lower() for text in texts)


def _summary(session: Session, progress: Progress | None) -> str:
    minutes = sum(exercise.minutes for exercise in session.exercises)
    count = len(session.exercises)
    if progress is None:
        return f"{count} exercise{'' if count == 1 else 's'}, about {minutes} minutes"
    passed = sum(progress.of(exercise.id).state == "passed" for exercise in session.exercises)
    right, questions = progress.quiz_of(session.id), len(read_quiz(session))
    quiz = f"; quiz: {right} of {questions} right" if right is not None else ""
    return f"{passed} of {count} passed, about {minutes} minutes in all{quiz}"


def _exercise(exercise: Exercise, state: str, width: int) -> Iterator[str | Text]:
    after = f", after {' and '.join(exercise.prerequisites)}" if exercise.prerequisites else ""
    left = f"  {state:<{STATE_WIDTH}}  "
    text = f"{exercise.id:<10} {exercise.title} ({exercise.minutes} min{after})"
    first, *rest = wrap(text, width - len(left), hanging=" " * 11)
    yield Text.assemble("  ", (f"{state:<{STATE_WIDTH}}", COLOURS[state]), f"  {first}")
    yield from (" " * len(left) + line for line in rest)

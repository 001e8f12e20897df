"""How far a learner has come: one small file by exercise, and a history that is only ever added to.

``progress.json`` holds every exercise with every field on a line of its own, in a fixed order, so that two
branches in git that passed different exercises merge. ``history.jsonl`` holds every event (two branches'
lines are put one after the other); a damaged ``progress.json`` is mended from its ``.bak`` and the history.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Self

from genailab.errors import InputError
from genailab.learn.content import Exercise
from genailab.learn.outcomes import Verdict
from genailab.learn.state.atomic import write_atomically
from genailab.learn.state.exercise_progress import TRIES_FOR_SOLUTION, Event, ExerciseProgress
from genailab.learn.state.history import add_event, read_events
from genailab.learn.state.workspace import Workspace

__all__ = ["TRIES_FOR_SOLUTION", "ExerciseProgress", "Progress"]

SCHEMA = 1


class Progress:
    """The progress kept in a workspace.

    What cannot be saved (a folder that is read-only) is kept in memory and said in `notices`.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.notices: list[str] = []
        self.path = workspace.state / "progress.json"
        self.history = workspace.state / "history.jsonl"
        self._exercises: dict[str, ExerciseProgress] = {}
        self._quizzes: dict[str, int] = {}
        self._saved = True  # once it could not be, what is in memory is all there is

    @classmethod
    def open(cls, workspace: Workspace) -> Self:
        """Read the progress of a workspace; mend it where it is damaged.

        Raises
        ------
        InputError
            If a newer genailab has written it.
        """
        progress = cls(workspace)
        progress._read()
        return progress

    def of(self, id: str) -> ExerciseProgress:
        """Return what was done on an exercise."""
        return self._exercises.get(id, ExerciseProgress())

    def quiz_of(self, id: str) -> int | None:
        """Return how many answers in a session's quiz were right at best, or None before the first time."""
        return self._quizzes.get(id)

    def record(self, verdict: Verdict) -> None:
        """Keep a verdict: in the progress, in the history, and whole as the last feedback."""
        self._record(
            {
                "event": "check",
                "id": verdict.id,
                "outcome": str(verdict.outcome),
                "mistake": verdict.mistake,
                "seed": verdict.seed,
            }
        )
        text = json.dumps(verdict.to_json(), indent=2) + "\n"
        with self._saving():
            write_atomically(self.workspace.state / "feedback" / f"{verdict.id}.json", text.encode())

    def record_hint(self, id: str, level: int) -> None:
        """Keep that a hint was seen."""
        self._record({"event": "hint", "id": id, "level": level})

    def record_solution(self, id: str, *, anyway: bool) -> None:
        """Keep that the solution was seen, and whether it was earned."""
        self._record({"event": "solution", "id": id, "how": "anyway" if anyway else "earned"})

    def record_reset(self, id: str) -> None:
        """Keep that a file was started again."""
        self._record({"event": "reset", "id": id})

    def record_quiz(self, session: str, right: int) -> None:
        """Keep how many answers were right."""
        self._record({"event": "quiz", "id": session, "right": right})

    def next_exercise(self, *, after: str | None = None) -> Exercise | None:
        """Return the first exercise that is not passed and whose prerequisites are; None when all are passed.

        ``after`` skips to those behind an exercise, and comes back to the first ones at the end.
        """
        order = list(self.workspace.exercises)
        ids = [exercise.id for exercise in order]
        turn = ids.index(after) + 1 if after in ids else 0
        left = [one for one in order[turn:] + order[:turn] if self.of(one.id).state != "passed"]
        ready = [one for one in left if all(self.of(id).state == "passed" for id in one.prerequisites)]
        return next(iter(ready or left), None)

    def current_exercise(self) -> Exercise | None:
        """Return the exercise that was worked on last where it is not passed yet, otherwise the next one."""
        known = {exercise.id: exercise for exercise in self.workspace.exercises}
        worked_on = [
            event["id"] for event in read_events(self.history) if event["event"] in ("check", "hint", "reset")
        ]
        if worked_on and worked_on[-1] in known and self.of(worked_on[-1]).state != "passed":
            return known[worked_on[-1]]
        return self.next_exercise()

    # --- the files ---------------------------------------------------------------------------------------

    def _record(self, event: dict[str, Any]) -> None:
        event = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **event}
        with self._saving(), self._locked():
            if self._saved:
                self._read()  # another terminal may have written since
            self._apply(event)
            with self._saving():
                self._write()
                add_event(self.history, event)
            return
        self._apply(event)

    def _apply(self, event: Event) -> None:
        if event["event"] == "quiz":
            self._quizzes[event["id"]] = max(self._quizzes.get(event["id"], 0), event["right"])
        else:
            self._exercises[event["id"]] = self.of(event["id"]).after(event)

    def _read(self) -> None:
        try:
            self._take(self.path.read_bytes())
        except FileNotFoundError:
            self._mend("is not there")
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            self._mend("was damaged")

    def _take(self, text: bytes) -> None:
        found = json.loads(text)
        if found["schema"] > SCHEMA:
            raise InputError(
                f"{self.path} was written by a newer genailab (schema {found['schema']}, this one reads "
                f"{SCHEMA}): pip install --upgrade genailab"
            )
        # Ids that this version does not know stay.
        self._exercises = {id: ExerciseProgress.from_json(row) for id, row in found["exercises"].items()}
        quizzes = found.get("quizzes", {})
        self._quizzes = {id: int(row["right"]) for id, row in quizzes.items() if row["right"] is not None}

    def _mend(self, what: str) -> None:
        kept = Progress(self.workspace)
        backup = self.path.with_suffix(".json.bak")
        try:
            kept._take(backup.read_bytes())
            has_backup = True
        except (OSError, ValueError, KeyError, TypeError):
            has_backup = False
        events = read_events(self.history)
        if not has_backup and not events and not self.path.exists():
            return  # a new workspace
        told = Progress(self.workspace)
        for event in events:
            told._apply(event)
        ids = kept._exercises.keys() | told._exercises.keys()
        self._exercises = {id: kept.of(id).joined(told.of(id)) for id in ids}
        self._quizzes = dict(kept._quizzes)
        for id, right in told._quizzes.items():
            self._quizzes[id] = max(right, self._quizzes.get(id, 0))
        sources = [*([backup.name] if has_backup else []), *(["history.jsonl"] if events else [])]
        from_what = f"restored from {' and '.join(sources)}" if sources else "begun anew"
        kept_as = self._keep_damaged()
        self.notices.append(f"{self.path.name} {what} and is {from_what}{kept_as}.")
        with self._saving():
            self._write(backup=False)

    def _keep_damaged(self) -> str:
        if not self.path.exists():
            return ""
        aside = self.path.with_suffix(".json.damaged")
        with self._saving():
            self.path.replace(aside)
            return f"; the damaged file is kept as {aside.name}"
        return ""

    def _write(self, *, backup: bool = True) -> None:
        if backup and self.path.is_file():
            write_atomically(self.path.with_suffix(".json.bak"), self.path.read_bytes())
        ids = {exercise.id for exercise in self.workspace.exercises} | self._exercises.keys()
        quizzes = {session.id for session in self.workspace.sessions} | self._quizzes.keys()
        text = json.dumps(
            {
                "exercises": {id: asdict(self.of(id)) for id in ids},
                "quizzes": {id: {"right": self.quiz_of(id)} for id in quizzes},
                "schema": SCHEMA,
            },
            indent=2,
            sort_keys=True,
        )
        write_atomically(self.path, (text + "\n").encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            with FileLock(self.workspace.state / "progress.lock", timeout=5):
                yield
        except Timeout as error:
            raise OSError("another genailab has been writing for five seconds") from error

    @contextmanager
    def _saving(self) -> Iterator[None]:
        try:
            yield
        except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
            self._saved = False
            reason = getattr(error, "strerror", None) or str(error)
            said = f"Progress is not saved: {self.workspace.state} cannot be written to ({reason})."
            if said not in self.notices:
                self.notices.append(said)

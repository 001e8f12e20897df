"""What there is to practise: sessions and exercises, read from the folders of ``genailab/curriculum``.

``session_01_tensors/`` holds ``session.toml`` (id, title, summary, context, objectives), ``quiz.toml`` and a
folder for each exercise, ``exercise_1_name/``, ``adapt_name/``, ``debug_name/``, with ``exercise.toml`` (see
`Exercise`), ``lesson.md``, ``starter.py``, ``solution.py``, ``alternative.py``, ``check.py``, ``hints.md``,
``picture.py``, ``picture.svg`` and ``wrong/*.py``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from genailab.errors import InputError, nearest

__all__ = ["CURRICULUM", "Exercise", "Session", "exercises", "find_exercise", "find_session", "sessions"]

CURRICULUM = Path(__file__).parent.parent / "curriculum"
KINDS = ("code", "adapt", "debug")


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One task and all that belongs to it.

    Parameters
    ----------
    id
        Stable for ever: ``s01.1``, ``s01.adapt``, ``s01.debug``, ``c1.1``.
    title
        A few words.
    minutes
        How long it takes a learner, about.
    kind
        ``code``, ``adapt`` (the same idea on other data) or ``debug`` (find the planted bug).
    objectives
        What the learner can do afterwards.
    prerequisites
        Ids of exercises to pass before.
    seconds, megabytes
        What the learner's code may use: time of one check run, memory beyond that of the libraries.
    max_changed_lines
        For ``debug``: lines that may differ from the file as it was given.
    folder
        Where its files are.
    """

    id: str
    title: str
    minutes: int
    kind: str
    objectives: tuple[str, ...]
    folder: Path
    prerequisites: tuple[str, ...] = ()
    seconds: float = 10.0
    megabytes: int = 1024
    max_changed_lines: int | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"s\d\d\.([1-9]|adapt|debug)|c\d\.[1-9]", self.id):
            raise InputError(f"the id {self.id!r} is not like s01.1, s01.adapt, s01.debug or c1.1")
        if self.kind not in KINDS:
            raise InputError(f"the kind of {self.id} is {self.kind!r}: {nearest(self.kind, KINDS)}")
        if (self.kind == "debug") != (self.max_changed_lines is not None):
            raise InputError(f"{self.id}: max_changed_lines belongs to kind = 'debug', and to no other")
        if min(self.minutes, self.seconds, self.megabytes) <= 0:
            raise InputError(f"{self.id}: minutes, seconds and megabytes must be above 0")

    @property
    def file_name(self) -> str:
        """Name of the learner's file: ``s01_1_dna_encoding.py``."""
        topic = re.sub(r"^(exercise_\d+|part_\d+|adapt|debug)_", "", self.folder.name)
        return f"{self.id.replace('.', '_')}_{topic}.py"

    @property
    def session(self) -> str:
        """What it belongs to: ``s01``, or ``c1`` of a capstone."""
        return self.id.split(".")[0]

    def text(self, name: str) -> str:
        """Return one of its files, such as ``lesson.md``."""
        return (self.folder / name).read_text(encoding="utf-8")

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """A nudge, the approach, nearly the code: what stands below each second-level heading of hints.md."""
        parts = re.split(r"^## .*$", self.text("hints.md"), flags=re.MULTILINE)
        return tuple(part.strip() for part in parts[1:])

    @property
    def wrong(self) -> tuple[Path, ...]:
        """Files with a known mistake each, by name."""
        return tuple(sorted((self.folder / "wrong").glob("*.py")))


@dataclass(frozen=True, kw_only=True)
class Session:
    """Exercises on one topic, in order, and its quiz."""

    id: str
    title: str
    summary: str
    context: str
    objectives: tuple[str, ...]
    folder: Path
    exercises: tuple[Exercise, ...]


@cache
def sessions(root: Path = CURRICULUM) -> tuple[Session, ...]:
    """Return all sessions, then all capstones, in order."""
    folders = [*sorted(root.glob("session_*")), *sorted(root.glob("capstone_*"))]
    return tuple(_session(folder) for folder in folders if (folder / "session.toml").is_file())


def exercises(root: Path = CURRICULUM) -> tuple[Exercise, ...]:
    """Return the exercises of all sessions in order."""
    return tuple(exercise for session in sessions(root) for exercise in session.exercises)


def find_exercise(id: str, root: Path = CURRICULUM) -> Exercise:
    """Return the exercise of this id.

    Raises
    ------
    InputError
        If there is none; the nearest ids are named.
    """
    known = {exercise.id: exercise for exercise in exercises(root)}
    if id not in known:
        raise InputError(f"there is no exercise {id!r}: {nearest(id, known)}")
    return known[id]


def find_session(id: str, root: Path = CURRICULUM) -> Session:
    """Return the session of this id, ``s01`` (``1`` and ``01`` will do) or ``c1``.

    Raises
    ------
    InputError
        If there is none; the nearest ids are named.
    """
    known = {session.id: session for session in sessions(root)}
    key = f"s{int(id):02d}" if id.isdecimal() else id
    if key not in known:
        raise InputError(f"there is no session {id!r}: {nearest(key, known)}")
    return known[key]


def _session(folder: Path) -> Session:
    fields = _read(folder / "session.toml")
    tasks = [_exercise(path.parent) for path in folder.glob("*/exercise.toml")]
    # 1, 2, 3, then adapt, then debug: also the order of the alphabet.
    tasks.sort(key=lambda exercise: exercise.id)
    names = ("id", "title", "summary", "context")
    missing = [name for name in (*names, "objectives") if name not in fields]
    if missing:
        raise InputError(f"{folder / 'session.toml'} lacks {', '.join(missing)}")
    return Session(
        **{name: fields[name] for name in names},
        objectives=tuple(fields["objectives"]),
        folder=folder,
        exercises=tuple(tasks),
    )


def _exercise(folder: Path) -> Exercise:
    fields = dict(_read(folder / "exercise.toml"))
    fields |= {name: tuple(fields.get(name, ())) for name in ("objectives", "prerequisites")}
    try:
        return Exercise(folder=folder, **fields)
    except (TypeError, InputError) as error:
        words = str(error).replace("Exercise.__init__()", "it")
        raise InputError(f"{folder / 'exercise.toml'}: {words}") from error


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML: {error}") from error

"""Help with an exercise: hints by level, the solution once it is earned, and the file as it was given."""

from __future__ import annotations

import difflib
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from genailab.errors import InputError
from genailab.learn.content import Exercise
from genailab.learn.state.atomic import write_atomically
from genailab.learn.state.progress import TRIES_FOR_SOLUTION, Progress
from genailab.learn.state.workspace import Workspace

__all__ = ["Hint", "difference_from_starter", "hint", "solution", "start_again"]

LEVELS = ("a nudge", "the approach", "nearly the code")


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A hint, its level (1 to 3) and what that level is called."""

    level: int
    kind: str
    text: str


def hint(exercise: Exercise, progress: Progress, *, level: int | None = None) -> Hint:
    """Return the next hint (or the one of a level), and keep that it was seen; the last one comes again.

    Raises
    ------
    InputError
        If there is no such level.
    """
    count = len(exercise.hints)
    wanted = min(progress.of(exercise.id).hints + 1, count) if level is None else level
    if not 1 <= wanted <= count:
        raise InputError(f"{exercise.id} has hints of level 1 to {count}, not {wanted}")
    progress.record_hint(exercise.id, wanted)
    kind = LEVELS[wanted - 1] if wanted <= len(LEVELS) else "more"
    return Hint(level=wanted, kind=kind, text=exercise.hints[wanted - 1])


def solution(exercise: Exercise, progress: Progress, *, anyway: bool = False) -> str:
    """Return one way to do it, and keep that it was seen.

    Raises
    ------
    InputError
        If it is neither passed nor tried three times, and not asked for ``anyway``.
    """
    done = progress.of(exercise.id)
    if not done.may_see_solution and not anyway:
        raise InputError(
            f"the solution of {exercise.id} is shown after a pass or {TRIES_FOR_SOLUTION} tries "
            f"(so far: {done.tries}): take a hint with genailab learn hint {exercise.id}, "
            f"or see it now with genailab learn solution {exercise.id} --anyway"
        )
    progress.record_solution(exercise.id, anyway=not done.may_see_solution)
    return exercise.text("solution.py")


def start_again(exercise: Exercise, workspace: Workspace, progress: Progress) -> Path | None:
    """Put the starter back in its place; return where the learner's file is kept, if there was one."""
    path, kept = workspace.path_of(exercise), None
    if path.is_file():
        kept = _unused(workspace.state / "backups", path.stem)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, kept)
    write_atomically(path, exercise.text("starter.py").encode())
    progress.record_reset(exercise.id)
    return kept


def difference_from_starter(exercise: Exercise, workspace: Workspace) -> list[str]:
    """Return what the learner has changed, as the lines of a unified diff; none where nothing is.

    Raises
    ------
    InputError
        If the file is not there.
    """
    path = workspace.path_of(exercise)
    if not path.is_file():
        raise InputError(f"there is no file {path}: genailab learn reset {exercise.id} gives you a new one")
    mine = path.read_text(encoding="utf-8", errors="replace")
    lines = difflib.unified_diff(
        exercise.text("starter.py").splitlines(), mine.splitlines(), "as given", path.name, lineterm=""
    )
    return list(lines)


def _unused(folder: Path, stem: str) -> Path:
    moment = datetime.now().strftime("%Y-%m-%d_%H%M%S")
    names = (f"{stem}.{moment}{f'_{number}' if number else ''}.py" for number in range(1000))
    return next(folder / name for name in names if not (folder / name).exists())

"""One check asked for by a command: which exercise is meant, and its verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from genailab.errors import InputError, nearest
from genailab.learn.checker import Checker
from genailab.learn.content import CURRICULUM, Exercise, exercises, find_exercise
from genailab.learn.outcomes import Verdict
from genailab.learn.seed import new_seed
from genailab.learn.state.progress import Progress

__all__ = ["check_once", "chosen_exercise", "place_for_new"]


def chosen_exercise(id: str | None, file: Path | None, progress: Progress | None) -> Exercise:
    """Return the exercise that is meant: by its id, by the name of a file, or the one worked on.

    Raises
    ------
    InputError
        If there is no such exercise, or nothing says which.
    """
    curriculum = CURRICULUM if progress is None else progress.workspace.curriculum
    if id is not None:
        return find_exercise(id, curriculum)
    if file is not None:
        by_name = {exercise.file_name: exercise for exercise in exercises(curriculum)}
        if file.name not in by_name:
            raise InputError(
                f"{file.name} does not say which exercise it is of ({nearest(file.name, by_name)}): "
                "give its id too"
            )
        return by_name[file.name]
    if progress is None:
        raise InputError(
            "this folder is not in a workspace: go to yours, or give an id and --file, as in "
            "genailab learn check s01.1 --file mine.py"
        )
    current = progress.current_exercise()
    if current is None:
        raise InputError("all exercises are passed: give the id of one, as in genailab learn check s01.1")
    return current


def check_once(
    exercise: Exercise, file: Path | None, progress: Progress | None, *, seed: int | None = None
) -> Verdict:
    """Return the verdict on a file (the workspace's without one); in a workspace it is kept.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if file is None and progress is None:
        raise InputError(
            f"this folder is not in a workspace: go to yours, or say which file is meant, as in "
            f"genailab learn check {exercise.id} --file mine.py"
        )
    path = progress.workspace.path_of(exercise) if file is None and progress is not None else file
    assert path is not None
    if file is not None and not file.is_file():
        raise InputError(f"there is no file {file}")
    with Checker() as checker:
        verdict = checker.check(exercise, path, seed=new_seed() if seed is None else seed)
    if progress is not None:
        progress.record(verdict)
    return verdict


def place_for_new(here: Path, *, ask: Callable[[str], bool] | None) -> Path:
    """Return the folder a new workspace goes to: here if it is empty, else a new one that is agreed to.

    Parameters
    ----------
    here
        The current folder.
    ask
        Puts a question to somebody at a terminal; None where nobody is.

    Raises
    ------
    InputError
        If it is not agreed to, or nobody can be asked.
    """
    if all(path.name.startswith(".") for path in here.iterdir()):
        return here
    new = here / "genailab-practice"
    if new.exists():
        raise InputError(
            f"{here} is not in a workspace: cd {new.name}, or make one with genailab learn init DIR"
        )
    if ask is not None and ask(f"This folder is not empty. Make a workspace in {new.name}?"):
        return new
    raise InputError(
        f"{here} is neither a workspace nor empty: make one with genailab learn init my-practice"
    )

"""The author's gate: starters fail, solutions pass, and every wrong answer fails with its own message.

`problems_of` holds one exercise to it, `problems_of_session` what a session must have beside its exercises.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from genailab.learn.checking.runner import check_source
from genailab.learn.content import Exercise, Session, exercises, find_exercise, sessions
from genailab.learn.outcomes import State, Verdict
from genailab.learn.quiz import read_quiz
from genailab.learn.seed import new_seed

__all__ = ["problems_of", "problems_of_session"]

LONGEST_STARTER = 60  # lines
FEWEST_WRONG = 4
WRONG_SEEDS = 3
QUESTIONS = 5
PARTS = ("lesson.md", "starter.py", "solution.py", "alternative.py", "check.py", "hints.md")
MISTAKE = "mistake: "


def problems_of(exercise: Exercise, *, n_seeds: int = 20, seed: int | None = None) -> list[str]:
    """Return what is wrong with an exercise, a sentence each, or an empty list.

    Parameters
    ----------
    exercise
        Which one.
    n_seeds
        How many hidden inputs the solution is tried with; a wrong answer is tried with up to three, every
        other file with one.
    seed
        The first of them; random without one.
    """
    # A bug is mended where it is: there is no other way to do it.
    parts = [name for name in PARTS if not (exercise.kind == "debug" and name == "alternative.py")]
    missing = [name for name in parts if not (exercise.folder / name).is_file()]
    if missing:
        return [f"{exercise.id}: {name} is missing" for name in missing]
    first = new_seed() if seed is None else seed
    found = [*_of_files(exercise), *_of_starter(exercise, first)]
    # A mistake that only some inputs tell apart would go unnoticed on the others.
    for number in range(min(n_seeds, WRONG_SEEDS)):
        found += _of_wrong(exercise, first + number)
    for number in range(n_seeds):
        found += _of_right(exercise, "solution.py", first + number)
    if "alternative.py" in parts:
        found += _of_right(exercise, "alternative.py", first)
    return [f"{exercise.id}: {problem}" for problem in found]


def problems_of_session(session: Session) -> list[str]:
    """Return what a session lacks: three exercises, one to adapt, one to debug, and a quiz."""
    ids = {exercise.id for exercise in session.exercises}
    parts = ("1", "2", "3", "adapt", "debug") if session.id.startswith("s") else ("1", "2", "3", "4", "5")
    found = [f"{session.id}.{part} is missing" for part in parts if f"{session.id}.{part}" not in ids]
    known = {exercise.id for exercise in exercises(session.folder.parent)}
    for exercise in session.exercises:
        unknown = [id for id in exercise.prerequisites if id not in known]
        found += [f"{exercise.id} builds on {id!r}, which there is not" for id in unknown]
    questions = read_quiz(session)
    if len(questions) != QUESTIONS:
        found.append(f"{session.id} has a quiz of {len(questions)} questions: {QUESTIONS} are promised")
    return found


def _of_files(exercise: Exercise) -> Iterator[str]:
    if len(exercise.hints) != 3 or not all(exercise.hints):
        yield f"hints.md has {len(exercise.hints)} hints: a nudge, an approach and nearly the code are due"
    lines = len(exercise.text("starter.py").splitlines())
    if lines >= LONGEST_STARTER:
        yield f"starter.py has {lines} lines: fewer than {LONGEST_STARTER} are promised"
    if not exercise.objectives:
        yield "exercise.toml names no objectives"
    names = [_mistake_of(path) for path in exercise.wrong]
    yield from (
        f"wrong/{path.name} must begin with a docstring '{MISTAKE}NAME'"
        for path, name in zip(exercise.wrong, names, strict=True)
        if name is None
    )
    twice = {name for name in names if name is not None and names.count(name) > 1}
    yield from (f"wrong/ has two files with the mistake {name!r}" for name in sorted(twice))
    if len(exercise.wrong) < FEWEST_WRONG:
        yield f"wrong/ has {len(exercise.wrong)} files: at least {FEWEST_WRONG} are promised"
    if "picture.svg" in exercise.text("lesson.md") and not (exercise.folder / "picture.svg").is_file():
        yield "lesson.md shows picture.svg, which there is not"


def _of_starter(exercise: Exercise, seed: int) -> Iterator[str]:
    verdict = _verdict(exercise, exercise.folder / "starter.py", seed)
    if verdict.outcome is not State.NOT_ATTEMPTED:
        yield f"starter.py is {verdict.outcome}: it must be {State.NOT_ATTEMPTED}"
    # Also one in which something else was touched: a function that is still a stub is no wrong answer.
    touched = check_source(
        exercise, exercise.text("starter.py") + "\nTOUCHED = 1\n", path=Path("starter.py"), seed=seed
    )
    if exercise.max_changed_lines is None and touched.outcome not in (State.NOT_ATTEMPTED, State.FAILED):
        yield f"starter.py with a line added is {touched.outcome}"
    if touched.outcome is State.PASSED:
        yield "starter.py with a line added passes"


def _of_right(exercise: Exercise, name: str, seed: int) -> Iterator[str]:
    verdict = _verdict(exercise, exercise.folder / name, seed)
    problem = verdict.first_problem
    if problem is not None:
        yield f"{name} with seed {seed} is {verdict.outcome} at {problem.name!r}: {problem.message}"
    elif verdict.seconds > exercise.seconds / 2:
        yield f"{name} took {verdict.seconds} s: more than half of the {exercise.seconds:g} s it may take"


def _of_wrong(exercise: Exercise, seed: int) -> Iterator[str]:
    for path in exercise.wrong:
        name = _mistake_of(path)
        if name is None:
            continue
        verdict = _verdict(exercise, path, seed)
        if verdict.mistake != name:
            problem = verdict.first_problem
            what = "passes" if problem is None else f"says {verdict.mistake!r} ({problem.message})"
            yield f"wrong/{path.name} {what} with seed {seed}: it must be named {name!r}"


def _mistake_of(path: Path) -> str | None:
    try:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    except SyntaxError:
        return None
    return text.removeprefix(MISTAKE).strip() if text.startswith(MISTAKE) else None


def _verdict(exercise: Exercise, path: Path, seed: int) -> Verdict:
    return check_source(exercise, path.read_text(encoding="utf-8"), path=path, seed=seed)


if __name__ == "__main__":
    # For authors: python -m genailab.learn.authors.gate s01.1; users have `genailab learn dev check`.
    chosen = [find_exercise(id) for id in sys.argv[1:]] or list(exercises())
    found = [problem for exercise in chosen for problem in problems_of(exercise)]
    if not sys.argv[1:]:
        found += [problem for session in sessions() for problem in problems_of_session(session)]
    sys.stdout.write("\n".join(found or [f"{len(chosen)} exercises hold"]) + "\n")
    sys.exit(bool(found))

"""An exercise in a notebook: the same checks, hints and progress as in a terminal.

>>> from genailab.learn import exercise
>>> ex = exercise("s01.1")
>>> ex
s01.1 DNA sequence encoding: .lesson(), .check(...), .hint(), .solution()

``ex.check(one_hot_encode_sequence)`` checks what the kernel holds, in a forked child of it: what the checks
or the learner's code do there, the kernel never sees. Results show as HTML where that is possible, and as
plain text elsewhere.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genailab.errors import InputError, nearest
from genailab.learn.content import Exercise, find_exercise
from genailab.learn.jupyter.cells import cells_of, source_of, whole_cell
from genailab.learn.jupyter.notebooks import split_docstring
from genailab.learn.jupyter.shown import Shown, feedback, page
from genailab.learn.outcomes import Verdict
from genailab.learn.screen.guidance import LEVELS
from genailab.learn.seed import new_seed
from genailab.learn.state.exercise_progress import TRIES_FOR_SOLUTION
from genailab.learn.state.records import record_of_here

__all__ = ["NotebookExercise", "starter_names"]


class NotebookExercise:
    """An exercise; each method's result shows itself.

    Parameters
    ----------
    exercise
        Which one.
    """

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise

    @classmethod
    def of(cls, id: str) -> NotebookExercise:
        """Return the exercise of this id; an InputError names the nearest ids where there is none."""
        return cls(find_exercise(id))

    def __repr__(self) -> str:
        return f"{self.exercise.id} {self.exercise.title}: .lesson(), .check(...), .hint(), .solution()"

    def check(self, *functions: Any, seed: int | None = None) -> Shown:
        """Check what this notebook defines.

        Parameters
        ----------
        functions
            What is to be checked. What the exercise asks for beside them, or all of it where none is given,
            is taken from the notebook by name.
        seed
            Of the hidden inputs, to have the same ones again.
        """
        # Read only: what the caller's cell has defined.
        namespace = _namespace(sys._getframe(1).f_globals)
        verdict = _check(self.exercise, functions, namespace, seed)
        record = record_of_here()
        record.record(verdict)
        return feedback(verdict, self.exercise, notes=record.notices_once())

    def hint(self, level: int | None = None) -> Shown:
        """Return the next hint (a nudge, then the approach, then nearly the code), or that of a level."""
        record, count = record_of_here(), len(self.exercise.hints)
        wanted = min(record.of(self.exercise.id).hints + 1, count) if level is None else level
        if not 1 <= wanted <= count:
            raise InputError(f"{self.exercise.id} has hints of level 1 to {count}, not {wanted}")
        record.record_hint(self.exercise.id, wanted)
        title = f"**Hint {wanted} of {count}: {LEVELS[wanted - 1]}**"
        return page(f"{title}\n\n{self.exercise.hints[wanted - 1]}")

    def solution(self, *, anyway: bool = False) -> Shown:
        """Return one way to do it: after a pass or three tries, or ``anyway``."""
        id, record = self.exercise.id, record_of_here()
        done = record.of(id)
        if not (done.may_see_solution or anyway):
            return page(
                f"The solution is shown after a pass or {TRIES_FOR_SOLUTION} tries; so far you have tried "
                f"{done.tries} times. A hint may be enough: `ex.hint()`. To see it now: "
                "`ex.solution(anyway=True)`."
            )
        record.record_solution(id, anyway=not done.may_see_solution)
        return page(f"```python\n{self.exercise.text('solution.py')}```")

    def lesson(self) -> Shown:
        """Return the lesson."""
        return page(self.exercise.text("lesson.md"), exercise=self.exercise)


def starter_names(exercise: Exercise) -> list[str]:
    """Return the functions and classes that a starter defines, then its values."""
    body = ast.parse(exercise.text("starter.py")).body
    defined = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    return defined + [target.id for target in targets if isinstance(target, ast.Name)]


def _check(
    exercise: Exercise, functions: tuple[Any, ...], namespace: Mapping[str, Any], seed: int | None
) -> Verdict:
    from genailab.learn.checking.runner import check_source

    given = _named(exercise, functions)
    asked = starter_names(exercise)
    names = {**namespace, **given}
    # What is not there is not attempted, as it is in a file that was not touched.
    names |= {name: None for name in asked if name not in names}
    cells = cells_of(namespace, functions)
    if exercise.max_changed_lines is None:
        source = source_of(cells, [*asked, *given])
    else:
        # The notebook's cell began without the docstring, which is no line that was changed.
        source = split_docstring(exercise.text("starter.py"))[0] + whole_cell(cells, asked)
    return check_source(
        exercise,
        source,
        path=_file_of([names[name] for name in asked], cells),
        seed=new_seed() if seed is None else seed,
        names=names,
    )


def _named(exercise: Exercise, functions: tuple[Any, ...]) -> dict[str, Any]:
    found = {}
    for function in functions:
        name = getattr(function, "__name__", None)
        if name is None:
            raise InputError(
                f"check takes functions and classes, not a {type(function).__name__}: values are "
                f"found in the notebook by name, with exercise({exercise.id!r}).check()"
            )
        asked = starter_names(exercise)
        if name not in asked:
            raise InputError(f"{exercise.id} asks for no {name!r}: {nearest(name, asked)}")
        found[name] = function
    return found


def _namespace(caller: Mapping[str, Any]) -> Mapping[str, Any]:
    if "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
        if shell is not None:
            found: Mapping[str, Any] = shell.user_ns
            return found
    return caller


def _file_of(values: list[Any], cells: Sequence[str]) -> Path:
    """Return what Python calls the cell that was run last of those that define the values.

    An error in it is reported with its line; what was just edited is the likeliest to fail.
    """
    codes = [getattr(value, "__code__", None) or _first_code(value) for value in values]
    files = {code.co_filename: _place(code.co_filename, cells) for code in codes if code is not None}
    return Path(max(files, key=files.__getitem__)) if files else Path("notebook cell")


def _place(file: str, cells: Sequence[str]) -> int:
    text = "".join(linecache.getlines(file)).strip()
    return max((number for number, cell in enumerate(cells) if cell.strip() == text), default=-1)


def _first_code(value: Any) -> Any:
    methods = vars(value).values() if isinstance(value, type) else ()
    return next((method.__code__ for method in methods if hasattr(method, "__code__")), None)

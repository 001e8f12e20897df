"""A session's notebook: its lessons and, for each exercise, a cell to write in and one that checks.

The format is nbformat 4.5, written by hand: a notebook is given to learners who have not installed JupyterLab
yet, too.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from genailab.learn.content import Exercise, Session
from genailab.learn.state.atomic import write_atomically

__all__ = ["notebook_of", "split_docstring", "write_notebook"]

Cell = dict[str, Any]

HOW = """\
Each exercise has a lesson, a cell to write in and a cell that checks it: run both with Shift+Enter. Checking
again and again is how it is meant. Where you are stuck, add a cell with `ex.hint()`.
"""


def write_notebook(session: Session, path: Path) -> None:
    """Write the notebook of a session; its lessons link to ``pictures/s01_1.svg`` beside it."""
    text = json.dumps(notebook_of(session), indent=1, ensure_ascii=False, sort_keys=True)
    write_atomically(path, (text + "\n").encode())


def notebook_of(session: Session) -> dict[str, Any]:
    """Return the notebook of a session, as nbformat 4.5 has it."""
    first = f"# Session {session.id}: {session.title}\n\n{session.summary}\n\n{HOW}"
    cells = [
        _text(f"{session.id}-start", first),
        *[cell for exercise in session.exercises for cell in _cells(exercise)],
        _text(f"{session.id}-end", _last_words(session)),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def split_docstring(text: str) -> tuple[str, str]:
    """Return a file's docstring, as its lines stand there, and the rest."""
    first = ast.parse(text).body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    end = first.end_lineno or 0 if is_text else 0
    lines = text.splitlines(keepends=True)
    return "".join(lines[:end]), "".join(lines[end:])


def _cells(exercise: Exercise) -> list[Cell]:
    id = exercise.id.replace(".", "-")
    return [
        _lesson(exercise),
        _code(f"{id}-yours", _starter(exercise)),
        _code(f"{id}-check", _check(exercise)),
    ]


def _check(exercise: Exercise) -> str:
    # With its import: after a restart of the kernel any exercise can be gone on with, not the first alone.
    return (
        "from genailab.learn import exercise\n\n"
        f'ex = exercise("{exercise.id}")\n'
        f"ex.check({', '.join(_functions(exercise))})"
    )


def _lesson(exercise: Exercise) -> Cell:
    text = exercise.text("lesson.md")
    # Down a level, and with its id, so that the table of contents is the session's.
    title, _, rest = text.partition("\n")
    text = f"## {exercise.id} {title.removeprefix('# ')}\n{rest}"
    # In the words of a notebook.
    text = text.replace(" in the file.", " in the cell below.")
    # Beside the notebook, as the workspace has it: JupyterLab shows no SVG that is attached.
    text = text.replace("(picture.svg)", f"(pictures/{exercise.id.replace('.', '_')}.svg)")
    return _text(f"{exercise.id.replace('.', '-')}-lesson", text)


def _starter(exercise: Exercise) -> str:
    """Return the starter without its docstring, which speaks of a file."""
    _, program = split_docstring(exercise.text("starter.py"))
    return f"# {exercise.id} {exercise.title}\n{program.strip()}"


def _functions(exercise: Exercise) -> list[str]:
    body = ast.parse(exercise.text("starter.py")).body
    names = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return [name for name in names if not name.startswith("_")]


def _last_words(session: Session) -> str:
    return (
        "## Can you explain it?\n\nFive questions: `genailab learn quiz "
        f"{session.id}` in a terminal, or the page that `genailab learn serve` shows."
    )


def _text(id: str, source: str) -> Cell:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": _lines(source)}


def _code(id: str, source: str) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": id,
        "metadata": {},
        "outputs": [],
        "source": _lines(source),
    }


def _lines(source: str) -> list[str]:
    return source.strip("\n").splitlines(keepends=True)

"""What a learner is given: lessons, pictures, starters and notebooks, as files of a workspace."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from genailab.learn.content import Exercise, Session
from genailab.learn.state.atomic import write_atomically
from genailab.learn.state.workspace import Workspace

__all__ = ["digest", "given", "hand_out", "handout", "picture_of", "write_given"]

PAGE = """\
# genailab practice

Deep learning for genomics, by doing. Sessions: {sessions}, exercises: {count}.

## Go on tomorrow

Open a terminal in this folder and type

    genailab learn

It shows the next exercise and checks every file you save. Your progress is kept in `.genailab`; nothing
leaves this computer. The folder may be moved, and kept in git.

## The way through

{map}

## Also useful

| Type | to |
|---|---|
| `genailab learn list` | see all exercises and where you are |
| `genailab learn check s01.1` | check one file |
| `genailab learn hint s01.1` | get a hint: a nudge, then the approach, then nearly the code |
| `genailab learn solution s01.1` | see one way to do it, after a pass or three tries |
| `genailab learn reset s01.1` | start a file again (yours is kept) |
| `genailab learn quiz 1` | see whether you can explain it |
| `genailab learn notebook 1` | do the session in JupyterLab |
| `genailab learn serve` | see lessons and progress in the browser |
"""


def handout(workspace: Workspace) -> dict[str, bytes]:
    """Return every file that is given, by its path from the workspace's root."""
    files = {"README.md": _front_page(workspace).encode()}
    for session in workspace.sessions:
        folder = session.folder.name
        files[f"{folder}/README.md"] = _session_page(session).encode()
        for exercise in session.exercises:
            files[f"{folder}/{exercise.file_name}"] = exercise.text("starter.py").encode()
            picture = exercise.folder / "picture.svg"
            if picture.is_file():
                files[f"{folder}/{picture_of(exercise)}"] = picture.read_bytes()
        files[f"{folder}/{workspace.notebook_of(session).name}"] = _notebook(session)
    return files


def hand_out(workspace: Workspace) -> None:
    """Write all files that are given into a new workspace."""
    files = handout(workspace)
    for name, content in files.items():
        write_atomically(workspace.root / name, content)
    write_given(workspace, {name: digest(content) for name, content in files.items()})


def digest(content: bytes) -> str:
    """Return what tells whether a file is still as it was given."""
    return hashlib.sha256(content).hexdigest()


def given(workspace: Workspace) -> dict[str, str]:
    """Return the digests of what was given; empty where that is not known any more."""
    try:
        found: dict[str, str] = json.loads((workspace.state / "given.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def write_given(workspace: Workspace, digests: Mapping[str, str]) -> None:
    """Write the digests, one a line, so that two versions merge in git."""
    text = json.dumps(dict(digests), indent=2, sort_keys=True) + "\n"
    write_atomically(workspace.state / "given.json", text.encode())


def picture_of(exercise: Exercise) -> str:
    """Return where a lesson's picture is, from its session's folder."""
    return f"pictures/{exercise.id.replace('.', '_')}.svg"


def _front_page(workspace: Workspace) -> str:
    lines = [
        f"- [{session.title}]({session.folder.name}/README.md): {session.summary}"
        for session in workspace.sessions
    ]
    return PAGE.format(count=len(workspace.exercises), sessions=len(workspace.sessions), map="\n".join(lines))


def _session_page(session: Session) -> str:
    minutes = sum(exercise.minutes for exercise in session.exercises)
    objectives = "\n".join(f"- {objective}" for objective in session.objectives)
    contents = "\n".join(
        f"- `{exercise.id}` {exercise.title}, about {exercise.minutes} minutes: `{exercise.file_name}`"
        for exercise in session.exercises
    )
    head = (
        f"# Session {session.id}: {session.title}\n\n{session.summary}\n\n"
        f"In genomics: {session.context}. About {minutes} minutes.\n\n{objectives}\n\n{contents}\n"
    )
    return "\n".join([head, *map(_lesson, session.exercises)])


def _lesson(exercise: Exercise) -> str:
    """Return a lesson as a chapter of its session's page: a level down, its picture where it was copied."""
    text = exercise.text("lesson.md").replace("(picture.svg)", f"({picture_of(exercise)})")
    lines, in_code = [f"<a id='{exercise.id}'></a>", ""], False
    for line in text.splitlines():
        in_code ^= line.startswith("```")
        if line.startswith("#") and not in_code:
            # Only the title names its exercise.
            line = f"## {exercise.id} {line[2:]}" if line.startswith("# ") else f"#{line}"
        lines.append(line)
    return "\n".join([*lines, "", f"*Your file: `{exercise.file_name}`*", ""])


def _notebook(session: Session) -> bytes:
    from genailab.learn.jupyter.notebooks import write_notebook

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notebook.ipynb"
        write_notebook(session, path)
        return path.read_bytes()

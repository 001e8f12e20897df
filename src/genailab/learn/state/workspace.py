"""A learner's folder: where its files are, and who made it.

It holds::

    README.md                        how to go on tomorrow
    session_01_tensors/README.md     the session and its lessons, with pictures/
                       s01.ipynb     the same exercises as a notebook
                       s01_1_dna_encoding.py ...
    .genailab/workspace.json         schema and version of genailab
              given.json             what was handed out (sha256), so that `update` knows what was edited
              progress.json history.jsonl feedback/ backups/

All paths inside are relative: the folder may be moved, renamed, or kept in git.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from genailab import __version__
from genailab.errors import InputError
from genailab.learn.content import CURRICULUM, Exercise, Session, find_exercise, sessions
from genailab.learn.state.atomic import write_atomically

__all__ = ["SCHEMA", "STATE", "Workspace"]

STATE = ".genailab"
SCHEMA = 1

# In git: what each machine has for itself stays out, and two histories are put one after the other.
IGNORED = "backups/\nfeedback/\n*.lock\n*.pid\n*.bak\n*.damaged\n"
ATTRIBUTES = "history.jsonl merge=union\n"


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A learner's folder.

    Parameters
    ----------
    root
        The folder.
    curriculum
        The content it was made from.
    made_by
        Version of genailab that wrote its files last.
    notices
        What the learner should be told about it, a sentence each.
    """

    root: Path
    curriculum: Path = CURRICULUM
    made_by: str = __version__
    notices: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def find(cls, start: Path | None = None, *, curriculum: Path = CURRICULUM) -> Self:
        """Return the workspace that ``start`` (the current folder without it) lies in.

        Raises
        ------
        InputError
            If there is none, or a newer genailab has made it.
        """
        here = (Path.cwd() if start is None else start).resolve()
        found = cls.find_if_any(here, curriculum=curriculum)
        if found is None:
            raise InputError(
                f"{here} is not in a workspace: go to yours, or make one with genailab learn init DIR"
            )
        return found

    @classmethod
    def find_if_any(cls, start: Path | None = None, *, curriculum: Path = CURRICULUM) -> Self | None:
        """Return the workspace that ``start`` lies in, or None."""
        here = (Path.cwd() if start is None else start).resolve()
        for folder in (here, *here.parents):
            if (folder / STATE / "workspace.json").is_file():
                return cls._open(folder, curriculum)
        return None

    @classmethod
    def create(cls, folder: Path, *, curriculum: Path = CURRICULUM) -> Self:
        """Make a workspace with all lessons and exercises in a new or empty folder.

        Raises
        ------
        InputError
            If the folder holds something (files whose name begins with a dot do not count) or is a workspace.
        """
        from genailab.learn.state.handout import hand_out

        _check_empty(folder)
        workspace = cls(root=folder.resolve(), curriculum=curriculum)
        write_atomically(workspace.state / ".gitignore", IGNORED.encode())
        write_atomically(workspace.state / ".gitattributes", ATTRIBUTES.encode())
        hand_out(workspace)
        # Last: only a folder that is complete is a workspace.
        workspace.write()
        return workspace

    @classmethod
    def _open(cls, root: Path, curriculum: Path) -> Self:
        path = root / STATE / "workspace.json"
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            schema, made_by = int(fields["schema"]), str(fields["genailab"])
        except (ValueError, KeyError, TypeError):
            # It says nothing that is not known otherwise.
            said = f"{path} is damaged: genailab learn update writes it anew (your files and progress stay)"
            return cls(root=root, curriculum=curriculum, made_by="unknown", notices=(said,))
        if schema > SCHEMA:
            raise InputError(
                f"{root} was made by genailab {made_by}, which is newer than the {__version__} here: "
                "pip install --upgrade genailab"
            )
        said = (
            f"This workspace has the content of genailab {made_by}, and {__version__} is installed: "
            "genailab learn update brings what is new, and leaves your edits alone."
        )
        return cls(
            root=root,
            curriculum=curriculum,
            made_by=made_by,
            notices=() if made_by == __version__ else (said,),
        )

    @property
    def state(self) -> Path:
        """The folder of what genailab keeps."""
        return self.root / STATE

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Sessions and capstones, in order."""
        return sessions(self.curriculum)

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """Exercises, in order."""
        return tuple(exercise for session in self.sessions for exercise in session.exercises)

    def exercise(self, id: str) -> Exercise:
        """Return the exercise of this id; an InputError names the nearest ids where there is none."""
        return find_exercise(id, self.curriculum)

    def folder_of(self, session: Session) -> Path:
        """Return where a session's files are."""
        return self.root / session.folder.name

    def path_of(self, exercise: Exercise) -> Path:
        """Return where the learner's file of an exercise is."""
        return self.root / exercise.folder.parent.name / exercise.file_name

    def notebook_of(self, session: Session) -> Path:
        """Return where a session's notebook is."""
        return self.folder_of(session) / f"{session.id}.ipynb"

    def shown(self, path: Path) -> str:
        """Return a path as it is best shown: from the current folder, where it lies below that."""
        here = Path.cwd()
        return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

    def write(self) -> None:
        """Write ``workspace.json``."""
        fields: dict[str, Any] = {"genailab": __version__, "schema": SCHEMA}
        write_atomically(self.state / "workspace.json", (json.dumps(fields, indent=2) + "\n").encode())


def _check_empty(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: give the name of a new or empty folder")
    if (folder / STATE / "workspace.json").exists():
        raise InputError(f"{folder} is a workspace already: genailab learn goes on in it")
    held = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if held:
        raise InputError(
            f"{folder} is not empty (it holds {held[0]!r}{' and more' if len(held) > 1 else ''}): name a new "
            "folder, as in genailab learn init my-practice"
        )

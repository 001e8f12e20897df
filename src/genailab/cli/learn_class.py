"""``genailab learn class``: for teachers, progress as files and as a table."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["class_app"]

class_app = typer.Typer(
    help="For teachers: progress as files and as a table.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@class_app.command()
def export(
    name: Annotated[str | None, typer.Option(help="Of the learner; otherwise the user's.")] = None,
    to: Annotated[Path | None, typer.Option(help="File to write; otherwise it is printed.")] = None,
) -> None:
    """Write the progress of this workspace as one JSON file; it holds no code."""
    from genailab.learn.state import classroom
    from genailab.learn.state.progress import Progress
    from genailab.learn.state.workspace import Workspace

    text = classroom.export(Progress.open(Workspace.find()), learner=name or getpass.getuser())
    _put(text, to)


@class_app.command()
def collect(
    files: Annotated[list[Path], typer.Argument(help="Exported files, or folders of them.")],
    to: Annotated[Path | None, typer.Option(help="CSV to write; otherwise it is printed.")] = None,
) -> None:
    """Make one table (CSV) of many exported files: a row a learner."""
    from genailab.learn.state import classroom

    _put(classroom.collect(files), to)


def _put(text: str, to: Path | None) -> None:
    if to is None:
        typer.echo(text, nl=False)
        return
    to.write_text(text, encoding="utf-8")
    typer.echo(str(to))

"""``genailab learn``: practise in a terminal; each save is checked."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from genailab.cli.learn_authors import dev_app
from genailab.cli.learn_class import class_app
from genailab.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from genailab.learn.content import Exercise
    from genailab.learn.state.progress import Progress
    from genailab.learn.state.workspace import Workspace

__all__ = ["learn_app"]


class _Learn(TyperGroup):
    """What could not be done ends with 2: 1 says that a check was not passed."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (InputError, OSError) as error:
            if "--debug" in sys.argv:
                raise
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None  # a watcher has said how to go on; others need no word


learn_app = typer.Typer(
    help="Practise. Without a command: show the next exercise, and check each file that is saved.",
    cls=_Learn,
    rich_markup_mode=None,
)
learn_app.add_typer(class_app, name="class")
learn_app.add_typer(dev_app, name="dev")

Id = Annotated[str, typer.Argument(metavar="ID", help="Of an exercise, such as s01.1.")]
MaybeId = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="Of an exercise, such as s01.1; without it the one you are at."),
]
SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="Its number, or c1 for a capstone.")]


@learn_app.callback(invoke_without_command=True)
def learn(context: typer.Context) -> None:
    """Go on: show the next exercise and check each save. In an empty folder this begins the practice."""
    if context.invoked_subcommand is not None:
        return
    from genailab.learn.screen.watch import watch

    page = _page()
    watch(_here_or_new(page), page)


@learn_app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="A new or empty folder.")] = Path(),
) -> None:
    """Make a workspace: a folder a session."""
    _made(folder, _page())


@learn_app.command("list")
def list_(
    pending: Annotated[bool, typer.Option("--pending", help="Leave out what is passed.")] = False,
    search: Annotated[str, typer.Option(help="Only what has this in its title or objectives.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Show all exercises: state, minutes and what each builds on."""
    from genailab.learn.content import sessions
    from genailab.learn.screen.overview import overview_lines, overview_rows
    from genailab.learn.screen.terminal import show

    progress = _progress_if_any()
    rows = overview_rows(sessions(), progress, pending=pending, search=search)
    if json:
        typer.echo(json_text.dumps(_as_json(rows), indent=2))
        return
    page = _page()
    show(page, overview_lines(rows, progress, width=page.width))
    if not rows:
        typer.echo("Nothing is left to do." if pending and not search else f"Nothing has {search!r} in it.")
    if progress is None:
        typer.echo("\nThis folder is not in a workspace; to begin: genailab learn init my-practice")
    _tell(progress)


@learn_app.command()
def check(
    id: MaybeId = None,
    file: Annotated[Path | None, typer.Option(help="Another file than the one of the workspace.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Ask with the same hidden inputs again.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Check a file once.

    Exit code 0 if it passes, 1 if not, 2 if it could not be checked.
    """
    from genailab.learn.outcomes import State
    from genailab.learn.screen.single import check_once, chosen_exercise
    from genailab.learn.screen.terminal import next_steps, show, verdict_lines

    progress = _progress_if_any()
    exercise = chosen_exercise(id, file, progress)
    verdict = check_once(exercise, file, progress, seed=seed)
    if json:
        typer.echo(json_text.dumps(verdict.to_json(), indent=2))
    else:
        page = _page()
        show(page, verdict_lines(verdict, exercise, width=page.width))
        if progress is not None:
            show(page, ["", *next_steps(verdict, exercise, progress, width=page.width, keys=False)])
    _tell(progress)
    raise typer.Exit(0 if verdict.outcome is State.PASSED else 1)


@learn_app.command()
def hint(
    id: MaybeId = None,
    level: Annotated[
        int | None, typer.Option(min=1, help="1 a nudge, 2 the approach, 3 nearly the code.")
    ] = None,
) -> None:
    """Show the next hint of an exercise."""
    from genailab.learn.screen import guidance
    from genailab.learn.screen.prose import prose
    from genailab.learn.screen.terminal import show

    progress = _progress()
    exercise = _exercise(id, progress)
    given = guidance.hint(exercise, progress, level=level)
    page = _page()
    show(page, [f"Hint {given.level} of {len(exercise.hints)} for {exercise.id}: {given.kind}", ""])
    show(page, prose(given.text, page.width, indent="  "))
    _tell(progress)


@learn_app.command()
def solution(
    id: Id,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also before a pass or three tries; it is noted.")
    ] = False,
) -> None:
    """Show one way to do it, after a pass or three tries."""
    from genailab.learn.screen import guidance

    progress = _progress()
    typer.echo(guidance.solution(progress.workspace.exercise(id), progress, anyway=anyway), nl=False)
    _tell(progress)


@learn_app.command()
def reset(id: Id) -> None:
    """Start a file again; yours is kept."""
    from genailab.learn.screen.guidance import start_again

    progress = _progress()
    exercise, workspace = progress.workspace.exercise(id), progress.workspace
    kept = start_again(exercise, workspace, progress)
    typer.echo(f"{workspace.shown(workspace.path_of(exercise))} is as it was given.")
    if kept is not None:
        typer.echo(f"Yours is kept as {workspace.shown(kept)}")
    _tell(progress)


@learn_app.command()
def diff(id: Id) -> None:
    """Show what you have changed in a file."""
    from genailab.learn.screen.guidance import difference_from_starter

    workspace = _workspace()
    lines = difference_from_starter(workspace.exercise(id), workspace)
    typer.echo("\n".join(lines) if lines else "The file is as it was given.")


@learn_app.command("open")
def open_(id: MaybeId = None) -> None:
    """Open a file in your editor ($VISUAL or $EDITOR)."""
    from genailab.learn.screen.editor import open_in_editor

    progress = _progress()
    open_in_editor(progress.workspace.path_of(_exercise(id, progress)))


@learn_app.command()
def notebook(session: SessionId) -> None:
    """Open a session's notebook in JupyterLab."""
    from genailab.learn.content import find_session
    from genailab.learn.screen.editor import open_notebook

    raise typer.Exit(open_notebook(_workspace().notebook_of(find_session(session))))


@learn_app.command()
def quiz(session: SessionId) -> None:
    """Answer five questions on a session."""
    from genailab.learn.content import find_session
    from genailab.learn.quiz import read_quiz
    from genailab.learn.screen.quiz_session import ask

    asked = find_session(session)
    questions = read_quiz(asked)
    if not questions:
        raise InputError(f"{asked.id} has no quiz")
    progress = _progress_if_any()
    page = _page()
    right = ask(questions, read=input, say=page.print, width=page.width)
    typer.echo(f"\n{right} of {len(questions)} right.")
    if progress is not None:
        progress.record_quiz(asked.id, right)
    _tell(progress)
    raise typer.Exit(0 if right == len(questions) else 1)


@learn_app.command()
def report(
    to: Annotated[Path | None, typer.Option(help="File to write; otherwise progress.html here.")] = None,
) -> None:
    """Write your progress as one HTML page."""
    from genailab.learn.web.report import write_report

    path = to or Path("progress.html")
    write_report(_workspace(), path)
    typer.echo(str(path))


@learn_app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Show lessons and progress in the browser.

    The page is for this computer only; it follows what you do.
    """
    from genailab.learn.web.server import serve as serve_pages

    serve_pages(_workspace(), port)


@learn_app.command()
def update() -> None:
    """Bring new lessons and exercises; your edits stay."""
    from genailab.learn.state import update as updating

    workspace = _workspace()
    done = updating.update(workspace)
    for what, names in (("added", done.added), ("replaced", done.replaced)):
        for name in names:
            typer.echo(f"{what:<9} {name}")
    for name in done.beside:
        typer.echo(f"kept      {name} (you have edited it; what is new is in {name}.new)")
    if not (done.added or done.replaced or done.beside):
        typer.echo("Everything is as in the genailab that is installed.")


def _page() -> Console:
    from genailab.learn.screen.terminal import console

    return console()


def _workspace() -> Workspace:
    from genailab.learn.state.workspace import Workspace

    return Workspace.find()


def _progress() -> Progress:
    from genailab.learn.state.progress import Progress

    return Progress.open(_workspace())


def _progress_if_any() -> Progress | None:
    from genailab.learn.state.progress import Progress
    from genailab.learn.state.workspace import Workspace

    workspace = Workspace.find_if_any()
    return None if workspace is None else Progress.open(workspace)


def _exercise(id: str | None, progress: Progress) -> Exercise:
    from genailab.learn.screen.single import chosen_exercise

    return chosen_exercise(id, None, progress)


def _tell(progress: Progress | None) -> None:
    notices = [] if progress is None else [*progress.workspace.notices, *progress.notices]
    for notice in notices:
        typer.echo(f"Note: {notice}", err=True)


def _here_or_new(page: Console) -> Workspace:
    from genailab.learn.screen.single import place_for_new
    from genailab.learn.state.workspace import Workspace

    found = Workspace.find_if_any()
    if found is not None:
        return found
    ask = typer.confirm if sys.stdin.isatty() else None
    return _made(place_for_new(Path.cwd(), ask=ask), page)


def _made(folder: Path, page: Console) -> Workspace:
    from genailab.learn.screen.prose import wrap
    from genailab.learn.screen.terminal import show
    from genailab.learn.state.workspace import Workspace

    workspace = Workspace.create(folder)
    count, sessions = len(workspace.exercises), len(workspace.sessions)
    text = f"Made a workspace (sessions: {sessions}, exercises: {count}) in {workspace.root}"
    show(page, [text, *wrap("To practise, also tomorrow: genailab learn, in that folder.", page.width)])
    return workspace


def _as_json(rows: Any) -> list[dict[str, Any]]:
    return [
        {
            "session": session.id,
            "id": exercise.id,
            "title": exercise.title,
            "state": state,
            "minutes": exercise.minutes,
            "prerequisites": exercise.prerequisites,
        }
        for session, tasks in rows
        for exercise, state in tasks
    ]

"""``genailab learn dev``: for authors of exercises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from genailab.learn.content import Exercise

__all__ = ["dev_app"]

dev_app = typer.Typer(
    help="For authors: the gate, the lessons' pictures.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[IDS]...", help="Exercises; otherwise all.")]


@dev_app.command()
def check(
    ids: Ids = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many the solutions are tried with.")] = 20,
    seed: Annotated[int | None, typer.Option(min=0, help="The first of them; random without one.")] = None,
) -> None:
    """Hold exercises to the gate: starters fail, solutions pass, wrong answers get their own message."""
    from genailab.learn.authors.gate import problems_of, problems_of_session
    from genailab.learn.content import sessions

    chosen, found = _chosen(ids), []
    for exercise in chosen:
        problems = problems_of(exercise, n_seeds=seeds, seed=seed)
        found += problems
        typer.echo("\n".join(problems) if problems else f"{exercise.id}: holds")
    for problem in [] if ids else [one for session in sessions() for one in problems_of_session(session)]:
        found.append(problem)
        typer.echo(problem)
    if found:
        raise typer.Exit(1)


@dev_app.command()
def pictures(ids: Ids = None) -> None:
    """Draw the lessons' pictures anew."""
    from genailab.learn.authors.drawing import draw_picture

    for exercise in _chosen(ids):
        if draw_picture(exercise):
            typer.echo(str(exercise.folder / "picture.svg"))


def _chosen(ids: list[str] | None) -> list[Exercise]:
    from genailab.learn.content import exercises, find_exercise

    return [find_exercise(id) for id in ids] if ids else list(exercises())

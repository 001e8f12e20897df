"""``genailab``: the commands and what they share."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from genailab import __version__
from genailab.cli.data import data_app
from genailab.cli.demo import demo
from genailab.cli.doctor import doctor
from genailab.cli.evaluate import evaluate_app
from genailab.cli.learn import learn_app
from genailab.cli.run import run_app
from genailab.errors import InputError

__all__ = ["app", "main"]

app = typer.Typer(
    name="genailab",
    help="Generative AI and deep learning for genomics and single cells.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"genailab {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Take the options of every command."""


app.command()(demo)
app.add_typer(learn_app, name="learn")
app.add_typer(run_app, name="run")
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(data_app, name="data")
app.command()(doctor)


def main() -> None:
    """Run a command; its exit code says how it went.

    0 done, 1 the input or a check failed, 2 the call was wrong, 130 stopped by Ctrl-C, 143 by SIGTERM.
    """
    try:
        # Taken out, so that it may stand anywhere, also behind the command it is meant for.
        app([word for word in sys.argv[1:] if word != "--debug"], prog_name="genailab")
    except (InputError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(1) from None

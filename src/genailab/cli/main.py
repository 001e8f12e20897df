"""``genailab``: the commands and what they share."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from genailab import __version__
from genailab.cli.demo import demo
from genailab.cli.doctor import doctor
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
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Take the options of every command."""


app.command()(demo)
app.add_typer(run_app, name="run")
app.command()(doctor)


def main() -> None:
    """Run a command: 0 done, 1 the input or a check failed, 2 the call was wrong, 130 stopped by Ctrl-C."""
    try:
        app()
    except InputError as error:
        if "--debug" in sys.argv:
            raise
        _say(f"Error: {error}")
        raise SystemExit(1) from None
    except KeyboardInterrupt as stop:
        _say(f"Stopped: {stop}" if str(stop) else "Stopped.")
        raise SystemExit(130) from None


def _say(text: str) -> None:
    print(text, file=sys.stderr)

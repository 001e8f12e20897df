"""``genailab data``: real data by name, with their terms and checksums."""

from __future__ import annotations

import contextlib
import dataclasses
import json as json_text
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genailab.cli.variants import variants

if TYPE_CHECKING:
    from genailab.data.catalog.catalog import Entry
    from genailab.data.catalog.download import Progress

__all__ = ["data_app"]

data_app = typer.Typer(
    help="List, download and check real data sets.", no_args_is_help=True, rich_markup_mode=None
)

_WIDE = 130  # columns; in narrower terminals the titles would break over many lines

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")]
Name = Annotated[str, typer.Argument(help="Name of a data set, as listed by `genailab data list`.")]


@data_app.command("list")
def list_(json: Json = False) -> None:
    """Show every data set: what comes with genailab and what can be downloaded."""
    from genailab.data.catalog.catalog import catalog

    entries = catalog().values()
    if json:
        typer.echo(json_text.dumps([_described(entry) for entry in entries], indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    titled = console.width >= _WIDE
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("name", "size", "licence", "here?", *(["what it is"] if titled else [])):
        table.add_column(column, justify="right" if column == "size" else "left", no_wrap=True)
    for entry in entries:
        title = [entry.title] if titled else []
        table.add_row(entry.name, _size(entry), entry.licence, _here(entry), *title)
    console.print(table)
    console.print("\nMore of one: genailab data info NAME", style="dim")


@data_app.command()
def fetch(
    name: Name,
    to: Annotated[
        Path | None, typer.Option(help="Folder to put it in; otherwise $GENAILAB_DATA or your data folder.")
    ] = None,
    json: Json = False,
) -> None:
    """Download a data set, go on with a broken download, verify it, and print its path."""
    from genailab.data.catalog import catalog

    entry = catalog.find_entry(name)
    with _progress(entry) as progress:
        path = catalog.fetch(name, to, progress=progress)
    typer.echo(json_text.dumps({"name": name, "path": str(path)}) if json else str(path))


@data_app.command()
def info(name: Name, json: Json = False) -> None:
    """Show where a data set comes from, on which terms, and where it lies."""
    from genailab.data.catalog.catalog import find_entry

    described = _described(find_entry(name))
    if json:
        typer.echo(json_text.dumps(described, indent=2))
        return
    described["size"] = _size(find_entry(name))
    described["sha256"] = described["sha256"] or "recorded at first download"
    for key, value in described.items():
        typer.echo(f"{key:<9} {value}")


@data_app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="A data set; otherwise all that are here.")] = None,
    folder: Annotated[Path | None, typer.Option("--in", help="Folder that they were put in.")] = None,
    json: Json = False,
) -> None:
    """Compare files with their checksums; exit code 1 if one is not what it should be."""
    from genailab.data.catalog import catalog

    names = [name] if name else list(catalog.catalog())
    found = [catalog.check(each, folder) for each in names]
    # Of all that could be here, what is not here is no fault; what was asked for by name is.
    shown = [one for one in found if name or one.state != "absent" or catalog.find_entry(one.name).is_bundled]
    if json:
        rows = [dataclasses.asdict(one) | {"path": str(one.path)} for one in shown]
        typer.echo(json_text.dumps(rows, indent=2))
    else:
        for one in shown:
            remedy = f": {one.remedy}" if one.remedy else ""
            typer.echo(f"{one.state:<11} {one.name:<22} {one.path}{remedy}")
    if any(one.state in ("changed", "absent") for one in shown):
        raise typer.Exit(code=1)


data_app.command()(variants)


def _described(entry: Entry) -> dict[str, Any]:
    from genailab.data.catalog.catalog import path_of

    described = dataclasses.asdict(entry)
    described["address"] = entry.address or "bundled with genailab"
    path = path_of(entry)
    return described | {"path": str(path), "here": path.exists()}


def _here(entry: Entry) -> str:
    from genailab.data.catalog.catalog import path_of

    if entry.is_bundled:
        return "bundled"
    return "yes" if path_of(entry).exists() else "no"


def _size(entry: Entry) -> str:
    if entry.size is None:
        return "unknown"
    about = "" if entry.sha256 else "about "
    size = f"{entry.size / 1e3:,.0f} kB" if entry.size < 1e6 else f"{entry.size / 1e6:,.1f} MB"
    return about + size


@contextlib.contextmanager
def _progress(entry: Entry) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(entry.name, total=entry.size)
        yield lambda here, total: bar.update(task, completed=here, total=total or entry.size)

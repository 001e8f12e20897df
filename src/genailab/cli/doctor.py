"""``genailab doctor``: this machine, what is missing on it and how to install it."""

from __future__ import annotations

import dataclasses
import json as json_format
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from genailab.environment import Device, Environment, Extra

__all__ = ["doctor"]

STYLES = {"ok": "green", "optional": "yellow", "missing": "bold red"}


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Show this machine, what genailab can use of it, what is missing and how to install it."""
    from genailab.environment import inspect  # here, not above: `genailab --help` need not wait for it

    found = inspect()
    if not json:
        _show(found)
    devices, problem = _probe()  # imports torch, so last: all else stands on the screen by then
    if json:
        report = dataclasses.asdict(dataclasses.replace(found, devices=devices))
        typer.echo(json_format.dumps({**report, "problem": problem}, indent=2))
    else:
        _show_devices(devices, problem)
    if found.missing or problem:
        raise typer.Exit(code=1)


def _probe() -> tuple[tuple[Device, ...], str | None]:
    from genailab.environment import find_devices

    try:
        return find_devices(), None
    except (ImportError, OSError) as error:  # OSError: a shared library that torch needs is absent
        return (), f"torch cannot be imported: {error}"


def _show(found: Environment) -> None:
    _line("ok", "genailab", found.genailab_version)
    _line("ok", "Python", f"{found.python_version}, {found.python_path}")
    _line("ok" if found.torch_version else "missing", "torch", found.torch_version or "not installed")
    free = "" if found.memory_free_bytes is None else f", {_gib(found.memory_free_bytes)} free"
    _line("ok", "memory", f"{_gib(found.memory_bytes)}{free}")
    _line("ok", "disk", f"{_gib(found.disk_free_bytes)} free in {found.disk_path}")
    if found.missing:
        _line("missing", "packages", ", ".join(found.missing), remedy=found.install)
    else:
        _line("ok", "packages", "all that the core needs")
    for extra in found.extras:
        _show_extra(extra)


def _show_extra(extra: Extra) -> None:
    if extra.missing:
        _line("optional", extra.name, f"not installed: {', '.join(extra.missing)}", remedy=extra.install)
    else:
        _line("ok", extra.name, "installed")


def _show_devices(devices: tuple[Device, ...], problem: str | None) -> None:
    if problem:
        _line("missing", "devices", problem)
    for device in devices:
        memory = "" if device.memory_bytes is None else f", {_gib(device.memory_bytes)}"
        _line("ok", device.name, f"{device.description}{memory}")


def _line(status: str, name: str, detail: str, *, remedy: str | None = None) -> None:
    from rich.console import Console
    from rich.text import Text

    # Text, not markup: a path or an error may hold square brackets. Soft-wrapped: a command must paste whole.
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text.assemble((f"{status:<9}", STYLES[status]), (f"{name:<11}", "bold"), detail))
    if remedy:
        console.print(Text(f"{'':<20}{remedy}", style="dim"))


def _gib(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 2**30:.1f} GiB"

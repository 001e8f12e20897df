"""The history of a workspace: a line of JSON an event, only ever added to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from genailab.learn.state.exercise_progress import Event

__all__ = ["add_event", "read_events"]

# What an event must say beside its id and its time.
NEEDED = {"check": "outcome", "hint": "level", "solution": "how", "quiz": "right", "reset": "id"}


def read_events(path: Path) -> list[Event]:
    """Return the events, oldest first; lines that are none (cut, or marks of a merge) are passed over."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return list(_events(lines))


def add_event(path: Path, event: Event) -> None:
    """Add an event at the end."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")


def _events(lines: Iterable[str]) -> Iterator[Event]:
    for line in lines:
        try:
            event = json.loads(line)
            if {"id", "at", NEEDED[event["event"]]} <= event.keys():
                yield event
        except (ValueError, KeyError, TypeError, AttributeError):
            continue

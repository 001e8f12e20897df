"""For teachers: a learner's progress as one file, and many such files as one table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genailab import __version__
from genailab.errors import InputError
from genailab.learn.content import CURRICULUM, exercises
from genailab.learn.state.progress import Progress

__all__ = ["collect", "export"]

KIND = "genailab learn class export"
SCHEMA = 1


def export(progress: Progress, *, learner: str) -> str:
    """Return a learner's progress as JSON; it holds none of their code."""
    workspace = progress.workspace
    fields = {
        "kind": KIND,
        "schema": SCHEMA,
        "genailab": __version__,
        "learner": learner,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "exercises": {exercise.id: asdict(progress.of(exercise.id)) for exercise in workspace.exercises},
        "quizzes": {session.id: progress.quiz_of(session.id) for session in workspace.sessions},
    }
    return json.dumps(fields, indent=2) + "\n"


def collect(paths: Sequence[Path], *, curriculum: Path = CURRICULUM) -> str:
    """Return a table (CSV) with a row a file: learner, sums, and the state of each exercise.

    Parameters
    ----------
    paths
        Exported files, or folders of them (``*.json``).
    curriculum
        The content that gives the columns their order.

    Raises
    ------
    InputError
        If there is no file, or one is not an export (the file is named).
    """
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise InputError(f"there is no .json file in {', '.join(map(str, paths)) or 'an empty list'}")
    exports = [_read(file) for file in files]
    known = [exercise.id for exercise in exercises(curriculum)]
    ids = known + sorted({id for one in exports for id in one["exercises"]} - set(known))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["learner", "file", "exported_at", "passed", "tries", "hints", "solutions", *ids])
    writer.writerows(_row(file, one, ids) for file, one in zip(files, exports, strict=True))
    return table.getvalue()


def _files(path: Path) -> Iterable[Path]:
    if path.is_dir():
        return sorted(path.glob("*.json"))
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    return [path]


def _read(path: Path) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if fields["kind"] == KIND and fields["schema"] <= SCHEMA:
            _ = (
                fields["learner"],
                fields["exported_at"],
                [_numbers(row) for row in fields["exercises"].values()],
            )
            return fields
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise InputError(f"{path} was not written by genailab learn class export (or by a newer one)")


def _row(path: Path, fields: dict[str, Any], ids: Sequence[str]) -> Iterator[str | int]:
    rows = fields["exercises"]
    numbers = [_numbers(row) for row in rows.values()]
    yield from (_as_text(str(fields["learner"])), _as_text(path.name), str(fields["exported_at"]))
    yield sum(row["state"] == "passed" for row in rows.values())
    yield from (sum(column) for column in zip(*numbers, strict=True))
    yield from (rows[id]["state"] if id in rows else "" for id in ids)


def _numbers(row: dict[str, Any]) -> tuple[int, int, int]:
    return int(row["tries"]), int(row["hints"]), int(bool(row["solution"]))


def _as_text(value: str) -> str:
    # A spreadsheet would run a name such as =HYPERLINK(...) as a formula.
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t") else value

"""Data sets by name: which there are, on which terms, where they lie, and whether they are intact."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from genailab.data.bundled.sequence_sets import BUNDLED, about_bundled, bundled_names
from genailab.data.catalog.catalog_entries import DOWNLOADS, Entry
from genailab.data.catalog.download import Progress, download, sha256_of
from genailab.errors import InputError, nearest

__all__ = ["Checked", "Entry", "catalog", "check", "data_folder", "fetch", "find_entry", "path_of"]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What `check` found of one file: its state, and what to do where that is not ``ok``."""

    name: str
    path: Path
    state: Literal["ok", "absent", "changed", "unrecorded"]
    remedy: str = ""


def catalog() -> dict[str, Entry]:
    """Every entry by its name: the bundled ones, then those to download."""
    return {entry.name: entry for entry in (*_bundled(), *DOWNLOADS)}


def _bundled() -> list[Entry]:
    names = bundled_names()
    kinds = {"gb1": "proteins", "hla_region": "genome", "hla_region_cds": "annotation"}
    return [
        Entry(
            name=name,
            title=about["title"],
            kind=kinds.get(name, "sequences"),
            licence=about["licence"],
            citation=about["citation"],
            file=about["file"],
            size=int(about["bytes"]),
            sha256=about["sha256"],
        )
        for name, about in zip(names, map(about_bundled, names), strict=True)
    ]


def find_entry(name: str) -> Entry:
    """Find the entry of this name, or raise InputError with the nearest names."""
    known = catalog()
    if name not in known:
        raise InputError(
            f"there is no data set {name!r}: {nearest(name, known)} (genailab data list shows all)"
        )
    return known[name]


def data_folder() -> Path:
    """Where downloads go: ``$GENAILAB_DATA``, or ``genailab`` in the user's data folder (XDG)."""
    chosen = os.environ.get("GENAILAB_DATA")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "genailab"


def path_of(entry: Entry, folder: Path | None = None) -> Path:
    """Where the file of an entry lies, or will lie."""
    return BUNDLED / entry.file if entry.is_bundled else (folder or data_folder()) / entry.file


def fetch(name: str, folder: str | Path | None = None, *, progress: Progress | None = None) -> Path:
    """Make sure that a data set is here, and return its path.

    A file that is here already is verified and not downloaded again. Where the catalog knows no checksum,
    that of the first download is recorded beside the file, in the format of ``sha256sum``.

    Raises
    ------
    InputError
        If there is no such name, the download fails (see `genailab.data.catalog.download.download`), or the
        file here is not what it should be.
    """
    entry = find_entry(name)
    path = path_of(entry, None if folder is None else Path(folder).expanduser())
    if path.exists():
        found = _check_at(entry, path)
        if found.state == "changed":
            raise InputError(f"{path} was changed or is broken: {found.remedy}")
        if found.state == "unrecorded":
            _record(path, sha256_of(path))
        return path
    # An approximate size is for the reader, not for the comparison.
    size = entry.size if entry.sha256 else None
    sha256 = download(entry.address, path, size=size, sha256=entry.sha256, progress=progress)
    if entry.sha256 is None:
        _record(path, sha256)
    return path


def check(name: str, folder: str | Path | None = None) -> Checked:
    """Compare a file with the catalog's checksum, or with the one recorded when it was downloaded."""
    entry = find_entry(name)
    return _check_at(entry, path_of(entry, None if folder is None else Path(folder).expanduser()))


def _check_at(entry: Entry, path: Path) -> Checked:
    if not path.exists():
        remedy = "reinstall genailab" if entry.is_bundled else f"genailab data fetch {entry.name}"
        return Checked(name=entry.name, path=path, state="absent", remedy=remedy)
    expected = entry.sha256 or _recorded(path)
    if expected is None:
        remedy = f"record its checksum with genailab data fetch {entry.name}"
        return Checked(name=entry.name, path=path, state="unrecorded", remedy=remedy)
    if sha256_of(path) == expected:
        return Checked(name=entry.name, path=path, state="ok")
    remedy = (
        "reinstall genailab"
        if entry.is_bundled
        else f"remove it, then genailab data fetch {entry.name} downloads it again"
    )
    return Checked(name=entry.name, path=path, state="changed", remedy=remedy)


def _record_of(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _record(path: Path, sha256: str) -> None:
    _record_of(path).write_text(f"{sha256}  {path.name}\n")


def _recorded(path: Path) -> str | None:
    record = _record_of(path)
    if not record.exists():
        return None
    words = record.read_text(errors="replace").split()
    if not words or not re.fullmatch(r"[0-9a-f]{64}", words[0]):
        raise InputError(f"{record} holds no SHA-256: remove it, and check {path.name} by its origin")
    return words[0]

"""Is a file what its name says? Asked before a reader is, because its own answer would be a riddle."""

from __future__ import annotations

import gzip
from pathlib import Path

from genailab.errors import InputError, nearest

__all__ = ["check_gzip", "check_hdf5", "check_readable", "check_text"]

_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\x1f\x8b": "gzip-compressed",
    b"PK\x03\x04": "a zip archive",
    b"BZh": "bzip2-compressed",
    b"%PDF": "a PDF",
    b"<": "a web page or XML",
    b"%%MatrixMarket": "a Matrix Market file",
}


def check_readable(path: Path) -> None:
    """Raise InputError unless ``path`` is a file that is there, isn't empty and may be read."""
    if not path.exists():
        raise InputError(_missing(path))
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file: give the file in it that holds the counts")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}): check its permissions") from error
    if not first:
        raise InputError(f"{path} is empty (0 bytes): copy or download it again")


def check_hdf5(path: Path) -> None:
    """Raise InputError unless the file is HDF5."""
    import h5py

    if not h5py.is_hdf5(path):
        raise InputError(
            f"{path} ends in {path.suffix} but is {_kind(_beginning(path))}, not HDF5: give its true ending "
            "or download it again"
        )


def check_gzip(path: Path) -> None:
    """Raise InputError if the ending and the content disagree on whether the file is compressed."""
    beginning = _beginning(path)
    compressed = beginning.startswith(b"\x1f\x8b")
    if path.suffix == ".gz" and not compressed:
        raise InputError(
            f"{path} ends in .gz but is {_kind(beginning)}, not gzip-compressed: rename it to {path.stem!r}"
        )
    if path.suffix != ".gz" and compressed:
        raise InputError(
            f"{path} is gzip-compressed but doesn't end in .gz: rename it to {path.name + '.gz'!r}"
        )


def check_text(path: Path, *, starts_with: str = "") -> None:
    """Raise InputError unless the file, compressed as its ending says, is text that begins as it should."""
    check_gzip(path)
    beginning = _beginning(path)
    if path.suffix == ".gz":
        with gzip.open(path, "rb") as file:
            beginning = file.read(512)
    if b"\0" in beginning or not beginning.startswith(starts_with.encode()):
        expected = f"text that begins with {starts_with!r}" if starts_with else "text"
        raise InputError(
            f"{path} is {_kind(beginning)}, not {expected}: give its true ending or download it again"
        )


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)


def _kind(beginning: bytes) -> str:
    for mark, kind in _BEGINNINGS.items():
        if beginning.startswith(mark):
            return kind
    return "something else (unknown binary)" if b"\0" in beginning else "something else (text)"


def _missing(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no file {path}, nor a folder {path.parent}: check the path"
    names = sorted(other.name for other in path.parent.iterdir() if not other.name.startswith("."))
    return f"there is no file {path}: {nearest(path.name, names)}"

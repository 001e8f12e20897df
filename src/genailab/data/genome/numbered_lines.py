"""Lines of a text table with their numbers, so that an error can say where it is."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

from genailab.data.cells.files import check_readable
from genailab.errors import InputError

__all__ = ["numbered_lines"]


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number (from 1) and the text of each line that isn't blank, without its line end.

    UTF-8 with or without a BOM, LF or CR LF, plain, gzip or bgzip (told by the content, not the ending).

    Raises
    ------
    InputError
        If the file is missing, empty, truncated or not text.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file: give the file in it")
    check_readable(path)
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text ({error.reason}): give its true format or convert it"
        ) from error
    except EOFError as error:
        raise InputError(f"{path} ends in the middle of its gzip data: copy or download it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged gzip data ({error}): copy or download it again") from error


def _open(path: Path) -> TextIO:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    if compressed:
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")

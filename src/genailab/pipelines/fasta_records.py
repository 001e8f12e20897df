"""FASTA as text with its headers, in any alphabet: what a generator wrote, ours or not.

Names may repeat and may be left out, as generators do; sequences may differ in length. What cannot be right
is refused with file, line, record and position.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genailab.data.cells.files import check_readable
from genailab.data.sequences.alphabet import INVALID, Alphabet
from genailab.errors import InputError, nearest

__all__ = ["FastaRecords", "read_fasta_records"]

_PAIR = re.compile(r"(?:^|[\s|;])([\w.-]+)=([^\s|;]+)")


@dataclass(frozen=True, kw_only=True)
class FastaRecords:
    """The records of a file: headers without the ``>``, and sequences as text, in the order of the file."""

    path: Path
    headers: tuple[str, ...]
    sequences: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sequences)

    def labels(self, key: str) -> list[str]:
        """Value of ``key`` in each header, written ``key=value`` and ended by a space, ``|`` or ``;``.

        Raises
        ------
        InputError
            If a header has no such key; the nearest are named.
        """
        found = []
        for number, header in enumerate(self.headers, 1):
            pairs = dict(_PAIR.findall(header))
            if key not in pairs:
                raise InputError(
                    f"{self.path}: record {number} ({header!r}) has no {key}= in its header: write "
                    f"'>name {key}=VALUE' ({nearest(key, pairs)})"
                )
            found.append(pairs[key])
        return found


def read_fasta_records(path: str | Path, *, alphabet: Alphabet) -> FastaRecords:
    """Read a FASTA file, plain, gzip or bgzip.

    Raises
    ------
    InputError
        If there is no such file, it is empty, no FASTA or damaged, a record has no sequence, or a letter is
        not of the alphabet.
    """
    path = Path(path).expanduser()
    check_readable(path)
    headers: list[str] = []
    parts: list[list[str]] = []
    for number, line in _lines(path):
        if line.startswith(">"):
            _check_filled(path, headers, parts, number)
            headers.append(line[1:].strip())
            parts.append([])
        elif line:
            if not headers:
                raise InputError(
                    f"{path}:{number} is {line[:20]!r}, where the first record's header should be: a FASTA "
                    "file starts with '>' and a name"
                )
            _check_letters(path, number, line, headers, parts, alphabet)
            parts[-1].append(line)
    if not headers:
        raise InputError(f"{path} holds no sequence, only blank lines: write it again")
    _check_filled(path, headers, parts, None)
    return FastaRecords(path=path, headers=tuple(headers), sequences=tuple(map("".join, parts)))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if compressed else path.open("rb") as file:
        try:
            for number, line in enumerate(file, 1):
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                yield number, text.decode("latin-1").strip()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{path} is damaged gzip data ({error}): write or copy it again") from error


def _check_filled(path: Path, headers: list[str], parts: list[list[str]], line: int | None) -> None:
    if headers and not parts[-1]:
        where = f"before line {line}" if line else "at its end"
        raise InputError(
            f"{path}: record {len(headers)} ({headers[-1]!r}) has no sequence {where}: the file may be "
            "truncated, so write it again or remove the record"
        )


def _check_letters(
    path: Path, number: int, line: str, headers: list[str], parts: list[list[str]], alphabet: Alphabet
) -> None:
    codes = line.encode("latin-1").translate(alphabet.encode_table.tobytes())
    wrong = codes.find(INVALID)
    if wrong >= 0:
        position = sum(map(len, parts[-1])) + wrong
        raise InputError(
            f"{path}:{number} has {line[wrong]!r} at position {position} (from 0) of record {len(headers)} "
            f"({headers[-1]!r}), which is no letter of {alphabet.name} ({alphabet.symbols}): mend it, or "
            "name another alphabet"
        )

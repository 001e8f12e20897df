"""FASTA to one-byte codes, in blocks, so that a whole genome needs no more memory than one block.

No line is ever looked at by itself: the records are found by their ``>``, and one table look-up a block turns
letters into codes and drops the line ends. Lines may therefore be of any length, ragged or blank.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from genailab.data.sequences.alphabet import DNA, INVALID
from genailab.errors import InputError

__all__ = ["fasta_pieces", "transcribe"]

_BLOCK = 1 << 18  # fits the processor's second-level cache: four times faster than blocks of 4 MB
_WHITE = b"\r\n\t "
_BOM = b"\xef\xbb\xbf"
_INVALID = bytes([INVALID])
_CODES = DNA.encode_table.tobytes()
_IS_LOWER = bytes(ord("a") <= byte <= ord("z") for byte in range(256))


def transcribe(
    path: Path, write: Callable[[bytes], object], *, write_mask: Callable[[bytes], object] | None = None
) -> dict[str, int]:
    """Hand on the code of each base of a DNA FASTA file, all records one after the other.

    Plain, gzip and bgzip files, with LF or CR LF; white space within a sequence is passed over.

    Parameters
    ----------
    path
        The file. Lower case is folded; IUPAC letters keep codes of their own.
    write
        Is given the codes (`genailab.data.sequences.alphabet.DNA`), a piece at a time.
    write_mask
        Is given as many bytes: 1 where the letter is in lower case (soft-masked), else 0.

    Returns
    -------
    dict
        The length of each record in bases, by name (the header up to the first white space), in file order.

    Raises
    ------
    InputError
        If the file isn't FASTA, is truncated, a record has no name, no sequence or another's name, or a byte
        is no letter of DNA; with file and line.
    """
    lengths: dict[str, int] = {}
    name = None
    for piece in fasta_pieces(path):
        if isinstance(piece, str):
            _check_record(path, lengths, name)
            name = _new_name(path, lengths, piece)
            lengths[name] = 0
            continue
        codes = piece.translate(_CODES, _WHITE)
        if name is None:
            _check_nothing(path, piece)
            continue
        if _INVALID in codes:
            raise _wrong_letter(path)
        lengths[name] += len(codes)
        write(codes)
        if write_mask is not None:
            write_mask(piece.translate(_IS_LOWER, _WHITE))
    _check_record(path, lengths, name)
    if name is None:
        raise InputError(f"{path} holds no sequence, only blank lines: copy or download it again")
    return lengths


def fasta_pieces(path: Path) -> Iterator[str | bytes]:
    """Yield the name of each record (str, may be empty), then its sequence in pieces (bytes, with line ends).

    What stands before the first record comes as bytes too.
    """
    header: bytes | None = None
    before = b"\n"  # the byte before the block: a record starts where a line does
    for block in _blocks(path):
        position = 0
        while position < len(block):
            if header is not None:
                end = block.find(b"\n", position)
                header += block[position:] if end < 0 else block[position:end]
                if end < 0:
                    break
                yield _name(header)
                header, position = None, end + 1
            mark = block.find(b">", position)
            if mark < 0:
                yield block[position:]
                break
            if (block[mark - 1 : mark] or before) != b"\n":
                mark += 1  # within a line it is no header: left to be refused as a letter
                yield block[position:mark]
            else:
                yield block[position:mark]
                header, mark = b"", mark + 1
            position = mark
        before = block[-1:]
    if header is not None:
        yield _name(header)


def _name(header: bytes) -> str:
    # "> chr1" has no name either: samtools and pyfaidx read it as an empty one.
    return header.split(maxsplit=1)[0].decode("utf-8", "replace") if header[:1].strip() else ""


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield the content, decompressed where it is compressed (whatever the ending), without a BOM."""
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if compressed else raw
        try:
            block = file.read(_BLOCK).removeprefix(_BOM)
            while block:
                yield block
                block = file.read(_BLOCK)
        except EOFError as error:
            raise InputError(
                f"{path} ends in the middle of its gzip data: copy or download it again"
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{path} is damaged gzip data ({error}): copy or download it again") from error


def _check_nothing(path: Path, piece: bytes) -> None:
    if not piece.strip():
        return
    if b"\0" in piece:
        raise InputError(f"{path} is a binary file, not FASTA: give the text file (or its .gz) of the genome")
    line = next(number for number, text in _lines(path) if text.strip())
    raise InputError(
        f"{path}:{line} is {_shown(piece.strip().splitlines()[0])}, where the first record's header should "
        "be: "
        "a FASTA file starts with '>' and a name, so add that line or give another file"
    )


def _check_record(path: Path, lengths: dict[str, int], name: str | None) -> None:
    if name is not None and lengths[name] == 0:
        raise InputError(
            f"{path}:{_line_of_record(path, len(lengths))} starts record {name!r}, which has no sequence: "
            "the file may "
            "be truncated, so copy it again or remove the record"
        )


def _new_name(path: Path, lengths: dict[str, int], name: str) -> str:
    if not name:
        raise InputError(
            f"{path}:{_line_of_record(path, len(lengths) + 1)} starts a record without a name: write one "
            "directly after the '>'"
        )
    if name in lengths:
        first = _line_of_record(path, list(lengths).index(name) + 1)
        second = _line_of_record(path, len(lengths) + 1)
        raise InputError(
            f"{path}:{second} starts a second record {name!r} (the first is in line {first}): rename or "
            "remove one"
        )
    return name


def _wrong_letter(path: Path) -> InputError:
    name, position = "", 0
    for number, line in _lines(path):
        if line.startswith(b">"):
            name, position = _name(line[1:]), 0
            continue
        codes = line.translate(_CODES, _WHITE)
        found = codes.find(_INVALID)
        if found >= 0:
            letter = line.translate(None, _WHITE)[found : found + 1]
            return InputError(
                f"{path}:{number} has {_shown(letter)} at position {position + found} (from 0) of record "
                f"{name!r}, "
                f"which is no letter of DNA ({DNA.symbols}): {_remedy(letter)}"
            )
        position += len(codes)
    return InputError(f"{path} changed while it was read: try again")


def _remedy(letter: bytes) -> str:
    if letter in b"uU":
        return "it looks like RNA, so write T for U"
    if letter.upper() in b"EFILPQ":
        return "it looks like a protein, so give the nucleotide sequence"
    return "remove it or write N"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number: slow, and only for telling where an error is."""
    rest, number = b"", 0
    for block in _blocks(path):
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            number += 1
            yield number, line
    yield number + 1, rest


def _line_of_record(path: Path, record: int) -> int:
    """Return the number of the line where record ``record`` (from 1) starts."""
    headers = (number for number, line in _lines(path) if line.startswith(b">"))
    return next(number for count, number in enumerate(headers, 1) if count == record)


def _shown(text: bytes) -> str:
    shown = text.decode("latin-1")
    return repr(shown if len(shown) <= 20 else shown[:20] + "...")

"""Variants from VCF 4.x files: every allele of every record, one row each.

The Variant Call Format, version 4.3 and later, sections 1.3 to 1.6 (samtools.github.io/hts-specs).
"""

from __future__ import annotations

import gzip
import io
import warnings
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genailab.data.cells.files import check_readable
from genailab.errors import InputError

__all__ = ["read_vcf"]

_HEADER = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
_LARGEST = 2**31 - 1  # the specification's integers have 32 bits
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


_FIELDS = ("chrom", "position", "id", "ref", "alt", "qual", "filter", "info")  # of a record


def read_vcf(path: str | Path) -> pd.DataFrame:
    """Read a VCF, plain, gzip or bgzip, as one row for each record and each of its alternative alleles.

    The first eight columns are read; genotypes are passed over. Nothing is left out: a record whose ALT is
    ``.`` has one row, and a record whose POS is no whole number has its rows with status ``invalid``.
    Alleles of letters are folded to upper case. Hold the table against a genome with `check_variants`.

    Parameters
    ----------
    path
        The file; whether it is compressed is seen from its content. ``~`` is the home folder.

    Returns
    -------
    DataFrame
        ``record`` (0-based, in the order of the file), ``line`` of the file (1-based), ``allele`` (1-based,
        as GT counts them), ``chrom``, ``position`` (1-based as in the file; -1 if it is no whole number),
        ``start`` (0-based), ``id``, ``ref``, ``alt``, ``qual``, ``filter`` and ``info`` as written,
        ``status``, ``reason`` and ``detail`` (see `check_variants`).
        ``attrs["path"]`` is the file.

    Raises
    ------
    InputError
        If the file is missing, empty, truncated or no VCF, has no ``#CHROM`` line, or a line has fewer than
        8 columns or spaces for tabs; with the line.

    Warns
    -----
    UserWarning
        If there is no record in the file, or a bgzip file lacks its last block.
    """
    path = Path(path).expanduser()
    numbers, texts = [], []
    for number, fields in _records(_lines(path), path):
        numbers.append(number)
        texts += fields  # one long list: the garbage collector would go through a tuple a record
    if not numbers:
        warnings.warn(f"{path} has a header but no record: there are no variants in it", stacklevel=2)
    variants = _by_allele(np.array(numbers, np.int64), np.array(texts, object).reshape(-1, len(_FIELDS)))
    variants.attrs["path"] = str(path)
    return variants


def _by_allele(lines: NDArray[np.int64], records: NDArray) -> pd.DataFrame:
    """Repeat each of the records ``(records, fields)`` for each of its alleles."""
    alternatives = records[:, _FIELDS.index("alt")]
    counts = np.fromiter((text.count(",") + 1 for text in alternatives), np.int64, len(lines))
    record_of = np.repeat(np.arange(len(lines)), counts)  # (rows,)
    written = {name: column[record_of] for name, column in zip(_FIELDS, records.T, strict=True)}
    # No record, no allele: ''.split(',') would find one.
    alleles = np.array(",".join(alternatives).split(",") if len(lines) else [], object)
    position = np.fromiter(map(_whole, written["position"]), np.int64, len(record_of))
    return pd.DataFrame(
        {
            "record": record_of,
            "line": lines[record_of],
            "allele": np.arange(len(record_of)) - np.repeat(np.cumsum(counts) - counts, counts) + 1,
            "chrom": written["chrom"],
            "position": position,
            "start": np.maximum(position - 1, -1),
            "id": written["id"],
            "ref": _folded(written["ref"]),
            "alt": _folded(alleles),
            **{name: written[name] for name in ("qual", "filter", "info")},
            **_told(written["position"], position < 0),
        }
    )


def _told(written: NDArray, wrong: NDArray[np.bool_]) -> dict[str, NDArray]:
    detail = np.full(len(written), "", object)
    detail[wrong] = [
        f"POS {text!r} is not a whole number from 0 to {_LARGEST}: correct it" for text in written[wrong]
    ]
    return {
        "status": np.where(wrong, "invalid", "ok").astype(object),
        "reason": np.where(wrong, "POS is not a whole number", "").astype(object),
        "detail": detail,
    }


def _folded(alleles: NDArray) -> NDArray:
    codes, distinct = pd.factorize(alleles)  # few are
    return np.array([_fold(allele) for allele in distinct], object)[codes]


def _whole(text: str) -> int:
    # int() takes '+1', '1_000' and digits of other scripts; a VCF doesn't.
    good = text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _LARGEST
    return int(text) if good else -1


def _fold(allele: str) -> str:
    # Contig names in breakends and the names of symbolic alleles keep their case.
    return allele.upper() if allele.isalpha() else allele


def _records(lines: Iterable[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    header = 0
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip("\r\n")
        if line.startswith("#CHROM"):
            header = number
            _check_header(line, path, number)
        elif not line.startswith("#") and line:
            if not header:
                raise InputError(_no_header(line, path, number))
            fields = line.split("\t", 8)
            if len(fields) < 8:
                raise InputError(_too_few(line, path, number))
            yield number, fields[:8]
    if not header:
        raise InputError(
            f"{path} has no '#CHROM' line and no record: it is no VCF or was cut off, so copy it again"
        )


def _check_header(line: str, path: Path, number: int) -> None:
    found = line.split("\t")[:8]
    if found != _HEADER:
        raise InputError(
            f"{path}:{number} names the columns {' '.join(found)[:80]!r}, but a VCF's first eight are "
            f"{' '.join(_HEADER)}, with tabs between them: correct that line"
        )


def _no_header(line: str, path: Path, number: int) -> str:
    if len(line.split()) >= 5 and line.split()[1].isdigit():
        return (
            f"{path}:{number} is a record before any '#CHROM' line: put the file's header before it, or at "
            f"least a line of {' '.join(_HEADER)} with tabs between"
        )
    return f"{path}:{number} is {line[:40]!r}, neither a header nor a record of a VCF: give a .vcf file"


def _too_few(line: str, path: Path, number: int) -> str:
    if len(line.split()) >= 8:
        return f"{path}:{number} has spaces where a VCF has tabs: replace them with tabs"
    found = len(line.split("\t"))
    return (
        f"{path}:{number} has {found} column{'s' * (found != 1)}, but a VCF has 8 or more: the file may be "
        "truncated, so copy it again, or fill the columns that are missing with '.'"
    )


def _lines(path: Path) -> Iterator[str]:
    check_readable(path)
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    if compressed:
        _warn_if_cut(path)
    try:
        with cast(BinaryIO, gzip.open(path)) if compressed else path.open("rb") as content:
            _check_text(content, path)
            # Names may be in any encoding; what the table is made of is ASCII.
            with io.TextIOWrapper(content, "utf-8-sig", errors="replace", newline="\n") as text:
                yield from text
    except EOFError as error:
        raise InputError(f"{path} is truncated, it ends too early: copy or download it again") from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged ({error}): copy or download it again") from error


def _check_text(content: BinaryIO, path: Path) -> None:
    beginning = content.read(1024)
    content.seek(0)
    if beginning.startswith(b"BCF"):
        raise InputError(f"{path} is a BCF, not a VCF: convert it with 'bcftools view -O z'")
    if b"\0" in beginning:
        raise InputError(f"{path} is binary, not a VCF: give a .vcf or .vcf.gz file of plain text")
    if not beginning:
        raise InputError(f"{path} is empty once decompressed: copy or download it again")


def _warn_if_cut(path: Path) -> None:
    with path.open("rb") as content:
        beginning = content.read(16)
        content.seek(0, io.SEEK_END)
        content.seek(max(0, content.tell() - len(_BGZF_END)))
        end = content.read()
    if beginning[12:14] == b"BC" and end != _BGZF_END:
        warnings.warn(
            f"{path} lacks the block that ends a bgzip file: it may be truncated, so check its last record",
            stacklevel=5,
        )

"""A genome's codes in one file that is mapped into memory, with what is needed to find a contig in it.

The file is ``codes, soft mask (packed bits, where it was asked for), JSON, 8 bytes length of the JSON,
8 bytes magic``. One file, renamed into place when it is whole: a reader never sees half of it, and of two
processes that build it at once the last wins with the same content.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from genailab.data.cells.files import check_readable
from genailab.data.genome.fasta import transcribe
from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError

__all__ = ["GenomeIndex", "open_index"]

_FORMAT = 1
_MAGIC = b"GENAILAB"
_HEAD = 1 << 16  # bytes at either end of the FASTA that its fingerprint reads


@dataclass(frozen=True, kw_only=True, eq=False)
class GenomeIndex:
    """The codes of all contigs one after the other, mapped from ``path``.

    Parameters
    ----------
    path
        Where the file is.
    lengths
        Bases of each contig by name, in the order of the FASTA.
    codes
        ``(bases,)`` uint8, codes of `genailab.data.sequences.alphabet.DNA`.
    mask
        ``(bases / 8,)`` uint8, one bit a base, set where the letter was in lower case; None unless asked for.
    """

    path: Path
    lengths: dict[str, int]
    codes: np.ndarray
    mask: np.ndarray | None


def open_index(fasta: Path, *, cache: Path | None, soft_mask: bool) -> GenomeIndex:
    """Map the index of a FASTA file; build it first where there is none or the FASTA has changed.

    It lies beside the FASTA as ``<name>.genailab``, or in ``$XDG_CACHE_HOME/genailab/genomes`` (by default
    ``~/.cache/genailab/genomes``) where that folder can't be written, or in ``cache``.
    """
    if fasta.is_dir():
        raise InputError(f"{fasta} is a folder, not a file: give the FASTA file in it")
    check_readable(fasta)
    source = _fingerprint(fasta)
    places = _places(fasta, cache)
    for place in places:
        index = _read(place, source, soft_mask)
        if index is not None:
            return index
    failures: list[str] = []
    for place in places:
        try:
            return _build(fasta, source, place, soft_mask)
        except OSError as error:
            failures.append(f"{place} ({error.strerror or error})")
    raise InputError(
        f"the index of {fasta} can't be written to {' nor to '.join(failures)}: pass cache= a folder that can"
    )


def _places(fasta: Path, cache: Path | None) -> list[Path]:
    # In a folder of many genomes' indexes the name alone doesn't tell two hg38.fa apart.
    address = hashlib.sha256(str(fasta.resolve()).encode()).hexdigest()[:12]
    elsewhere = f"{fasta.name}.{address}.genailab"
    if cache is not None:
        return [cache / elsewhere]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [fasta.with_name(f"{fasta.name}.genailab"), home / "genailab" / "genomes" / elsewhere]


def _fingerprint(fasta: Path) -> dict[str, Any]:
    """Tell whether a file changed without reading all of it: size, time, and a hash of its two ends."""
    stat = fasta.stat()
    with fasta.open("rb") as file:
        ends = file.read(_HEAD)
        file.seek(max(0, stat.st_size - _HEAD))
        ends += file.read(_HEAD)
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": hashlib.sha256(ends).hexdigest()}


def _build(fasta: Path, source: dict[str, Any], place: Path, soft_mask: bool) -> GenomeIndex:
    if place.parent != fasta.parent:
        place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        _write(fasta, source, beside, soft_mask)
        if _fingerprint(fasta) != source:
            raise InputError(
                f"{fasta} changed while its index was built: wait until it is complete and try again"
            )
        # Mapped before it is renamed: another process may put its own file in this place at any moment.
        index = _read(beside, source, soft_mask)
        if index is None:
            raise InputError(f"{beside} was damaged while it was written: check the disk and try again")
        os.replace(beside, place)
    finally:
        beside.unlink(missing_ok=True)
    return GenomeIndex(path=place, lengths=index.lengths, codes=index.codes, mask=index.mask)


def _write(fasta: Path, source: dict[str, Any], target: Path, soft_mask: bool) -> None:
    mask_file = target.with_suffix(".mask")
    try:
        with target.open("xb") as file:
            if soft_mask:
                with mask_file.open("xb") as bits:
                    packed = _BitPacker(bits)
                    lengths = transcribe(fasta, file.write, write_mask=packed.write)
                    packed.close()
                _append(mask_file, file)
            else:
                lengths = transcribe(fasta, file.write)
            about = {
                "format": _FORMAT,
                "letters": DNA.symbols,
                "source": source,
                "soft_mask": soft_mask,
                "contigs": list(lengths.items()),
            }
            text = json.dumps(about).encode()
            file.write(text + len(text).to_bytes(8, "little") + _MAGIC)
    finally:
        mask_file.unlink(missing_ok=True)


def _append(source: Path, target: BinaryIO) -> None:
    with source.open("rb") as file:
        while block := file.read(1 << 20):
            target.write(block)


class _BitPacker:
    """Eight flags a byte, across the borders of the pieces."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.rest = b""

    def write(self, flags: bytes) -> None:
        flags = self.rest + flags
        whole = len(flags) // 8 * 8
        self.rest = flags[whole:]
        self.file.write(np.packbits(np.frombuffer(flags, np.uint8, count=whole)).tobytes())

    def close(self) -> None:
        self.file.write(np.packbits(np.frombuffer(self.rest, np.uint8)).tobytes())


def _read(path: Path, source: dict[str, Any], soft_mask: bool) -> GenomeIndex | None:
    """Map an index, or return None if it isn't there, isn't whole, or isn't of this FASTA."""
    try:
        about, size = _about(path)
        if about["source"] != source or about["format"] != _FORMAT or about["letters"] != DNA.symbols:
            return None
        lengths = {str(name): int(length) for name, length in about["contigs"]}
        bases = sum(lengths.values())
        n_mask = -(-bases // 8) if about["soft_mask"] else 0
        if size != bases + n_mask or (soft_mask and not about["soft_mask"]):
            return None
        codes = np.asarray(np.memmap(path, mode="r", dtype=np.uint8, shape=(bases,)))
        mask = np.memmap(path, mode="r", dtype=np.uint8, offset=bases, shape=(n_mask,)) if soft_mask else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return GenomeIndex(path=path, lengths=lengths, codes=codes, mask=mask)


def _about(path: Path) -> tuple[dict[str, Any], int]:
    """Return what the JSON says and the number of bytes before it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 16))
        end = file.read()
        if end[8:] != _MAGIC:
            raise ValueError("not an index")
        start = size - 16 - int.from_bytes(end[:8], "little")
        file.seek(max(0, start))
        return json.loads(file.read(size - 16 - start)), start

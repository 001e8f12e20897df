"""Secondary structures of proteins in FLIP's format: three FASTA files in one archive.

Dallago et al. 2021, "FLIP: Benchmark tasks in fitness landscape inference for proteins". The training
proteins are those of NetSurfP-2.0 (Klausen et al. 2019), the test proteins NEW364 (Elnaggar et al. 2021,
"ProtTrans"), solved later than those.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

import pandas as pd

from genailab.errors import InputError

__all__ = ["STATES", "read_flip_secondary_structure"]

STATES = ("H", "E", "C")  # helix, strand, coil (everything else)
UNREADABLE = str.maketrans("UO", "XX")  # selenocysteine, pyrrolysine: beyond the 20 letters
PARTS = {("train", "False"): "train", ("train", "True"): "valid", ("test", "False"): "test"}


def read_flip_secondary_structure(path: str | Path) -> pd.DataFrame:
    """Read an archive with ``sequences.fasta``, ``sampled.fasta`` (structures) and ``mask.fasta``.

    Returns
    -------
    One row a protein, in the order of ``sequences.fasta``: ``protein`` (PDB entry and chain), ``part``
    (``train``, ``valid`` or ``test``), ``sequence`` (one-letter residues, U and O written X), ``structure``
    (a state of `STATES` for each residue) and ``resolved`` ("1" where the residue was seen in the structure;
    the state of a "0" means nothing and must not count).

    Raises
    ------
    InputError
        If a file is missing, the files hold different proteins, the three strings of a protein differ in
        length, or a character is not one of those above.
    """
    path = Path(path)
    sequences = _read(path, "sequences.fasta")
    structures = _read(path, "sampled.fasta")
    masks = _read(path, "mask.fasta")
    for name, records in (("sampled.fasta", structures), ("mask.fasta", masks)):
        if records.keys() != sequences.keys():
            odd = sorted(records.keys() ^ sequences.keys())[0]
            raise InputError(f"{path}: protein {odd!r} is in only one of sequences.fasta and {name}")
    rows = []
    for protein, (_, sequence) in sequences.items():
        description, structure = structures[protein]
        resolved = masks[protein][1]
        _check(path, protein, sequence, structure, resolved)
        part = _part(path, protein, description)
        rows.append((protein, part, sequence.translate(UNREADABLE), structure, resolved))
    return pd.DataFrame(rows, columns=["protein", "part", "sequence", "structure", "resolved"])


def _read(path: Path, name: str) -> dict[str, tuple[str, str]]:
    """Map each record's name to the rest of its header and its text."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [member for member in archive.namelist() if Path(member).name == name]
            if not found:
                raise InputError(
                    f"{path} holds no {name}: expected FLIP's splits.zip, found {archive.namelist()}"
                )
            with archive.open(found[0]) as file:
                records = list(_records(TextIOWrapper(file, encoding="utf-8"), f"{path}:{found[0]}"))
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(
            f"cannot read {path} ({error}): give FLIP's secondary-structure splits.zip"
        ) from error
    table = {record: (description, text) for record, description, text in records}
    if len(table) < len(records):
        raise InputError(
            f"{path}:{found[0]} names a protein twice: {len(records)} records, {len(table)} names"
        )
    return table


def _records(lines: TextIOWrapper, place: str) -> Iterator[tuple[str, str, str]]:
    name: str | None = None
    description, text = "", list[str]()
    for number, line in enumerate(lines, start=1):
        line = line.rstrip()
        if line.startswith(">"):
            if name is not None:
                yield name, description, "".join(text)
            name, _, description = line[1:].partition(" ")
            text = []
        elif name is not None:
            text.append(line)
        elif line:
            raise InputError(
                f"{place}:{number} holds {line[:20]!r} before the first header: start with '>name'"
            )
    if name is not None:
        yield name, description, "".join(text)


def _part(path: Path, protein: str, description: str) -> str:
    fields = dict(item.partition("=")[::2] for item in description.split())
    part = PARTS.get((fields.get("SET", ""), fields.get("VALIDATION", "")))
    if part is None:
        raise InputError(
            f"{path}: the header of {protein!r} in sampled.fasta says {description!r}: "
            "expected SET=train or test and VALIDATION=True or False"
        )
    return part


def _check(path: Path, protein: str, sequence: str, structure: str, resolved: str) -> None:
    if not len(sequence) == len(structure) == len(resolved) > 0:
        raise InputError(
            f"{path}: {protein!r} has {len(sequence)} residues, {len(structure)} states and {len(resolved)} "
            "mask characters: the three must have one length, above 0"
        )
    for what, text, allowed in (("state", structure, "".join(STATES)), ("mask character", resolved, "01")):
        position = next((i for i, character in enumerate(text) if character not in allowed), None)
        if position is not None:
            raise InputError(
                f"{path}: {protein!r} has the {what} {text[position]!r} at position {position} (from 0): "
                f"expected one of {', '.join(allowed)}"
            )

"""JASPAR's matrices, from the database that pyjaspar brings along, so that no download is needed.

JASPAR 2026, CC BY 4.0. The SQLite file is read as it is: pyjaspar's own functions ask it a dozen questions a
matrix and import Biopython; asked for all at once, 2,600 matrices take a second.
"""

from __future__ import annotations

import importlib.util
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genailab.data.motifs.motif import Motif
from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError, nearest

__all__ = ["read_jaspar"]

DATABASE = "JASPAR2026.sqlite"


@dataclass(frozen=True, kw_only=True)
class _Entry:
    key: int
    base: str
    version: int
    name: str
    families: tuple[str, ...]
    groups: tuple[str, ...]
    species: tuple[str, ...]
    taxa: tuple[str, ...]


def read_jaspar(
    *,
    name: str | None = None,
    matrix_id: str | None = None,
    species: str | int | None = None,
    family: str | None = None,
    tax_group: str | None = None,
    collection: str = "CORE",
) -> list[Motif]:
    """Read the matrices that meet every condition given, the newest version of each, sorted by accession.

    Parameters
    ----------
    name
        Of the factor, whole, in upper or lower case: ``"CTCF"``.
    matrix_id
        ``"MA0139"`` for the newest version, ``"MA0139.1"`` for that version.
    species
        Name or NCBI taxon: ``"Homo sapiens"`` or ``9606``.
    family
        Of factors, or part of its name: ``"Ets"`` finds ``"Ets-related"``.
    tax_group
        ``"vertebrates"``, ``"plants"``, ``"insects"``, ``"fungi"``, ``"nematodes"``, ``"urochordates"``...
    collection
        ``"CORE"``, or ``"UNVALIDATED"`` for matrices without a second, independent experiment.

    Raises
    ------
    InputError
        If nothing is found, with the nearest names, or pyjaspar isn't installed.
    """
    with closing(sqlite3.connect(f"file:{_database()}?mode=ro", uri=True)) as database:
        entries = _entries(database, collection)
        entries = _newest(entries) if matrix_id is None else _of_matrix(entries, matrix_id)
        wanted = None if species is None else str(species)
        entries = _keep(entries, "name", name, lambda entry: (entry.name,))
        entries = _keep(entries, "family", family, lambda entry: entry.families, part=True)
        entries = _keep(entries, "tax_group", tax_group, lambda entry: entry.groups)
        entries = _keep(entries, "species", wanted, lambda entry: entry.species + entry.taxa)
        counts = _counts(database, [entry.key for entry in entries])
    return [
        Motif(
            name=entry.name,
            matrix_id=f"{entry.base}.{entry.version}",
            counts=counts[entry.key],
            species="; ".join(entry.species),
            family="; ".join(entry.families),
        )
        for entry in sorted(entries, key=lambda entry: (entry.base, entry.version))
    ]


def _database() -> Path:
    package = importlib.util.find_spec("pyjaspar")
    if package is None or package.origin is None:
        raise InputError("JASPAR's matrices need pyjaspar: pip install pyjaspar")
    path = Path(package.origin).parent / "data" / DATABASE
    if not path.is_file():
        raise InputError(f"the pyjaspar at hand lacks {DATABASE}: pip install --upgrade 'pyjaspar>=4'")
    return path


def _entries(database: sqlite3.Connection, collection: str) -> list[_Entry]:
    families, groups, species, taxa = (defaultdict[int, list[str]](list) for _ in range(4))
    for key, value in database.execute("SELECT ID, VAL FROM MATRIX_ANNOTATION WHERE TAG = 'family'"):
        families[key].append(value)
    for key, value in database.execute("SELECT ID, VAL FROM MATRIX_ANNOTATION WHERE TAG = 'tax_group'"):
        groups[key].append(value)
    query = "SELECT s.ID, s.TAX_ID, t.SPECIES FROM MATRIX_SPECIES s LEFT JOIN TAX t ON t.TAX_ID = s.TAX_ID"
    for key, taxon, title in database.execute(query):
        taxa[key].append(str(taxon))
        species[key].append(title or str(taxon))
    rows = database.execute("SELECT ID, BASE_ID, VERSION, NAME, COLLECTION FROM MATRIX").fetchall()
    _check_known("collection", collection, {row[4] for row in rows})
    return [
        _Entry(
            key=key,
            base=base,
            version=int(version),
            name=name.strip(),
            families=tuple(families[key]),
            groups=tuple(groups[key]),
            species=tuple(species[key]),
            taxa=tuple(taxa[key]),
        )
        for key, base, version, name, found in rows
        if found == collection
    ]


def _newest(entries: Iterable[_Entry]) -> list[_Entry]:
    ordered = sorted(entries, key=lambda entry: entry.version)
    return list({entry.base: entry for entry in ordered}.values())


def _of_matrix(entries: list[_Entry], matrix_id: str) -> list[_Entry]:
    base, _, version = matrix_id.upper().partition(".")
    _check_known("matrix_id", base, {entry.base for entry in entries})
    versions = [entry for entry in entries if entry.base == base]
    if not version:
        return _newest(versions)
    _check_known("matrix_id", f"{base}.{version}", {f"{base}.{entry.version}" for entry in versions})
    return [entry for entry in versions if str(entry.version) == version]


def _keep(
    entries: list[_Entry],
    what: str,
    value: str | None,
    values_of: Callable[[_Entry], tuple[str, ...]],
    *,
    part: bool = False,
) -> list[_Entry]:
    if value is None:
        return entries
    wanted = value.lower()
    kept = [
        entry
        for entry in entries
        if any(wanted == found.lower() or (part and wanted in found.lower()) for found in values_of(entry))
    ]
    if not kept:
        known = sorted({found for entry in entries for found in values_of(entry)})
        raise InputError(
            f"none of JASPAR's {len(entries)} matrices at hand has {what} {value!r}: {nearest(value, known)}"
        )
    return kept


def _check_known(what: str, value: str, known: set[str]) -> None:
    if value not in known:
        raise InputError(f"JASPAR has no {what} {value!r}: {nearest(value, sorted(known))}")


def _counts(database: sqlite3.Connection, keys: list[int]) -> dict[int, np.ndarray]:
    cells: dict[int, list[tuple[str, int, float]]] = {key: [] for key in keys}
    marks = "row, col, val FROM MATRIX_DATA"
    if len(keys) > 200:  # one pass over the table is then faster than a look-up a matrix
        for key, *cell in database.execute(f"SELECT ID, {marks}"):
            if key in cells:
                cells[key].append(tuple(cell))
    else:
        for key in keys:
            cells[key] = database.execute(f"SELECT {marks} WHERE ID = ?", (key,)).fetchall()
    return {key: _matrix(found) for key, found in cells.items()}


def _matrix(cells: list[tuple[str, int, float]]) -> np.ndarray:
    counts = np.zeros((DNA.size, max(column for _, column, _ in cells)))
    for letter, column, value in cells:
        counts[DNA.letters.index(letter), column - 1] = value
    return counts

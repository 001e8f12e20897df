"""One entry of an EMBL flat file: its sequence and its coding exons.

Format: the EMBL-ENA flat file and the INSDC feature table definition (locations are 1-based and inclusive).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

__all__ = ["Entry", "coding_exons", "fasta", "read_entry"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A sequence with its features: (key, location, qualifiers) in the order of the file."""

    name: str
    description: str
    sequence: str
    features: list[tuple[str, str, dict[str, str]]]


def read_entry(path: Path, accession: str) -> Entry:
    """Read the entry of this accession; its name is accession.version."""
    text = path.read_text(encoding="latin-1")
    start = text.index(f"ID   {accession};")
    lines = text[start : text.index("\n//", start)].split("\n")
    version = re.search(r"SV (\d+)", lines[0])[1]
    sequence = [re.sub(r"[^a-z]", "", line) for line in lines if line.startswith("     ")]
    return Entry(
        name=f"{accession}.{version}",
        description=" ".join(line[5:] for line in lines if line.startswith("DE")),
        sequence="".join(sequence).upper(),
        features=_features([line[5:] for line in lines if line.startswith("FT")]),
    )


def _features(lines: list[str]) -> list[tuple[str, str, dict[str, str]]]:
    """Join what was broken over lines: a key in column 1 begins a feature, a slash a qualifier."""
    features = []
    for line in lines:
        key, rest = line[:16].strip(), line[16:].strip()
        if key:
            features.append((key, [rest]))
        elif rest.startswith("/"):
            features[-1][1].append(rest)
        else:
            features[-1][1][-1] += rest if features[-1][1][-1].startswith("/translation") else f" {rest}"
    return [(key, parts[0].replace(" ", ""), dict(map(_qualifier, parts[1:]))) for key, parts in features]


def _qualifier(text: str) -> tuple[str, str]:
    name, _, value = text[1:].partition("=")
    return name, value.strip('"')


def fasta(entry: Entry, *, width: int = 80) -> str:
    """Write the sequence in lines of ``width`` letters."""
    rows = [entry.sequence[start : start + width] for start in range(0, len(entry.sequence), width)]
    return f">{entry.name} {entry.description}\n" + "\n".join(rows) + "\n"


def coding_exons(entry: Entry) -> pd.DataFrame:
    """One row a coding exon, 0-based half-open, in the order of transcription.

    ``complete_start`` and ``complete_end`` are false where the location says that the coding sequence goes on
    outside the region (``<`` and ``>``); ``codon_start`` is the 1-based offset of the first whole codon;
    ``pseudo`` marks pseudogenes.
    """
    rows = []
    for number, (location, about) in enumerate(
        (where, about) for key, where, about in entry.features if key == "CDS"
    ):
        strand = "-" if location.startswith("complement") else "+"
        spans = [(int(a) - 1, int(b)) for a, b in re.findall(r"<?(\d+)\.\.>?(\d+)", location)]
        open_ends = ("<" in location, ">" in location)
        starts_whole, ends_whole = (not end for end in (open_ends if strand == "+" else open_ends[::-1]))
        for exon, (start, end) in enumerate(spans if strand == "+" else spans[::-1]):
            rows.append(
                {
                    "chrom": entry.name,
                    "start": start,
                    "end": end,
                    "strand": strand,
                    "gene": about.get("gene", ""),
                    "cds": number,
                    "exon": exon,
                    "codon_start": int(about.get("codon_start", 1)),
                    "complete_start": starts_whole,
                    "complete_end": ends_whole,
                    "pseudo": "pseudo" in about,
                    "protein_id": about.get("protein_id", ""),
                }
            )
    return pd.DataFrame(rows)

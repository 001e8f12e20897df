"""Real sequences with measured labels that every installation carries: examples and tests need no download.

Each file of ``bundled/`` is a compressed CSV that any tool reads; ``bundled/table.csv`` gives its origin,
licence and checksum, and ``scripts/build_bundled.py`` rebuilds it. The HLA region is in
`genailab.data.bundled.hla_region`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genailab.data.rows import TensorRows
from genailab.data.sequences.alphabet import DNA, PROTEIN, Alphabet
from genailab.data.sequences.encoding import encode
from genailab.errors import InputError, nearest

__all__ = [
    "BUNDLED",
    "SequenceSet",
    "about_bundled",
    "bundled_names",
    "load_gb1",
    "load_lac_promoters",
    "load_splice_junctions",
    "load_splice_site_activity",
]

BUNDLED = Path(__file__).parent
PARTS = ("train", "valid", "test")
N_BINS = 10  # of the lac sort-seq experiment
# Reads of wild-type GB1 before and after selection, Olson et al. 2014 (supplementary table of counts).
WILD_TYPE_INPUT, WILD_TYPE_SELECTED = 1_759_616, 3_041_819


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceSet:
    """Sequences of one length with what was measured of them.

    Parameters
    ----------
    codes
        ``(sequences, length)`` uint8, in the order of ``alphabet``.
    table
        One row a sequence, in the same order: ``part`` (train, valid or test) and the measurements.
    targets
        What a model learns by default: name in the batch -> column of ``table``.
    source, licence, citation
        Where the data come from and on which terms.
    """

    name: str
    codes: Tensor
    table: pd.DataFrame
    targets: dict[str, str]
    alphabet: Alphabet = DNA
    source: str = ""
    licence: str = ""
    citation: str = ""

    def __len__(self) -> int:
        return len(self.codes)

    def positions(self, part: str) -> np.ndarray:
        """Say which rows belong to ``"train"``, ``"valid"`` or ``"test"``."""
        if part not in PARTS:
            raise InputError(f"there is no part {part!r} in {self.name}: {nearest(part, PARTS)}")
        return np.flatnonzero(self.table["part"] == part)

    def classes(self, column: str) -> tuple[str, ...]:
        """Names of the classes of a categorical column, in the order of the numbers in `rows`."""
        return tuple(self._column(column).cat.categories)

    def rows(self, part: str | None = None, **columns: str) -> TensorRows:
        """Take what ``training.fit`` needs of one part (or of all): codes and the default targets.

        Name other columns as ``rows("train", target="log10_psi")``. Classes become their numbers (int64),
        measurements float32.
        """
        chosen = np.arange(len(self)) if part is None else self.positions(part)
        tensors = {name: _as_tensor(self._column(key)) for name, key in (columns or self.targets).items()}
        return TensorRows(codes=self.codes, **tensors).subset(chosen)

    def _column(self, column: str) -> pd.Series:
        if column not in self.table:
            raise InputError(
                f"there is no column {column!r} in {self.name}: {nearest(column, self.table.columns)}"
            )
        return self.table[column]


def _as_tensor(column: pd.Series) -> Tensor:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return torch.from_numpy(column.cat.codes.to_numpy(np.int64))
    return torch.from_numpy(column.to_numpy(np.float32))


@cache
def _table() -> dict[str, dict[str, str]]:
    with (BUNDLED / "table.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def bundled_names() -> tuple[str, ...]:
    """Names of the bundled files, in the order of ``table.csv``."""
    return tuple(_table())


def about_bundled(name: str) -> dict[str, str]:
    """Origin, licence, citation, bytes and SHA-256 of a bundled file, as ``table.csv`` has them."""
    if name not in _table():
        raise InputError(f"there is no bundled data set {name!r}: {nearest(name, _table())}")
    return dict(_table()[name])


def _load(
    name: str, table: pd.DataFrame, *, targets: dict[str, str], alphabet: Alphabet = DNA
) -> SequenceSet:
    about = about_bundled(name)
    return SequenceSet(
        name=name,
        codes=encode(table["sequence"].tolist(), alphabet=alphabet),
        table=table,
        targets=targets,
        alphabet=alphabet,
        source=about["origin"],
        licence=about["licence"],
        citation=about["citation"],
    )


def _read(name: str) -> pd.DataFrame:
    table = pd.read_csv(BUNDLED / about_bundled(name)["file"])
    return table.assign(part=pd.Categorical(table["part"], categories=PARTS))


def load_splice_junctions() -> SequenceSet:
    """Load 3,186 primate sequences of 60 bp: donors, acceptors and neither, the site in the middle.

    The intron begins (donor) or ends (acceptor) between positions 29 and 30, counted from 0: GT at 30, 31, AG
    at 28, 29. ``label`` is ``donor`` (767), ``acceptor`` (765) or ``neither`` (1,654).

    The rows are not independent: 310 have an exact copy, and many overlap in the genome or are homologous.
    ``group`` joins those that share a word of 20 letters on either strand, or differ at 15 positions at
    most: 2,625 groups, of which 258 hold 819 sequences. A group is in one part only (70% train, 10% valid,
    20% test, classes in proportion), so scores are lower than those of a random split. One sequence occurs
    with two labels.
    """
    table = _read("splice_junctions")
    labels = pd.Categorical(table["label"], categories=["donor", "acceptor", "neither"])
    return _load("splice_junctions", table.assign(label=labels), targets={"label": "label"})


def load_splice_site_activity() -> SequenceSet:
    """Load 30,483 5' splice sites of 9 nt, NNN|GYNNNN, with how often the exon before them is included.

    A massively parallel splicing assay of BRCA2 exon 17 (Wong et al. 2018). ``log10_psi`` is the base-10
    logarithm of the percentage spliced in, relative to the consensus site at 100%:
    ``log10(10.2 (included + 1) / (total + 1))``, rounded to 4 digits. ``included`` and ``total`` are reads
    of two libraries, so their ratio is no share. The RNA is written as DNA. The split is MAVE-NN's own, at
    random: no two sites are equal, but near sites are in different parts.
    """
    return _load("splice_site_activity", _read("splice_site_activity"), targets={"target": "log10_psi"})


def load_lac_promoters() -> SequenceSet:
    """Load 50,518 variants of the E. coli lac promoter, 75 bp, sorted by fluorescence into ten bins.

    Sort-seq (Kinney et al. 2010). ``bin_0`` (lowest expression) to ``bin_9`` are reads in each bin;
    ``activity`` is the mean bin, from 0 to 9, and ``reads`` their number. Most promoters have a single read,
    so that one ``activity`` is noisy, while a model over all of them averages the noise. Bins hold about
    equal numbers of reads (4,865 to 5,799), hence are not reweighted. Split by MAVE-NN, at random.
    """
    table = _read("lac_promoters")
    reads = table[[f"bin_{number}" for number in range(N_BINS)]].to_numpy()
    activity = reads @ np.arange(N_BINS) / reads.sum(axis=1)
    return _load(
        "lac_promoters",
        table.assign(activity=activity, reads=reads.sum(axis=1)),
        targets={"target": "activity"},
    )


def load_gb1() -> SequenceSet:
    """Load a sample of the double mutants of protein G's domain B1, 55 aa, with their binding to IgG.

    ``input`` and ``selected`` are reads before and after selection (Olson et al. 2014). ``fitness`` is the
    log2 enrichment relative to wild type, with one pseudocount::

        fitness = log2((selected + 1) / (input + 1)) - log2((selected_wt + 1) / (input_wt + 1))

    and ``standard_error`` (bits) follows from Poisson counts by the delta method, as for the log ratios of
    Rubin et al. 2017 (Enrich2, Genome Biology 18:150), whose pseudocount is 1/2::

        sqrt(1 / (selected + 1) + 1 / (input + 1) + the same of wild type) / ln 2

    17,227 of 530,737 doubles, drawn at random (seed 0) until each of the 1,045 substitutions occurs in 30 or
    more. The source holds no single mutants. Split by MAVE-NN, at random: a substitution is in every part.
    """
    table = _read("gb1")
    fitness, error = _enrichment(table["input"].to_numpy(), table["selected"].to_numpy())
    return _load(
        "gb1",
        table.assign(fitness=fitness, standard_error=error),
        targets={"target": "fitness"},
        alphabet=PROTEIN,
    )


def _enrichment(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    wild_type = np.log2((WILD_TYPE_SELECTED + 1) / (WILD_TYPE_INPUT + 1))
    fitness = np.log2((after + 1) / (before + 1)) - wild_type
    counts = (before, after, WILD_TYPE_INPUT, WILD_TYPE_SELECTED)
    variance = sum(1 / (np.asarray(count) + 1.0) for count in counts)
    return fitness, np.sqrt(variance) / np.log(2)

"""Files in, scores out: sequences and cells of any generator, ours or not, against held-out real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genailab.data.sequences.alphabet import ALPHABETS, DNA, Alphabet
from genailab.errors import InputError, nearest
from genailab.evaluation.generated_sequences.collection import SequenceCollection
from genailab.evaluation.generated_sequences.comparison import SequenceComparison
from genailab.evaluation.generated_sequences.novelty import copied
from genailab.evaluation.generated_sequences.options import SequenceOptions
from genailab.evaluation.generated_sequences.verdict import sequence_verdict
from genailab.evaluation.options import ComparisonOptions
from genailab.evaluation.scores import Score
from genailab.evaluation.verdict import verdict
from genailab.pipelines.fasta_records import FastaRecords, read_fasta_records

if TYPE_CHECKING:
    from genailab.data.cells.dataset import CellDataset
    from genailab.data.motifs.motif import Motif

__all__ = ["Evaluation", "evaluate_cells", "evaluate_sequences"]

MODEL = "generated"
MANY = 0.05  # share of copies from which a reader is warned

Announce = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What was found.

    Parameters
    ----------
    scores
        Of ``generated``, its baselines and the ceiling.
    verdict
        What they say, warnings first.
    inputs
        The files, how many rows they hold, and the settings.
    warnings
        Sentences a reader must see before trusting the scores.
    """

    scores: Sequence[Score]
    verdict: str
    inputs: dict[str, Any]
    warnings: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the scores as the demo's ``metrics.json`` has them."""
        return {
            "schema": 1,
            "inputs": self.inputs,
            "warnings": list(self.warnings),
            "scores": [score.as_dict() for score in self.scores],
            "verdict": self.verdict,
        }

    def write(self, folder: str | Path) -> Path:
        """Write ``scores.json`` into ``folder``, which is made where there is none, and return its path."""
        path = Path(folder).expanduser() / "scores.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n", encoding="utf-8")
        return path


def evaluate_sequences(
    generated: str | Path,
    *,
    real: str | Path,
    train: str | Path,
    alphabet: str = "DNA",
    label_key: str | None = None,
    motifs: str | None = "vertebrates",
    coding: bool = False,
    options: SequenceOptions | None = None,
    seed: int = 0,
    announce: Announce = lambda _: None,
) -> Evaluation:
    """Score generated sequences against held-out real ones.

    Parameters
    ----------
    generated, real, train
        FASTA, plain or gzip: the sequences to judge, held-out real ones, and those that the generator was
        trained on.
    alphabet
        ``"DNA"``, ``"RNA"`` or ``"PROTEIN"``.
    label_key
        Key of the class in each header, ``class`` for ``>name class=donor``; in the generated file the class
        that was asked for.
    motifs
        Group of JASPAR's motifs to compare: ``"vertebrates"``, ``"plants"``, ``"fungi"``...; None for none.
        DNA only.
    coding
        Whether the sequences are coding sequences, read from their first letter.
    options, seed
        How to compare; the same seed and files give the same scores.
    announce
        Is told what is being done.

    Raises
    ------
    InputError
        If a file is missing, empty or no FASTA, a letter is not of the alphabet, there are too few sequences,
        or a header lacks the key.
    """
    letters = _alphabet(alphabet)
    announce("Reading the sequences")
    paths = {"generated": generated, "real": real, "train": train}
    records = {kind: read_fasta_records(path, alphabet=letters) for kind, path in paths.items()}
    labels = {kind: each.labels(label_key) if label_key else None for kind, each in records.items()}
    announce("Preparing the held-out and training sequences")
    comparison = SequenceComparison.fit(
        records["real"].sequences,
        train=records["train"].sequences,
        alphabet=letters,
        labels=labels["real"],
        train_labels=labels["train"],
        motifs=_motifs(motifs, letters),
        coding=coding,
        options=options,
        seed=seed,
    )
    announce("Scoring the generated sequences")
    sequences = records["generated"].sequences
    scores = comparison.compare(sequences, subject=MODEL, labels=labels["generated"])
    announce("Scoring the baselines and real sequences")
    scores += comparison.baselines() + comparison.ceiling()
    told = tuple(_sequence_warnings(records, letters))
    inputs = {kind: {"path": str(each.path), "sequences": len(each)} for kind, each in records.items()}
    settings = {"alphabet": letters.name, "label_key": label_key, "motifs": motifs, "seed": seed}
    return Evaluation(
        scores=scores,
        verdict=" ".join([sequence_verdict(scores, model=MODEL), *told]),
        inputs={**inputs, **settings},
        warnings=told,
    )


def evaluate_cells(
    generated: str | Path,
    *,
    real: str | Path,
    train: str | Path,
    label_key: str | None = None,
    layer: str | None = None,
    options: ComparisonOptions | None = None,
    seed: int = 0,
    announce: Announce = lambda _: None,
) -> Evaluation:
    """Score generated cells against held-out real ones.

    Parameters
    ----------
    generated, real, train
        Cells over the same genes with raw counts, ``.h5ad`` or what else `read_cells` reads: those to judge,
        held-out real ones, and those that the generator was trained on.
    label_key
        Column of ``obs`` with the cell type; of the generated cells, the type that was asked for. With it the
        baselines are made by type.
    layer
        Layer with the raw counts; found by itself otherwise.
    options, seed
        How to compare; the same seed and files give the same scores.
    announce
        Is told what is being done.

    Raises
    ------
    InputError
        If a file is missing or damaged, holds no raw counts, lacks the column, or the genes differ.
    """
    from genailab.evaluation.cells import CellComparison

    announce("Reading the cells")
    paths = {"generated": generated, "real": real, "train": train}
    cells = {kind: _cells(path, kind, label_key, layer) for kind, path in paths.items()}
    announce("Preparing the held-out and training cells")
    comparison = CellComparison.fit(cells["real"], train=cells["train"], options=options, seed=seed)
    announce("Scoring the generated cells")
    scores = comparison.compare(cells["generated"], subject=MODEL, agreement=label_key is not None)
    announce("Scoring the baselines and real cells")
    for subject, drawn in _cell_baselines(cells, seed).items():
        scores += comparison.compare(drawn, subject=subject, agreement=label_key is not None)
    scores += comparison.ceiling()
    told = tuple(_cell_warnings(cells))
    inputs = {kind: {"path": str(paths[kind]), "cells": len(each)} for kind, each in cells.items()}
    return Evaluation(
        scores=scores,
        verdict=" ".join([*told, verdict(scores, model=MODEL)]),
        inputs={**inputs, "label_key": label_key, "layer": layer, "seed": seed},
        warnings=told,
    )


def _alphabet(name: str) -> Alphabet:
    if name.upper() not in ALPHABETS:
        raise InputError(f"there is no alphabet {name!r}: {nearest(name, ALPHABETS)}")
    return ALPHABETS[name.upper()]


def _motifs(group: str | None, alphabet: Alphabet) -> Sequence[Motif]:
    if group is None or alphabet is not DNA:
        return ()
    from genailab.data.motifs.jaspar import read_jaspar

    return read_jaspar(tax_group=group)


def _sequence_warnings(records: dict[str, FastaRecords], alphabet: Alphabet) -> list[str]:
    sets = {
        kind: SequenceCollection.of(each.sequences, alphabet=alphabet, kind=kind)
        for kind, each in records.items()
    }
    of_real = float(copied(sets["generated"], sets["real"]).mean())
    of_train = float(copied(sets["real"], sets["train"]).mean())
    told = []
    if of_real >= MANY:
        told.append(
            f"WARNING: {of_real:.1%} of the generated sequences are held-out real sequences: the generator "
            "has seen them, or the wrong file was given."
        )
    if of_train >= MANY:
        told.append(
            f"WARNING: {of_train:.1%} of the held-out real sequences are training sequences: split anew, "
            "with equal sequences on one side."
        )
    return told


def _cells(path: str | Path, kind: str, label_key: str | None, layer: str | None) -> CellDataset:
    from genailab.data import CellDataset, read_cells

    try:
        return CellDataset.from_anndata(read_cells(path), label_key=label_key, layer=layer)
    except InputError as error:
        # The message may name a column or a cell: of which file, only this place knows.
        text = str(error)
        raise InputError(text if str(path) in text else f"{kind} cells, {path}: {text}") from error


def _cell_baselines(cells: dict[str, CellDataset], seed: int) -> dict[str, CellDataset]:
    from genailab.evaluation.baselines import GaussianCopula, IndependentNB

    train, real = cells["train"], cells["real"]
    if train.label_key is None:
        return {}
    types = [str(name) for name in real.labels]
    return {
        name: baseline.fit(train).sample(types, generator=np.random.default_rng([seed, 1]))
        for name, baseline in (("independent NB", IndependentNB), ("Gaussian copula", GaussianCopula))
    }


def _cell_warnings(cells: dict[str, CellDataset]) -> list[str]:
    known = set(_rows(cells["train"], cells["train"].genes))
    copies = float(np.mean([row in known for row in _rows(cells["generated"], cells["train"].genes)]))
    held_out = float(np.mean([row in known for row in _rows(cells["real"], cells["train"].genes)]))
    if copies < MANY or copies <= held_out:
        return []
    return [
        f"WARNING: {copies:.1%} of the generated cells are training cells count by count; of held-out real "
        f"cells {held_out:.1%} are. Other scores praise copies, so read none of them as quality."
    ]


def _rows(cells: CellDataset, genes: tuple[str, ...]) -> list[bytes]:
    counts = cells.select_genes(genes).counts.sorted_indices()
    return [
        counts.indices[start:end].tobytes() + counts.data[start:end].tobytes()
        for start, end in pairwise(counts.indptr)
    ]

"""CTCF and PU.1 binding sites: a MotifCNN beside the best JASPAR matrix and logistic regression on k-mers.

Positives are the 100 letters under a peak, negatives one dinucleotide shuffle of each, drawn once.
Chromosomes 8 and 9 are the test, 7 chooses settings, the others train. All are judged on the same test
sequences; intervals are bootstraps that draw a peak together with its shuffle. The matrix is chosen among all
vertebrate CORE matrices on training rows, and once more on the test rows themselves: none can do better.
What the filters look for is judged in `learned_motifs`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from learned_motifs import belongs, learned_motifs
from machine import save_result
from score_rows import as_rows
from torch import Tensor

from genailab.data.genome.chromosome_split import split_chromosomes
from genailab.data.genome.peaks import read_peaks_fasta
from genailab.data.motifs.jaspar import read_jaspar
from genailab.data.motifs.motif import Motif
from genailab.data.motifs.motif_scan import best_motif_scores
from genailab.data.rows import TensorRows
from genailab.data.sequences.encoding import one_hot
from genailab.data.sequences.shuffle import shuffle
from genailab.evaluation.classification import auroc
from genailab.evaluation.sequence_baselines import BestMotif, KmerLogistic
from genailab.evaluation.sequences import Bootstrap, score_binary
from genailab.models.motif_cnn import MotifCNN, MotifCNNConfig
from genailab.training import TrainConfig, fit

FACTORS = {"ctcf": "CTCF", "pu1": "PU.1"}
VALID, TEST = ("chr7",), ("chr8", "chr9")
CNN, MATRIX, KMERS = "MotifCNN", "best JASPAR matrix", "logistic regression on k-mers"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Peaks, then their shuffles in the same order."""

    codes: Tensor  # (2 * peaks, 100)
    labels: Tensor  # (2 * peaks,) float, 1 for a peak

    @property
    def peaks(self) -> Tensor:
        """Codes of the peaks alone, ``(peaks, 100)``."""
        return self.codes[: len(self.codes) // 2]

    @property
    def pairs(self) -> np.ndarray:
        """Which peak each row comes from, ``(2 * peaks,)``."""
        return np.tile(np.arange(len(self.peaks)), 2)

    @property
    def rows(self) -> TensorRows:
        """All of it as training takes it."""
        return TensorRows(codes=self.codes, target=self.labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=None, help="folder with ctcf.fa.gz and pu1.fa.gz")
    parser.add_argument("--peaks", type=int, default=None, help="at most so many, for a quick look")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--factors", nargs="+", default=list(FACTORS), choices=list(FACTORS))
    parser.add_argument("--models", type=Path, default=None, help="keep the trained models in this folder")
    options = parser.parse_args()
    folder = options.data or data_folder()
    if folder is None or not (folder / "ctcf.fa.gz").is_file():
        print("ctcf.fa.gz and pu1.fa.gz are not here: name their folder with --data")
        return
    torch.set_num_threads(1)
    jaspar = read_jaspar(tax_group="vertebrates")
    for factor in options.factors:
        parts = read_parts(folder / f"{factor}.fa.gz", options)
        result = measure(factor, parts, jaspar, options)
        save_result(f"binding_sites_{factor}", result, packages=("pyjaspar", "scikit-learn"))


def data_folder() -> Path | None:
    """Find the data beside the repository or in a folder above it."""
    roots = Path(__file__).resolve().parents
    return next((root / "shared" / "data" for root in roots if (root / "shared" / "data").is_dir()), None)


def read_parts(path: Path, options: argparse.Namespace) -> dict[str, Part]:
    """Split by chromosome, then shuffle: a peak and its shuffle are always in the same part."""
    codes, intervals = read_peaks_fasta(path)
    codes, intervals = codes[: options.peaks], intervals[: options.peaks]
    shuffled = shuffle(codes, generator=np.random.default_rng(0))  # whatever the seed of the training
    split = split_chromosomes(intervals, valid=VALID, test=TEST)
    parts = {}
    for name in ("train", "valid", "test"):
        rows = torch.from_numpy(getattr(split, name))
        labels = torch.cat([torch.ones(len(rows)), torch.zeros(len(rows))])
        parts[name] = Part(codes=torch.cat([codes[rows], shuffled[rows]]), labels=labels)
    return parts


def measure(
    factor: str, parts: dict[str, Part], jaspar: Sequence[Motif], options: argparse.Namespace
) -> dict[str, Any]:
    """Train, fit the baselines, judge all three on the test part and name the filters."""
    train, valid, test = parts["train"], parts["valid"], parts["test"]
    model, training = train_cnn(parts, options)
    if options.models:
        model.save_pretrained(options.models / factor)
    started = time.process_time()
    matrix = BestMotif.fit(train.codes, train.labels, motifs=jaspar)
    kmers = KmerLogistic.fit(
        train.codes, train.labels, valid_codes=valid.codes, valid_labels=valid.labels, k=6
    )
    fitting = round(time.process_time() - started)
    found = {
        CNN: probabilities(model, test.codes),
        MATRIX: matrix.predict(test.codes),
        KMERS: kmers.predict(test.codes),
    }
    scores = score_binary(test.labels, found, bootstrap=Bootstrap(groups=test.pairs))
    batch = {"codes": valid.codes, "target": valid.labels}
    filters = learned_motifs(model, valid.peaks, batch, jaspar, factor=factor)
    intervals = {score.subject: (score.ci_low, score.ci_high) for score in scores if score.metric == "AUROC"}
    return {
        "factor": FACTORS[factor],
        "peaks": {name: len(part.peaks) for name, part in parts.items()},
        "test_chromosomes": TEST,
        "training": training,
        "baselines": {
            "cpu_seconds": fitting,
            MATRIX: f"{matrix.motif.name} {matrix.motif.matrix_id}, chosen of {len(jaspar)} on training rows",
            "best matrix on the test part itself": best_on(test, jaspar),
            KMERS: f"canonical words of 1 to 6 letters, C = {kmers.strength} chosen on {', '.join(VALID)}",
        },
        "scores": as_rows(scores),
        "filters": filters,
        "reached": {
            f"AUROC above {MATRIX}, no overlap": bool(intervals[CNN][0] > intervals[MATRIX][1]),
            f"AUROC above {KMERS}, no overlap": bool(intervals[CNN][0] > intervals[KMERS][1]),
            "the most important filter matches the factor": belongs(filters["by_importance"][0], factor),
        },
    }


def train_cnn(parts: dict[str, Part], options: argparse.Namespace) -> tuple[MotifCNN, dict[str, Any]]:
    """Train on both strands' mean; return the model with what it cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    torch.manual_seed(options.seed)
    settings = MotifCNNConfig(
        window=parts["train"].codes.shape[1], n_filters=32, activation="exponential", strands="mean"
    )
    model = MotifCNN(settings)
    config = TrainConfig(
        max_epochs=options.epochs,
        batch_size=128,
        learning_rate=2e-3,
        schedule="cosine",
        warmup_steps=200,
        weight_decay=1e-4,
        patience=options.epochs,  # keeps the weights of the best validation epoch
        seed=options.seed,
        device="cpu",
    )
    history = fit(model, parts["train"].rows, parts["valid"].rows, config)
    return model, {
        "epochs": options.epochs,
        "best_epoch": history.best_epoch,
        "seed": options.seed,
        "threads": torch.get_num_threads(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "wall_seconds": round(time.perf_counter() - wall),
        "cpu_seconds": round(time.process_time() - cpu),
        "valid_loss": [round(record["valid_loss"], 4) for record in history.records],
    }


@torch.no_grad()
def probabilities(model: MotifCNN, codes: Tensor) -> np.ndarray:
    model.eval()
    return torch.cat([model(one_hot(part))[:, 0].sigmoid() for part in codes.split(1000)]).numpy()


def best_on(part: Part, jaspar: Sequence[Motif]) -> dict[str, Any]:
    """Return the matrix that ranks this very part best: the bound of all single matrices."""
    scores = best_motif_scores(part.codes, jaspar).double().nan_to_num(neginf=-1e3).numpy()
    areas = [auroc(part.labels, scores[:, column]).item() for column in range(len(jaspar))]
    best = int(np.argmax(areas))
    return {"motif": jaspar[best].name, "matrix_id": jaspar[best].matrix_id, "AUROC": round(areas[best], 4)}


if __name__ == "__main__":
    main()

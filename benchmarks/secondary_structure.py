"""Secondary structure on FLIP's split: the BiLSTM beside the majority class and a window of residues.

Trains on 9,712 proteins, watches 1,080, and is judged once on the 364 test proteins (Q3: the share of
residues, resolved in the structure, whose state of H, E, C is right). Intervals: bootstrap over proteins.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from machine import save_result
from sklearn.linear_model import SGDClassifier

from genailab.data.catalog.flip import STATES, read_flip_secondary_structure
from genailab.data.sequences.alphabet import PROTEIN
from genailab.data.sequences.encoding import encode
from genailab.data.sequences.length_groups import LengthGroups
from genailab.evaluation.bootstrap import bootstrap_weights, interval
from genailab.models.secondary_structure import SecondaryStructureBiLSTM, SecondaryStructureConfig
from genailab.training import TrainConfig, fit

ARCHIVE = Path(__file__).parents[2] / "shared" / "data" / "flip_secondary_structure.zip"
WINDOW = 7  # residues on either side that the baseline sees
UNKNOWN_STATE = -100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, default=ARCHIVE, help="FLIP's splits.zip")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, default=None, help="keep the trained model in this folder")
    options = parser.parse_args()
    if not options.archive.exists():
        print(f"skipped: {options.archive} is not here: see genailab data fetch secondary_structure")
        return
    torch.set_num_threads(options.threads)
    proteins = read_flip_secondary_structure(options.archive)
    parts = dict(iter(proteins.groupby("part")))
    model, training = train(parts["train"], parts["valid"], options)
    scores = {
        "BiLSTM": score(bilstm(model, parts["test"]), parts["test"]),
        "window logistic regression": score(window(parts["train"], parts["test"]), parts["test"]),
        "majority class": score(majority(parts["train"], parts["test"]), parts["test"]),
        "BiLSTM, validation proteins": score(bilstm(model, parts["valid"]), parts["valid"]),
    }
    save_result("secondary_structure", {"training": training, "Q3": scores}, packages=("scikit-learn",))


def train(
    train_part: pd.DataFrame, valid_part: pd.DataFrame, options: argparse.Namespace
) -> tuple[SecondaryStructureBiLSTM, dict[str, Any]]:
    """Train and return the model with what it cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    torch.manual_seed(options.seed)
    model = SecondaryStructureBiLSTM(SecondaryStructureConfig())
    config = TrainConfig(
        max_epochs=options.epochs,
        batch_size=1,  # a group of proteins of similar length
        learning_rate=2e-3,
        schedule="cosine",
        warmup_steps=200,
        weight_decay=0.01,
        clip_norm=1.0,
        ema_decay=0.995,
        seed=options.seed,
        device="cpu",
    )
    rng = np.random.default_rng(options.seed)
    history = fit(
        model,
        LengthGroups(codes=codes(train_part), labels=labels(train_part), positions=8192, generator=rng),
        LengthGroups(codes=codes(valid_part), labels=labels(valid_part), positions=16384),
        config,
        folder=options.model,
    )
    if options.model:
        model.save_pretrained(options.model)
    return model, {
        "epochs": options.epochs,
        "threads": options.threads,
        "seed": options.seed,
        "wall_seconds": round(time.perf_counter() - wall),
        "cpu_seconds": round(time.process_time() - cpu),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "valid_cross_entropy": [round(record["valid_loss"], 4) for record in history.records],
    }


def codes(part: pd.DataFrame) -> list[torch.Tensor]:
    return [encode(sequence, alphabet=PROTEIN) for sequence in part["sequence"]]


def labels(part: pd.DataFrame) -> list[torch.Tensor]:
    """State of each residue as a number, -100 where it wasn't resolved."""
    number = {state: code for code, state in enumerate(STATES)}
    return [
        torch.tensor(
            [number[s] if seen == "1" else UNKNOWN_STATE for s, seen in zip(states, resolved, strict=True)]
        )
        for states, resolved in zip(part["structure"], part["resolved"], strict=True)
    ]


@torch.no_grad()
def bilstm(model: SecondaryStructureBiLSTM, part: pd.DataFrame) -> list[np.ndarray]:
    model.eval()
    return [model(row[None])[0].argmax(dim=0).numpy() for row in codes(part)]


def majority(train_part: pd.DataFrame, part: pd.DataFrame) -> list[np.ndarray]:
    state = torch.cat(labels(train_part))
    best = int(torch.bincount(state[state >= 0]).argmax())
    return [np.full(len(sequence), best) for sequence in part["sequence"]]


def window(train_part: pd.DataFrame, part: pd.DataFrame, *, epochs: int = 3) -> list[np.ndarray]:
    """Logistic regression on the one-hot residues from -7 to +7, by stochastic gradient descent."""
    classifier = SGDClassifier(
        loss="log_loss", alpha=1e-6, learning_rate="constant", eta0=0.02, average=True, random_state=0
    )
    rng = np.random.default_rng(0)
    everything = list(zip(codes(train_part), labels(train_part), strict=True))
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(everything)), 50):
            features = np.concatenate([windows_of(everything[row][0]) for row in rows])
            state = torch.cat([everything[row][1] for row in rows]).numpy()
            shuffled = rng.permutation(np.flatnonzero(state >= 0))
            classifier.partial_fit(features[shuffled], state[shuffled], classes=[0, 1, 2])
    return [classifier.predict(windows_of(row)) for row in codes(part)]


def windows_of(row: torch.Tensor) -> np.ndarray:
    """One-hot residues around it, ``(length, 15 * 22)``; beyond the ends is a letter of its own."""
    padded = np.full(len(row) + 2 * WINDOW, PROTEIN.size + 1)
    padded[WINDOW : WINDOW + len(row)] = np.minimum(row.numpy(), PROTEIN.size)
    seen = np.lib.stride_tricks.sliding_window_view(padded, 2 * WINDOW + 1)  # (length, 15)
    return np.eye(PROTEIN.size + 2, dtype=np.float32)[seen].reshape(len(row), -1)


def score(predicted: list[np.ndarray], part: pd.DataFrame) -> dict[str, float]:
    """Q3 over all residues with its 95% interval over proteins, and the mean of the proteins' own Q3."""
    truth = [label.numpy() for label in labels(part)]
    right = np.array([(p == t).sum() for p, t in zip(predicted, truth, strict=True)])  # -100 is never right
    known = np.array([(t >= 0).sum() for t in truth])
    weights = bootstrap_weights(len(right), n_bootstrap=2000, generator=np.random.default_rng(0))
    found = interval(weights @ right / (weights @ known), lowest=0.0, highest=1.0)
    return {
        "value": round(found.value, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
        "mean_over_proteins": round(float(np.mean(right[known > 0] / known[known > 0])), 4),
    }


if __name__ == "__main__":
    main()

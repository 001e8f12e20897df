"""UCI splice junctions: the splice CNN beside k-mers, positions and the majority class. Claim: at least 95%.

The set is bundled; its split keeps homologous and overlapping sequences in one part, so scores are lower than
those of the random splits in the literature. Epochs and penalties are chosen on the validation part; the test
part is predicted once. Intervals: bootstrap over groups of related sequences. Positions alone nearly reach
the network: with the site at a known place, most of what 60 letters tell is additive.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from machine import save_result
from score_rows import as_rows, as_text
from torch import Tensor

from genailab.data.bundled.sequence_sets import SequenceSet, load_splice_junctions
from genailab.data.rows import TensorRows
from genailab.data.sequences.encoding import one_hot
from genailab.evaluation.classification import confusion_matrix
from genailab.evaluation.sequence_baselines import KmerLogistic, Majority, PositionLogistic
from genailab.evaluation.sequences import Bootstrap, score_classes
from genailab.models.splice_cnn import SpliceCNN, SpliceCNNConfig
from genailab.training import TrainConfig, fit

K = 4  # longest word; of 3 to 6 the best on the validation part
STRONGEST_BASELINE = "position logistic regression"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    junctions = load_splice_junctions()
    parts = {part: junctions.rows(part) for part in ("train", "valid", "test")}
    probabilities, training = networks(parts, junctions.classes("label"), seeds=options.seeds)
    predicted = {name: found.argmax(axis=1) for name, found in probabilities.items()}
    predicted |= baselines(parts)
    scores = score_classes(
        parts["test"].columns["label"].numpy(),
        predicted,
        baseline=STRONGEST_BASELINE,
        bootstrap=Bootstrap(n_bootstrap=2000, groups=groups(junctions)),
    )
    print(as_text(scores))
    save_result(
        "splice_junctions",
        {
            "split": "by groups of homologous or overlapping sequences, bundled; "
            + ", ".join(f"{part} {len(rows):,}" for part, rows in parts.items()),
            "intervals": scores[0].space,
            "training": training,
            "scores": as_rows(scores),
            "confusion of the ensemble, true by predicted": confusion(junctions, parts, predicted),
        },
        packages=("scikit-learn",),
    )


def networks(
    parts: Mapping[str, TensorRows], classes: tuple[str, ...], *, seeds: int
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Class probabilities of the test rows, by each seed's network and by the mean of all of them."""
    found, training = {}, []
    for seed in range(seeds):
        model, cost = train(parts, classes, seed)
        found[f"splice CNN, seed {seed}"] = predict(model, parts["test"].columns["codes"])
        training.append(cost)
    mean = np.mean(list(found.values()), axis=0)  # (sequences, classes)
    return found | {f"splice CNN, ensemble of {seeds} seeds": mean}, training


def train(
    parts: Mapping[str, TensorRows], classes: tuple[str, ...], seed: int
) -> tuple[SpliceCNN, dict[str, Any]]:
    """Train with early stopping on the validation part; return the model with what it cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    torch.manual_seed(seed)
    model = SpliceCNN(SpliceCNNConfig(window=parts["train"].columns["codes"].shape[1], outputs=classes))
    config = TrainConfig(
        max_epochs=40,
        batch_size=64,
        learning_rate=1e-3,
        schedule="cosine",
        weight_decay=1e-2,
        clip_norm=1.0,
        ema_decay=0.99,
        patience=12,
        seed=seed,
        device="cpu",
    )
    history = fit(model, parts["train"], parts["valid"], config)
    return model, {
        "seed": seed,
        "epochs": len(history.records),
        "valid_cross_entropy": round(min(record["valid_loss"] for record in history.records), 4),
        "wall_seconds": round(time.perf_counter() - wall),
        "cpu_seconds": round(time.process_time() - cpu),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


@torch.no_grad()
def predict(model: SpliceCNN, codes: Tensor) -> np.ndarray:
    return model.eval()(one_hot(codes)).softmax(dim=1).numpy()  # (sequences, classes)


def baselines(parts: Mapping[str, TensorRows]) -> dict[str, np.ndarray]:
    """Predicted classes of the test rows, ``(sequences,)``, by each baseline."""
    train, valid, test = (parts[part].columns for part in ("train", "valid", "test"))
    words = KmerLogistic.fit(
        train["codes"],
        train["label"],
        valid_codes=valid["codes"],
        valid_labels=valid["label"],
        k=K,
        canonical=False,
    )
    letters = PositionLogistic.fit(
        train["codes"], train["label"], valid_codes=valid["codes"], valid_labels=valid["label"]
    )
    return {
        STRONGEST_BASELINE: letters.predict(test["codes"]).argmax(axis=1),
        f"logistic regression on 1- to {K}-mers": words.predict(test["codes"]).argmax(axis=1),
        "majority class": Majority.fit(train["label"]).predict(test["codes"]),
    }


def groups(junctions: SequenceSet) -> np.ndarray:
    return junctions.table["group"].to_numpy()[junctions.positions("test")]


def confusion(
    junctions: SequenceSet, parts: Mapping[str, TensorRows], predicted: Mapping[str, np.ndarray]
) -> dict[str, dict[str, int]]:
    """Count the test rows by true class, then by the class that the ensemble predicts."""
    classes = junctions.classes("label")
    called = next(found for name, found in predicted.items() if "ensemble" in name)
    counts = confusion_matrix(parts["test"].columns["label"].numpy(), called, n_classes=len(classes))
    return {
        true: dict(zip(classes, row, strict=True)) for true, row in zip(classes, counts.tolist(), strict=True)
    }


if __name__ == "__main__":
    main()

"""5' splice sites with measured inclusion: a perceptron beside linear models and boosted trees.

Claim: R2 and Spearman of the percentage spliced in (log10) are above the additive and the pairwise linear
model, intervals not overlapping. Boosted trees, the strongest simple baseline, are no part of the claim, but
of the picture. The set is bundled, with MAVE-NN's split, at random: no site is in two parts, but its
neighbours by one letter are, so this is interpolation among measured sites. All models see the same training
rows and squared error; epochs, penalties and sizes were chosen on the validation part. Intervals: bootstrap
over sites. The source has one value a site, so there is no ceiling; most sites are at the background, where
ranks are noise.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import torch
from machine import save_result
from score_rows import as_rows, as_text
from sklearn.ensemble import HistGradientBoostingRegressor
from torch import Tensor

from genailab.data.bundled.sequence_sets import load_splice_site_activity
from genailab.data.rows import TensorRows
from genailab.data.sequences.encoding import one_hot
from genailab.evaluation.linear_baselines import LinearSequenceModel
from genailab.evaluation.scores import Score
from genailab.evaluation.sequences import Bootstrap, score_regression
from genailab.models.promoter_mlp import PromoterMLP, PromoterMLPConfig
from genailab.training import TrainConfig, fit

CONFIG = PromoterMLPConfig(
    window=9, outputs=("log10_psi",), n_hidden=(256, 256), dropout=0.1, batch_norm=False
)
ADDITIVE, PAIRWISE, TREES = "additive linear", "pairwise linear", "boosted trees"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    sites = load_splice_site_activity()
    parts = {part: sites.rows(part) for part in ("train", "valid", "test")}
    predicted, training = networks(parts, seeds=options.seeds)
    linear, penalties = linear_models(parts)
    scores = score(parts["test"].columns["target"].numpy(), predicted | linear | {TREES: trees(parts)})
    print(as_text(scores))
    save_result(
        "splice_site_activity",
        {
            "split": "MAVE-NN's, at random; "
            + ", ".join(f"{part} {len(rows):,}" for part, rows in parts.items()),
            "intervals": scores[0].space,
            "model": asdict(CONFIG),
            "training": training,
            "ridge_penalties": penalties,
            "above_both_linear_models_without_overlap": apart(scores, list(predicted)),
            "scores": as_rows(scores),
        },
        packages=("scikit-learn",),
    )


def networks(
    parts: Mapping[str, TensorRows], *, seeds: int
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Predictions for the test rows, by each seed's network and by the mean of all of them."""
    measured = parts["train"].columns["target"]
    mean, deviation = measured.mean(), measured.std()
    scaled = {
        part: TensorRows(codes=rows.columns["codes"], target=(rows.columns["target"] - mean) / deviation)
        for part, rows in parts.items()
        if part != "test"
    }
    found, training = {}, []
    for seed in range(seeds):
        model, cost = train(scaled, seed)
        values = predict(model, parts["test"].columns["codes"]) * deviation + mean
        found[f"perceptron, seed {seed}"] = values.double().numpy()
        training.append(cost)
    average = np.mean(list(found.values()), axis=0)
    return found | {f"perceptron, ensemble of {seeds} seeds": average}, training


def train(parts: Mapping[str, TensorRows], seed: int) -> tuple[PromoterMLP, dict[str, Any]]:
    """Train with early stopping on the validation part; return the model with what it cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    torch.manual_seed(seed)
    model = PromoterMLP(CONFIG)
    config = TrainConfig(
        max_epochs=30,
        batch_size=256,
        learning_rate=2e-3,
        schedule="cosine",
        weight_decay=1e-2,
        clip_norm=1.0,
        ema_decay=0.99,
        patience=8,
        seed=seed,
        device="cpu",
    )
    history = fit(model, parts["train"], parts["valid"], config)
    return model, {
        "seed": seed,
        "epochs": len(history.records),
        "valid_r2": round(1 - min(record["valid_loss"] for record in history.records) / _variance(parts), 4),
        "wall_seconds": round(time.perf_counter() - wall),
        "cpu_seconds": round(time.process_time() - cpu),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def _variance(parts: Mapping[str, TensorRows]) -> float:
    return parts["valid"].columns["target"].var(correction=0).item()


@torch.no_grad()
def predict(model: PromoterMLP, codes: Tensor) -> Tensor:
    return model.eval()(one_hot(codes)).squeeze(1)  # (sites,)


def linear_models(parts: Mapping[str, TensorRows]) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Predictions for the test rows by both ridge regressions, and the penalties that were chosen."""
    train, valid, test = (parts[part].columns for part in ("train", "valid", "test"))
    found, penalties = {}, {}
    for name in (ADDITIVE, PAIRWISE):
        model = LinearSequenceModel.fit(
            train["codes"],
            train["target"],
            valid_codes=valid["codes"],
            valid_values=valid["target"],
            order="additive" if name == ADDITIVE else "pairwise",
        )
        found[name], penalties[name] = model.predict(test["codes"]), model.penalty
    return found, penalties


def trees(parts: Mapping[str, TensorRows]) -> np.ndarray:
    """Predictions for the test rows by gradient-boosted trees, stopped by the validation rows."""
    (codes, values), (valid_codes, valid_values) = (
        (parts[part].columns["codes"].numpy(), parts[part].columns["target"].numpy())
        for part in ("train", "valid")
    )
    model = HistGradientBoostingRegressor(
        max_iter=1000,
        early_stopping=True,
        categorical_features=list(range(codes.shape[1])),
        random_state=0,
    )
    model.fit(codes, values, X_val=valid_codes, y_val=valid_values)
    return model.predict(parts["test"].columns["codes"].numpy())


def score(measured: np.ndarray, predicted: Mapping[str, np.ndarray]) -> list[Score]:
    """Score each subject, then its paired differences from the pairwise model and from the trees."""
    bootstrap = Bootstrap(n_bootstrap=2000)
    scores = score_regression(measured, predicted, baseline=PAIRWISE, bootstrap=bootstrap)
    against_trees = score_regression(measured, predicted, baseline=TREES, bootstrap=bootstrap)
    return scores + [found for found in against_trees if found.subject.endswith(f" - {TREES}")]


def apart(scores: list[Score], subjects: list[str]) -> dict[str, dict[str, bool]]:
    """Whether the low end of each network's interval is above the high ends of both linear models."""
    by_name = {(score.subject, score.metric): score for score in scores}
    highest = {
        metric: max(by_name[linear, metric].ci_high for linear in (ADDITIVE, PAIRWISE))
        for metric in ("R2", "Spearman")
    }
    found: dict[str, dict[str, bool]] = {subject: {} for subject in subjects}
    for subject, metric in product(subjects, highest):
        found[subject][metric] = by_name[subject, metric].ci_low > highest[metric]
    return found


if __name__ == "__main__":
    main()

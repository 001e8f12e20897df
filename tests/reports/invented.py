"""A small report of invented cells, and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from genailab.reports import DatasetSummary, LeftOut, Reproduction, SingleCellReport

SUBJECTS = ("latent diffusion", "VAE prior", "independent NB", "Gaussian copula", "ceiling")


@dataclass(frozen=True, kw_only=True)
class InventedScore:
    metric: str
    subject: str
    value: float
    ci_low: float
    ci_high: float
    better: str = "lower"
    space: str = "30 principal components"
    n: int = 207


def score(
    metric: str, subject: str, value: float, half: float = 0.01, better: str = "lower"
) -> InventedScore:
    return InventedScore(
        metric=metric, subject=subject, value=value, ci_low=value - half, ci_high=value + half, better=better
    )


def scores() -> list[InventedScore]:
    metrics = {
        "MMD": "lower",
        "recall": "higher",
        "discriminator AUROC": "0.5",
        "nearest-training-cell ratio": "1",
    }
    return [
        score(metric, subject, 0.1234 + 0.1 * column + 0.01 * row, better=better)
        for row, (metric, better) in enumerate(metrics.items())
        for column, subject in enumerate(SUBJECTS)
    ]


def embedding(types: list[str], cells: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            (rng.normal(index, 0.2), rng.normal(-index, 0.2), kind, name)
            for index, name in enumerate(types)
            for kind in ("real", "generated")
            for _ in range(cells)
        ],
        columns=["x", "y", "kind", "type"],
    )


def markers(types: list[str], genes: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    columns = ["type", "gene", "real_mean", "generated_mean", "real_fraction", "generated_fraction"]
    return pd.DataFrame(
        [(name, gene, *rng.uniform(0, 3, 2), *rng.uniform(0, 1, 2)) for name in types for gene in genes],
        columns=columns,
    )


def curve(epochs: int) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    return pd.DataFrame({"epoch": epoch, "train": 10 / epoch, "valid": 11 / epoch})


def make_report(
    *, types: list[str] | None = None, genes: list[str] | None = None, **changes: Any
) -> SingleCellReport:
    types = types or ["B cell", "NK cell", "Monocyte"]
    parts: dict[str, Any] = {
        "title": "Generated single cells",
        "verdict": "The model beats both baselines on MMD and loses on recall.",
        "dataset": DatasetSummary(
            name="PBMC",
            n_cells=700,
            n_genes=765,
            cell_types={name: 50 + index for index, name in enumerate(types)},
            counts_source="raw.X",
            left_out=(LeftOut(count=8, what="cells", reason="a type with fewer than 10 cells"),),
            splits={"training": 420, "held out": 280},
        ),
        "split_hash": "3f2a91c0",
        "embedding": embedding(types),
        "markers": markers(types, genes or ["CD3D", "LYZ"]),
        "curves": {"count VAE": curve(30)},
        "scores": scores(),
        "metric_notes": {"MMD": "Zero when the two sets of cells agree."},
        "reproduce": Reproduction(
            command="genailab demo --seed 7",
            seed=7,
            device="cpu",
            duration_seconds=96.0,
            versions={"torch": "2.13.0"},
            config_yaml="seed: 7\n",
        ),
        "warnings": ["Type 'rare' was kept out of the split."],
    }
    return SingleCellReport(**(parts | changes))

"""Settings of the single-cell pipeline, group by group as ``--set group.name=value`` names them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

from genailab.errors import InputError
from genailab.evaluation.options import ComparisonOptions
from genailab.generative.diffusion import GaussianDiffusionConfig
from genailab.generative.vae import CountVAEConfig
from genailab.training import TrainConfig

__all__ = [
    "DataSettings",
    "DiffusionSettings",
    "EvaluationSettings",
    "SamplingSettings",
    "SingleCellConfig",
    "VAESettings",
]


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Which cells, and what they are called."""

    path: str | None = None  # the user's file; None takes the 700 PBMC that come with scanpy
    labels: str | None = None  # a .csv or .tsv by cell name, whose columns join obs
    label_key: str | None = None  # column of obs with the cell type
    layer: str | None = None  # where the raw counts are; None looks in X, the layers and raw
    batch_keys: tuple[str, ...] = ()  # columns of obs that the VAE is told: batch, donor, chemistry
    group_key: str | None = None  # column whose groups (donors) are held out whole
    n_genes: int | None = None  # highly variable genes to keep; None keeps all up to 3,000
    min_cells: int = 10  # types with fewer cells are left out
    fractions: tuple[float, float, float] = (0.6, 0.1, 0.3)  # train, validation, held out


@dataclass(frozen=True, kw_only=True)
class VAESettings:
    """Size of the CountVAE; `genailab.generative.vae.CountVAEConfig` says what each means."""

    likelihood: Literal["nb", "zinb", "poisson", "gaussian"] = "nb"
    library: Literal["observed", "learned"] = "observed"
    n_latent: int = 10
    n_hidden: int = 128
    n_layers: int = 1
    dropout: float = 0.1
    beta: float = 1.0
    kl_warmup: int = 400


@dataclass(frozen=True, kw_only=True)
class DiffusionSettings:
    """Size of the diffusion; `genailab.generative.diffusion.GaussianDiffusionConfig` says what each means."""

    schedule: Literal["cosine", "linear"] = "cosine"
    prediction: Literal["eps", "x0", "v"] = "v"
    width: int = 128
    depth: int = 3
    dropout: float = 0.0
    drop_condition: float = 0.1


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How cells are drawn."""

    n_cells: int | None = None  # None generates as many as there are real ones
    sampler: Literal["dpm++2m", "ddim", "ddpm"] = "dpm++2m"
    n_steps: int = 20
    guidance_scale: float = 1.0


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How generated cells are judged."""

    n_bootstrap: int = 200
    max_cells: int = 5000
    n_markers: int = 3  # marker genes a type shown in the report


@dataclass(frozen=True, kw_only=True)
class SingleCellConfig:
    """Everything that decides the result of a run."""

    data: DataSettings = field(default_factory=DataSettings)
    vae: VAESettings = field(default_factory=VAESettings)
    vae_training: TrainConfig = field(
        default_factory=lambda: TrainConfig(max_epochs=400, batch_size=64, patience=40)
    )
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    diffusion_training: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            max_epochs=800,
            max_steps=20_000,
            batch_size=256,
            learning_rate=2e-3,
            schedule="cosine",
            ema_decay=0.995,
        )
    )
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    seed: int = 0  # of split, first weights and sampling; added to the trainings' own
    # CPU threads of torch. One, because the result then doesn't depend on the number of cores, and because
    # in networks this small several threads mostly wait for each other; wide ones profit from more.
    threads: int = 1

    def __post_init__(self) -> None:
        if self.data.path is not None and self.data.label_key is None:
            raise InputError(
                "the cells of your file need a label: name the column of adata.obs with --label-key"
            )
        if self.data.labels is not None and self.data.path is None:
            raise InputError(
                f"the labels in {self.data.labels} need their cells: give the file with --data FILE"
            )
        if self.data.group_key is not None and self.data.group_key in self.data.batch_keys:
            raise InputError(
                f"{self.data.group_key!r} is both the group_key and a batch_key: the model can't be told of "
                "groups that are held out, so drop it from one of them"
            )
        if self.data.label_key in self.data.batch_keys:
            raise InputError(
                f"{self.data.label_key!r} is both the label_key and a batch_key: drop it from one of them"
            )
        least = {"data.n_genes": self.data.n_genes, "sampling.n_cells": self.sampling.n_cells}
        least |= {
            "sampling.n_steps": self.sampling.n_steps,
            "evaluation.n_markers": self.evaluation.n_markers,
        }
        for name, value in least.items():
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}: it must be at least 1")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}: it must not be negative")
        self._check_groups()

    def _check_groups(self) -> None:
        # Now, not when each group comes into use: a mistake should not wait until after a training.
        CountVAEConfig(genes=("any",), **dataclasses.asdict(self.vae))
        GaussianDiffusionConfig(n_dims=self.vae.n_latent + 1, **dataclasses.asdict(self.diffusion))
        ComparisonOptions(n_bootstrap=self.evaluation.n_bootstrap, max_cells=self.evaluation.max_cells)

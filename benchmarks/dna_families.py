"""Every family of generator for DNA, small, with its training and its sampling; a task chooses the sizes.

Budgets are about equal in processor time, not in steps: a step of one family costs several of another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dna_tasks import Task

from genailab.generative.diffusion import (
    AnalogBitsDiffusion,
    AnalogBitsDiffusionConfig,
    DirichletDiffusion,
    DirichletDiffusionConfig,
    DiscreteDiffusion,
    DiscreteDiffusionConfig,
)
from genailab.generative.energy import SequenceEnergyModel, SequenceEnergyModelConfig
from genailab.generative.gan import SequenceGAN, SequenceGANConfig
from genailab.generative.vae import SequenceVAE, SequenceVAEConfig
from genailab.nn.model import Model
from genailab.training import TrainConfig

__all__ = ["FAMILIES", "Family"]

BATCH = 64
SMALL = 20  # letters: sequences up to there need no deep network


@dataclass(frozen=True, kw_only=True)
class Family:
    """How a family is made, trained and sampled for a task."""

    make: Callable[[Task], Model]
    steps: Mapping[str, int]  # by task; a task that is not named goes without
    learning_rate: float = 2e-3
    sampling: Mapping[str, Any] = field(default_factory=dict)
    sharpened_by: Literal["", "guidance_scale", "temperature"] = ""  # whose values are compared

    def training(self, task: Task) -> TrainConfig:
        """Return the settings of ``fit``."""
        return TrainConfig(
            max_epochs=1000,
            max_steps=self.steps[task.name],
            batch_size=BATCH,
            learning_rate=self.learning_rate,
            schedule="cosine",
            warmup_steps=50,
            clip_norm=1.0,
            ema_decay=0.99,
            device="cpu",
        )


def _meaning(task: Task) -> dict[str, Any]:
    return {"length": task.length, "conditions": {task.covariate: task.classes}}


def _network(task: Task) -> dict[str, Any]:
    # Where letters are aligned each has a meaning of its own; motifs under peaks lie anywhere.
    if task.name == "binding_regions":
        return {"network": "unet", "width": 24, "depth": 2}
    return {"network": "transformer", "width": 48, "depth": 2}


def _vae(task: Task, decoder: str) -> SequenceVAE:
    size = {"n_channels": 48, "n_latent": 8, "dilations": (1, 2) if task.length <= SMALL else (1, 2, 4)}
    return SequenceVAE(SequenceVAEConfig(**_meaning(task), decoder=decoder, **size))  # type: ignore[arg-type]


def _gan(task: Task) -> SequenceGAN:
    size = {"n_channels": 24, "depth": 2, "kernel": 5 if task.length <= SMALL else 11}
    return SequenceGAN(SequenceGANConfig(**_meaning(task), **size))


def _discrete(task: Task, process: str) -> DiscreteDiffusion:
    return DiscreteDiffusion(
        DiscreteDiffusionConfig(**_meaning(task), process=process, **_network(task))  # type: ignore[arg-type]
    )


def _energy(task: Task) -> SequenceEnergyModel:
    few = task.length <= SMALL
    size = {"channels": 32, "kernel": 5, "depth": 1} if few else {"channels": 16, "kernel": 11}
    return SequenceEnergyModel(SequenceEnergyModelConfig(**_meaning(task), **size, chain_steps=10))


def _steps(splice_sites: int, lac_promoters: int = 0, binding_regions: int = 0) -> dict[str, int]:
    named = {
        "splice_sites": splice_sites,
        "lac_promoters": lac_promoters,
        "binding_regions": binding_regions,
    }
    return {name: steps for name, steps in named.items() if steps}


FEW = {"n_steps": 25}  # of a sampler: letters drawn in one step do not see each other

FAMILIES: dict[str, Family] = {
    "VAE": Family(
        make=lambda task: _vae(task, "autoregressive"),
        steps=_steps(1000, 2000, 800),
        learning_rate=3e-3,
        sharpened_by="temperature",
    ),
    "VAE, convolutional decoder": Family(
        make=lambda task: _vae(task, "convolutional"), steps=_steps(1000), learning_rate=3e-3
    ),
    "GAN": Family(make=_gan, steps=_steps(1500, 500, 700), learning_rate=5e-4),
    "masked diffusion": Family(
        make=lambda task: _discrete(task, "masked"),
        steps=_steps(3000, 400, 600),
        sampling=FEW,
        sharpened_by="guidance_scale",
    ),
    "uniform diffusion (D3PM)": Family(
        make=lambda task: _discrete(task, "uniform"), steps=_steps(1000), sampling=FEW
    ),
    "analog bits": Family(
        make=lambda task: AnalogBitsDiffusion(AnalogBitsDiffusionConfig(**_meaning(task), **_network(task))),
        steps=_steps(1000, 400, 500),
        sampling=FEW,
    ),
    "Dirichlet flow": Family(
        make=lambda task: DirichletDiffusion(DirichletDiffusionConfig(**_meaning(task), **_network(task))),
        steps=_steps(1000, 400, 600),
        sampling=FEW,
    ),
    "energy": Family(make=_energy, steps=_steps(500, 300, 400), sampling={"n_steps": 300}),
}

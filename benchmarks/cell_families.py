"""The generators of cells that `families_cells` compares, each with how it is trained.

The CountVAE's, the diffusion's and their training are the demo's, and so is the training of the other latent
diffusions. Rates and steps of the latent GANs and of the energies by score matching were chosen in two or
three tries, by the energy distance of generated to validation latents of another split (seed 100); the rest
was not tuned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from genailab.generative.gan import ExpressionGAN, ExpressionGANConfig, published_settings
from genailab.generative.latent_generator import LatentGenerator
from genailab.generative.vae import CountVAE, CountVAEConfig
from genailab.nn.model import Model
from genailab.pipelines.single_cell_config import SingleCellConfig
from genailab.pipelines.single_cell_data import PreparedCells
from genailab.training import TrainConfig

__all__ = ["FAMILIES", "VAE_TRAINING", "Family", "count_vae"]

VAE_TRAINING = dataclasses.replace(SingleCellConfig().vae_training, device="cpu")
DIFFUSION_TRAINING = dataclasses.replace(SingleCellConfig().diffusion_training, device="cpu")
GAN_TRAINING = TrainConfig(
    max_epochs=2000, max_steps=3000, batch_size=128, learning_rate=1e-3, ema_decay=0.995, device="cpu"
)
ENERGY_TRAINING = TrainConfig(
    max_epochs=2000,
    max_steps=1000,
    batch_size=256,
    learning_rate=2e-3,
    schedule="cosine",
    ema_decay=0.995,
    device="cpu",
)
CHAIN_TRAINING = dataclasses.replace(ENERGY_TRAINING, max_steps=250, learning_rate=1e-3)


@dataclass(frozen=True, kw_only=True)
class Family:
    """How a generator is made and trained; ``vae`` is the trained CountVAE that all latent ones share."""

    make: Callable[[PreparedCells, CountVAE], Model]
    training: TrainConfig | None  # None: the shared VAE itself
    sampling: Mapping[str, Any] = field(default_factory=dict)
    told: bool = True  # the type


def count_vae(cells: PreparedCells, *, told: bool = False) -> CountVAE:
    """Return an untrained CountVAE of the demo's size, told the types or not."""
    train, log_library = cells.train, np.log(cells.train.library_sizes)
    config = CountVAEConfig(
        genes=train.genes,
        covariates=train.categories if told else {},
        library_log_mean=float(log_library.mean()),
        library_log_std=float(log_library.std()),
        **dataclasses.asdict(SingleCellConfig().vae),
    )
    vae = CountVAE(config)
    vae.start_from(train.gene_shares())
    return vae


def expression_gan(cells: PreparedCells, _: CountVAE) -> ExpressionGAN:
    """Return an untrained GAN of counts."""
    log_library = np.log(cells.train.library_sizes)
    config = ExpressionGANConfig(
        genes=cells.train.genes,
        conditions=cells.train.categories,
        library_log_mean=float(log_library.mean()),
        library_log_std=float(log_library.std()),
    )
    model = ExpressionGAN(config)
    model.start_from(torch.as_tensor(cells.train.gene_shares(), dtype=torch.float32))
    return model


def latent(prior: str, **settings: Any) -> Callable[[PreparedCells, CountVAE], Model]:
    """Return what makes a prior over the shared VAE's latents."""

    def make(cells: PreparedCells, vae: CountVAE) -> LatentGenerator:
        return LatentGenerator.around(vae, cells.train.categories, cells.train, prior=prior, **settings)

    return make


SIZE = {"width": 128, "depth": 3}

FAMILIES: dict[str, Family] = {
    "CountVAE": Family(make=lambda _, vae: vae, training=None, told=False),
    "CountVAE, told the type": Family(
        make=lambda cells, _: count_vae(cells, told=True), training=VAE_TRAINING
    ),
    "latent VAE": Family(
        make=latent("vae", n_latent=11),
        training=dataclasses.replace(DIFFUSION_TRAINING, max_epochs=400, patience=100),
    ),
    "latent diffusion": Family(make=latent("diffusion", **SIZE), training=DIFFUSION_TRAINING),
    "latent EDM": Family(make=latent("edm", **SIZE), training=DIFFUSION_TRAINING),
    "latent flow matching": Family(
        make=latent("flow_matching", coupling="independent", **SIZE), training=DIFFUSION_TRAINING
    ),
    "latent flow matching, OT": Family(make=latent("flow_matching", **SIZE), training=DIFFUSION_TRAINING),
    "latent GAN (WGAN-GP)": Family(
        make=latent("gan", depth=2, **published_settings("wgan_gp")), training=GAN_TRAINING
    ),
    "latent GAN (R1)": Family(make=latent("gan"), training=dataclasses.replace(GAN_TRAINING, max_steps=1500)),
    "GAN of counts": Family(
        make=expression_gan,
        training=dataclasses.replace(GAN_TRAINING, max_steps=600, learning_rate=5e-4, ema_decay=0.99),
    ),
    "latent energy, score matching": Family(make=latent("energy"), training=ENERGY_TRAINING),
    "latent energy, contrastive divergence": Family(
        make=latent("energy", objective="cd"), training=CHAIN_TRAINING
    ),
}

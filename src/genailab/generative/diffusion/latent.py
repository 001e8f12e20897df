"""Diffusion in the latent space of a trained CountVAE, decoded to counts.

The latent space, its scale and the way back to counts are `genailab.generative.latent_cells`'; other priors
over the same space are `genailab.generative.latent_generator`'s. Rombach et al. 2022, "High-Resolution Image
Synthesis with Latent Diffusion Models"; for cells Luo et al. 2024, scDiffusion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.gaussian import GaussianDiffusion, GaussianDiffusionConfig
from genailab.generative.diffusion.samplers import Spacing
from genailab.generative.latent_cells import Cells, LatentModel
from genailab.generative.vae.count_vae import CountVAE, CountVAEConfig
from genailab.nn.conditioning import Categories, Condition

__all__ = ["LatentDiffusion", "LatentDiffusionConfig"]


@dataclass(frozen=True, kw_only=True)
class LatentDiffusionConfig:
    """The two models, and what the diffusion is conditioned on."""

    vae: CountVAEConfig
    diffusion: GaussianDiffusionConfig
    split_hash: str = field(default="")

    def __post_init__(self) -> None:
        if self.diffusion.n_dims != self.vae.n_latent + 1:
            raise InputError(
                f"the diffusion has {self.diffusion.n_dims} dimensions: it must have "
                f"{self.vae.n_latent + 1}, the VAE's latent dimensions and the log library size"
            )


class LatentDiffusion(LatentModel):
    """A conditional generator of cells: the diffusion draws a state and a library size, the VAE decodes them.

    Train it on `LatentCells` (made by `encode`), not on counts: the VAE stays as it is.
    """

    config_class = LatentDiffusionConfig
    config: LatentDiffusionConfig

    def __init__(self, config: LatentDiffusionConfig) -> None:
        super().__init__(config.vae)
        self.config = config
        self.diffusion = GaussianDiffusion(config.diffusion)

    @property
    def prior(self) -> GaussianDiffusion:
        """The diffusion."""
        return self.diffusion

    @classmethod
    def around(cls, vae: CountVAE, conditions: Categories, train: Cells, **diffusion: Any) -> Self:
        """Return an untrained latent diffusion on top of a trained VAE, standardised on the training cells.

        Parameters
        ----------
        vae
            Trained CountVAE; copied.
        conditions
            Category names of each covariate the diffusion shall be told.
        train
            Training cells, whose latents fix the scale.
        diffusion
            Settings of `GaussianDiffusionConfig`: width, depth, schedule, ...

        Raises
        ------
        InputError
            If there are fewer than two training cells, or a setting can't be right.
        """
        config = GaussianDiffusionConfig(n_dims=vae.config.n_latent + 1, conditions=conditions, **diffusion)
        model = cls(LatentDiffusionConfig(vae=vae.config, diffusion=config, split_hash=vae.config.split_hash))
        return model.standardise(vae, train)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        sampler: str = "dpm++2m",
        n_steps: int = 20,
        spacing: Spacing = "log_snr",
        guidance_scale: float = 1.0,
    ) -> Tensor:
        """Generate the counts of new cells, ``(n, n_genes)``.

        ``condition`` names the diffusion's conditions and the VAE's covariates; without any of the
        diffusion's, its unconditional model is sampled. The other settings are those of
        `GaussianDiffusion.sample`, and so are the errors. The library size is drawn with the latent state,
        from the diffusion.
        """
        x = self.diffusion.sample(
            n,
            self.asked_of_prior(condition),
            generator=generator,
            sampler=sampler,
            n_steps=n_steps,
            spacing=spacing,
            guidance_scale=guidance_scale,
        )
        return self.decode(x, condition, generator=generator)

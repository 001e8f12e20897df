"""Diffusion in the latent space of a trained CountVAE, decoded to counts.

A VAE's prior is a poor description of where its cells really lie; a diffusion model learns that distribution,
cell type by cell type, in a space of a dozen dimensions instead of thousands of genes. The log library size
is one more dimension, so that how deeply a cell was sequenced goes with what kind of cell it is. Rombach et
al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models"; for cells Luo et al. 2024,
scDiffusion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.gaussian import GaussianDiffusion, GaussianDiffusionConfig
from genailab.generative.vae.count_vae import CountVAE, CountVAEConfig
from genailab.nn.conditioning import Categories, Condition
from genailab.nn.model import Batch, Loss, Model

__all__ = ["LatentCells", "LatentDiffusion", "LatentDiffusionConfig"]


class Cells(Protocol):
    """Cells that can be fetched in batches, such as a CellDataset."""

    def __len__(self) -> int: ...

    def __getitems__(self, indices: Sequence[int]) -> Batch: ...


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


class LatentDiffusion(Model):
    """A conditional generator of cells: the diffusion draws a state and a library size, the VAE decodes them.

    Train it on `LatentCells` (made by `encode`), not on counts: the VAE stays as it is.
    """

    config_class = LatentDiffusionConfig
    config: LatentDiffusionConfig
    center: Tensor
    scale: Tensor

    def __init__(self, config: LatentDiffusionConfig) -> None:
        super().__init__()
        self.config = config
        self.vae = CountVAE(config.vae).requires_grad_(False).eval()
        self.diffusion = GaussianDiffusion(config.diffusion)
        # Mean and standard deviation of the training cells' latents: diffusion wants about unit variance.
        self.register_buffer("center", torch.zeros(config.diffusion.n_dims))
        self.register_buffer("scale", torch.ones(config.diffusion.n_dims))

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
        if len(train) < 2:
            raise InputError(f"a latent space cannot be standardised on {len(train)} cells: give at least 2")
        config = GaussianDiffusionConfig(n_dims=vae.config.n_latent + 1, conditions=conditions, **diffusion)
        model = cls(LatentDiffusionConfig(vae=vae.config, diffusion=config, split_hash=vae.config.split_hash))
        model.vae.load_state_dict(vae.state_dict())
        latents = model.encode(train)
        spread = latents.mean.var(dim=0) + latents.std.square().mean(dim=0)  # of the draws, not of the means
        model.center.copy_(latents.mean.mean(dim=0))
        # A dimension in which no cell differs, such as a library size they all share, has nothing to be
        # scaled by.
        model.scale.copy_(torch.where(spread > 0, spread.sqrt(), 1.0))
        return model

    def train(self, mode: bool = True) -> Self:
        """Switch the diffusion to training; the VAE stays in evaluation mode."""
        super().train(mode)
        self.vae.eval()
        return self

    @torch.no_grad()
    def encode(self, cells: Cells, *, batch_size: int = 1024) -> LatentCells:
        """Return the posterior of every cell, with its log library size as the last dimension."""
        if len(cells) == 0:
            raise InputError("there are no cells to encode: give at least 1")
        device = self.center.device
        parts = []
        for start in range(0, len(cells), batch_size):
            rows = range(start, min(start + batch_size, len(cells)))
            batch = {key: values.to(device) for key, values in cells.__getitems__(rows).items()}
            parts.append(self._encode_batch(batch))
        return LatentCells({key: torch.cat([part[key] for part in parts]) for key in parts[0]})

    def _encode_batch(self, batch: Batch) -> dict[str, Tensor]:
        posterior = self.vae.encode(batch)
        log_library = batch["library_size"].log()[:, None]
        # The library size of a cell is a whole number that is known: it has no spread.
        no_spread = torch.zeros_like(log_library)
        if posterior.log_library is not None:
            log_library, no_spread = posterior.log_library
        codes = {key: values for key, values in batch.items() if key not in ("counts", "library_size")}
        mean = torch.cat([posterior.state.mean, log_library], dim=1)  # (cells, n_latent + 1)
        return {"mean": mean, "std": torch.cat([posterior.state.std, no_spread], dim=1), **codes}

    def loss(self, batch: Batch) -> Loss:
        """Return the diffusion's loss on draws from the cells' posterior: keys mean, std and the codes."""
        draw = batch["mean"] + batch["std"] * torch.randn_like(batch["mean"])
        return self.diffusion.loss({**batch, "x": (draw - self.center) / self.scale})

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        sampler: str = "dpm++2m",
        n_steps: int = 20,
        spacing: Literal["time", "log_snr"] = "log_snr",
        guidance_scale: float = 1.0,
    ) -> Tensor:
        """Generate the counts of new cells, ``(n, n_genes)``.

        ``condition`` names the diffusion's conditions and the VAE's covariates; without any of the
        diffusion's, its unconditional model is sampled. The other settings are those of
        `GaussianDiffusion.sample`, and so are the errors. The library size is drawn with the latent state,
        from the diffusion.
        """
        wanted = self.config.diffusion.conditions
        asked = {key: value for key, value in (condition or {}).items() if key in wanted} or None
        latent = self.diffusion.sample(
            n,
            asked,
            generator=generator,
            sampler=sampler,
            n_steps=n_steps,
            spacing=spacing,
            guidance_scale=guidance_scale,
        )
        latent = latent * self.scale + self.center  # (n, n_latent + 1)
        return self.vae.sample(
            n,
            {
                key: value
                for key, value in (condition or {}).items()
                if key in self.config.vae.covariates or key not in wanted
            },
            state=latent[:, :-1],
            log_library=latent[:, -1:],
            generator=generator,
        )


class LatentCells:
    """Encoded cells as a data set.

    ``mean`` and ``std`` ``(cells, n_latent + 1)``, the codes ``(cells,)`` of each covariate by its name.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = dict(tensors)
        self.mean, self.std = self.tensors["mean"], self.tensors["std"]

    def __len__(self) -> int:
        return len(self.mean)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        rows = torch.as_tensor(indices)
        return {key: values[rows] for key, values in self.tensors.items()}

"""A model of where the cells of a trained CountVAE lie in its latent space, decoded to counts.

    x = ((z, log l) - center) / scale        a cell's state and log library size      (cells, n_latent + 1)
    x ~ prior(. | conditions)                any generative model of vectors
    counts ~ decoder(z, l)                   the VAE's, as it was trained             (cells, n_genes)

A VAE's own prior is a poor description of where its cells really lie; a second model learns that
distribution, cell type by cell type, in a dozen dimensions instead of thousands of genes. The log library
size is one more dimension, so that how deeply a cell was sequenced goes with what kind of cell it is. Dai &
Wipf 2019, "Diagnosing and Enhancing VAE Models" (two stages); Rombach et al. 2022, "High-Resolution Image
Synthesis with Latent Diffusion Models".
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.vae.count_vae import CountVAE, CountVAEConfig
from genailab.nn.conditioning import Condition
from genailab.nn.model import Batch, Loss, Model

__all__ = ["Cells", "LatentCells", "LatentModel"]


class Cells(Protocol):
    """Cells that can be fetched in batches, such as a CellDataset."""

    def __len__(self) -> int: ...

    def __getitems__(self, indices: Sequence[int]) -> Batch: ...


class LatentModel(Model):
    """A trained VAE that stays as it is, and a prior over its standardised latents; see the module.

    A subclass makes the prior after this constructor and returns it from `prior`. Train it on `LatentCells`
    (made by `encode`), not on counts.
    """

    config: Any
    center: Tensor
    scale: Tensor

    def __init__(self, vae: CountVAEConfig) -> None:
        super().__init__()
        self.vae = CountVAE(vae).requires_grad_(False).eval()
        # Mean and standard deviation of the training cells' latents: priors want about unit variance.
        self.register_buffer("center", torch.zeros(vae.n_latent + 1))
        self.register_buffer("scale", torch.ones(vae.n_latent + 1))

    @property
    @abstractmethod
    def prior(self) -> Model:
        """The model of standardised latents, whose batches hold ``x`` ``(cells, n_latent + 1)``."""

    def standardise(self, vae: CountVAE, train: Cells) -> Self:
        """Take the weights of a trained VAE, and the training cells' latents for the scale.

        Raises
        ------
        InputError
            If there are fewer than two training cells.
        """
        if len(train) < 2:
            raise InputError(f"a latent space cannot be standardised on {len(train)} cells: give at least 2")
        self.vae.load_state_dict(vae.state_dict())
        latents = self.encode(train)
        spread = latents.mean.var(dim=0) + latents.std.square().mean(dim=0)  # of the draws, not of the means
        self.center.copy_(latents.mean.mean(dim=0))
        # A dimension in which no cell differs, such as a library size they all share, has nothing to be
        # scaled by.
        self.scale.copy_(torch.where(spread > 0, spread.sqrt(), 1.0))
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch the prior to training; the VAE stays in evaluation mode."""
        super().train(mode)
        self.vae.eval()
        return self

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return the prior's: the players of a game learn at rates of their own here too."""
        return self.prior.parameter_groups(learning_rate)

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
        """Return the prior's loss on draws from the cells' posterior: keys mean, std and the codes."""
        draw = batch["mean"] + batch["std"] * torch.randn_like(batch["mean"])
        return self.prior.loss({**batch, "x": (draw - self.center) / self.scale})

    def asked_of_prior(self, condition: Condition | None) -> Condition | None:
        """Return the part of a condition that the prior knows; None where there is none."""
        wanted = self.prior.config.conditions
        return {key: value for key, value in (condition or {}).items() if key in wanted} or None

    @torch.no_grad()
    def decode(
        self, x: Tensor, condition: Condition | None = None, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw the counts ``(n, n_genes)`` of standardised latents ``x`` ``(n, n_latent + 1)``.

        ``condition`` names the VAE's covariates; the prior's own are passed over.
        """
        latent = x * self.scale + self.center  # (n, n_latent + 1)
        wanted = self.prior.config.conditions
        asked = {
            key: value
            for key, value in (condition or {}).items()
            if key in self.config.vae.covariates or key not in wanted
        }
        return self.vae.sample(
            len(x), asked, state=latent[:, :-1], log_library=latent[:, -1:], generator=generator
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

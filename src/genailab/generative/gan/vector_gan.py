"""A GAN of vectors: points of a toy, principal components, latent states of a VAE.

    z ~ N(0, I)                    noise                                       (batch, n_latent)
    x = generator(z, conditions)   multilayer perceptron                       (batch, n_dims)
    score = critic(x, conditions)  multilayer perceptron with a projection     (batch,)

The game is that of `adversarial`, the conditional critic Miyato & Koyama's (2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from genailab.generative.gan.adversarial import AdversarialConfig, AdversarialModel
from genailab.generative.gan.networks import VectorCritic, VectorGenerator
from genailab.generative.vectors import checked_vectors
from genailab.nn.checks import check_at_least_one
from genailab.nn.conditioning import Condition, encode_condition
from genailab.nn.model import Batch, evaluating

__all__ = ["VectorGAN", "VectorGANConfig"]


@dataclass(frozen=True, kw_only=True)
class VectorGANConfig(AdversarialConfig):
    """Size and rules of a VectorGAN."""

    n_dims: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_one(self, "n_dims")


class VectorGAN(AdversarialModel):
    """Generator and critic of vectors ``x``, float ``(batch, n_dims)`` of about unit variance.

    Batches also hold the codes ``(batch,)`` of each condition by name.
    """

    config_class = VectorGANConfig
    config: VectorGANConfig

    def __init__(self, config: VectorGANConfig) -> None:
        super().__init__()
        self.config = c = config
        self.generator = VectorGenerator(c.n_latent, c.conditions, c.n_dims, width=c.width, depth=c.depth)
        self.critic = VectorCritic(c.n_dims, c.conditions, width=c.width, depth=c.depth)
        self._start()

    def real(self, batch: Batch) -> Tensor:
        """Return ``batch["x"]``."""
        return checked_vectors(batch, self.config.n_dims)

    def draw(
        self, n: int, codes: Mapping[str, Tensor], *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return generated vectors, ``(n, n_dims)``."""
        return self.generator(self._noise(n, generator), codes)

    @torch.no_grad()
    def sample(
        self, n: int, condition: Condition | None = None, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Generate vectors, ``(n, n_dims)``.

        Parameters
        ----------
        n
            How many.
        condition
            For each covariate one name, ``n`` names, or codes ``(n,)``.
        generator
            Source of randomness.

        Raises
        ------
        InputError
            If ``n`` is below 1, or the condition is incomplete or unknown.
        """
        codes = encode_condition(condition, self.config.conditions, n, device=self.steps.device)
        with evaluating(self):
            return self.draw(n, codes, generator=generator)

"""The density ratio of FactorVAE: a discriminator tells latents from latents shuffled in each dimension.

    D(z) = P(z came from q(z), not from prod_j q(z_j))
    TC(z) = KL(q(z) || prod_j q(z_j)) ~ E_q(z)[log D(z) / (1 - D(z))]

Kim & Mnih 2018, "Disentangling by Factorising", equations 2 and 3 and algorithms 1 and 2. Both players train
in one loss: the discriminator sees latents that carry no gradient, the encoder a discriminator whose weights
carry none.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus

__all__ = ["LatentDiscriminator", "permute_dimensions"]


class LatentDiscriminator(nn.Module):
    """Log-odds that latents ``(batch, n_latent)`` are joint draws and not shuffled ones, ``(batch,)``."""

    def __init__(self, n_latent: int, *, n_hidden: int = 128, n_layers: int = 3) -> None:
        super().__init__()
        widths = [n_latent, *[n_hidden] * n_layers]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    def forward(self, state: Tensor) -> Tensor:
        """Return ``log D / (1 - D)``."""
        return self.layers(state).squeeze(1)

    def total_correlation(self, state: Tensor) -> Tensor:
        """Return the estimated total correlation in nats, whose gradient reaches ``state`` alone."""
        fixed = {name: value.detach() for name, value in self.named_parameters()}
        return functional_call(self, fixed, (state,)).mean()

    def loss(self, state: Tensor) -> Tensor:
        """Return the cross-entropy of telling the two apart, whose gradient reaches the weights alone.

        log 2 where they cannot be told apart. Shuffles with torch's global generator, as `fit` seeds it.
        """
        joint = state.detach()
        shuffled = permute_dimensions(joint)
        return 0.5 * (softplus(-self(joint)).mean() + softplus(self(shuffled)).mean())


def permute_dimensions(state: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """Shuffle each dimension over the batch by itself: draws of ``prod_j q(z_j)``, ``(batch, n_latent)``."""
    noise = torch.rand(state.shape, generator=generator, device=state.device)
    return state.gather(0, noise.argsort(dim=0))

"""Independent Gaussians: the approximate posterior of a variational autoencoder, and its prior.

    z = mean + std * noise,  noise ~ N(0, I)                               (reparametrised draw)
    KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - 1 - log s^2) / 2               (each dimension)

Kingma & Welling 2014, "Auto-Encoding Variational Bayes", section 2.4 and appendix B.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genailab.generative.vae.likelihoods import gaussian_log_prob

__all__ = ["Gaussian", "Posterior", "to_gaussian"]


class Gaussian(NamedTuple):
    """Mean and standard deviation of independent Gaussians, shapes alike."""

    mean: Tensor
    std: Tensor

    @classmethod
    def standard(cls, like: Tensor) -> Gaussian:
        """Return N(0, I) in the shape of ``like``."""
        return cls(torch.zeros_like(like), torch.ones_like(like))

    def draw(self, generator: torch.Generator | None = None) -> Tensor:
        """Return one reparametrised draw, of the same shape."""
        # torch.compile takes only the first: it knows no generators.
        noise = torch.randn_like(self.mean) if generator is None else _randn_like(self.mean, generator)
        return self.mean + self.std * noise

    def log_prob(self, values: Tensor) -> Tensor:
        """Return the log-density of each value summed over the last axis, ``(cells,)``."""
        return gaussian_log_prob(values, self.mean, self.std.log()).sum(dim=-1)

    def kl(self, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Return ``KL(self || N(mean, std^2))`` summed over the last axis, ``(cells,)``."""
        return self.kl_per_dimension(mean, std).sum(dim=-1)

    def kl_per_dimension(self, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Return ``KL(self || N(mean, std^2))`` of each dimension in nats, ``(cells, dims)``."""
        ratio = self.std / std
        return 0.5 * (((self.mean - mean) / std).square() + ratio.square() - 1) - ratio.log()


class Posterior(NamedTuple):
    """The approximate posterior of a batch: of the state, and of the log library size where it is learned."""

    state: Gaussian  # (batch, n_latent)
    log_library: Gaussian | None = None  # (cells, 1), of a CountVAE


def to_gaussian(mean_and_log_var: Tensor) -> Gaussian:
    """Read a network's outputs ``(batch, 2 * n)``, means then log-variances, as Gaussians ``(batch, n)``."""
    mean, log_var = mean_and_log_var.chunk(2, dim=1)
    # Beyond e^±6 a standard deviation only overflows.
    return Gaussian(mean, torch.exp(0.5 * log_var.clamp(-12, 12)))


def _randn_like(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)

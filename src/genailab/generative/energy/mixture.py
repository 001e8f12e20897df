"""A mixture of Gaussians whose density, score and draws are known: what samplers and losses are tried on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["GaussianMixture"]


@dataclass(frozen=True, kw_only=True)
class GaussianMixture:
    """``p(x) = sum_k w_k N(x; m_k, s_k^2 I)``, with its score in closed form.

    ``score(x) = sum_k r_k(x) (m_k - x) / s_k^2`` with the shares ``r_k = p(k | x)``.

    Parameters
    ----------
    weights
        ``(components,)``, positive, scaled to a sum of 1.
    means
        ``(components, n_dims)``.
    stds
        Standard deviation of each component in every direction, ``(components,)``.

    Raises
    ------
    InputError
        If shapes disagree, or a weight or a standard deviation isn't positive.

    Examples
    --------
    >>> two = GaussianMixture(
    ...     weights=torch.ones(2), means=torch.tensor([[-1.0], [1.0]]), stds=torch.ones(2)
    ... )
    >>> two.score(torch.zeros(1, 1)).abs().item()
    0.0
    """

    weights: Tensor
    means: Tensor
    stds: Tensor

    def __post_init__(self) -> None:
        n = len(self.means)
        if self.means.dim() != 2 or self.weights.shape != (n,) or self.stds.shape != (n,):
            raise InputError(
                f"weights {tuple(self.weights.shape)}, means {tuple(self.means.shape)} and stds "
                f"{tuple(self.stds.shape)} are no mixture: give (components,), (components, n_dims) and "
                "(components,)"
            )
        for name, values in (("weights", self.weights), ("stds", self.stds)):
            if not (values > 0).all():
                raise InputError(f"{name} are {values.tolist()}: all must be positive")

    def log_prob(self, x: Tensor) -> Tensor:
        """Return ``log p(x)`` in nats, ``(batch,)``, of rows ``(batch, n_dims)``."""
        return self._joint(x).logsumexp(dim=1)

    def energy(self, x: Tensor) -> Tensor:
        """Return ``-log p(x)``, ``(batch,)``: an energy with Z = 1."""
        return -self.log_prob(x)

    def score(self, x: Tensor) -> Tensor:
        """Return ``grad log p(x)``, shape of ``x``."""
        shares = self._joint(x).softmax(dim=1)  # (batch, components)
        pulls = (self.means - x[:, None, :]) / self.stds.square()[:, None]  # (batch, components, n_dims)
        return (shares[:, :, None] * pulls).sum(dim=1)

    def blurred(self, sigma: float) -> GaussianMixture:
        """Return the distribution of ``x + sigma eps``, again a mixture."""
        return replace(self, stds=(self.stds.square() + sigma**2).sqrt())

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``(n, n_dims)``."""
        if n < 1:
            raise InputError(f"asked for {n} samples: ask for at least 1")
        component = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        means = self.means[component]
        noise = torch.randn(means.shape, generator=generator, device=means.device, dtype=means.dtype)
        return means + self.stds[component, None] * noise

    def _joint(self, x: Tensor) -> Tensor:
        """Return ``log w_k + log N(x; m_k, s_k^2 I)``, ``(batch, components)``."""
        n_dims = self.means.shape[1]
        distance = (x[:, None, :] - self.means).square().sum(dim=2)  # (batch, components)
        log_scale = n_dims * (self.stds.log() + 0.5 * math.log(2 * math.pi))
        log_weights = self.weights.log() - self.weights.sum().log()
        return log_weights - log_scale - 0.5 * distance / self.stds.square()

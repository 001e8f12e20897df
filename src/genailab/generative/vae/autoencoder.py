"""What the variational autoencoders of vectors and of sequences share.

    z ~ N(0, I),  x ~ p(x | z, c),  q(z | x, c) = N(mean(x, c), std(x, c)^2)
    log p(x | c) >= E_q[log p(x | z, c)] - KL(q(z | x, c) || p(z))

Kingma & Welling 2014, "Auto-Encoding Variational Bayes"; conditional as in Sohn et al. 2015, "Learning
Structured Output Representation using Deep Conditional Generative Models", with a prior that does not depend
on the condition.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.vae.posterior import Gaussian, Posterior
from genailab.nn.conditioning import Categories
from genailab.nn.model import Batch, Model, evaluating

__all__ = ["Autoencoder"]


class Autoencoder(Model):
    """An encoder and a likelihood; whoever defines both has the bounds, the draws and the latent's uses."""

    @property
    def categories(self) -> Categories:
        """Category names of each condition."""
        return self.config.conditions

    def encode(self, batch: Batch) -> Posterior:
        """Return ``q(z | x, c)`` of each row."""
        raise NotImplementedError(f"{type(self).__name__} defines no encoder")

    def log_likelihood(self, batch: Batch, state: Tensor) -> Tensor:
        """Return ``log p(x | z, c)`` of each row in nats, ``(batch,)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no likelihood")

    def reconstruct(self, state: Tensor, codes: Mapping[str, Tensor], batch: Batch | None = None) -> Tensor:
        """Return what these states ``(batch, n_latent)`` stand for, without noise."""
        raise NotImplementedError(f"{type(self).__name__} defines no decoder")

    @torch.no_grad()
    def log_weights(
        self, batch: Batch, *, n_draws: int = 100, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return ``log p(x, z) - log q(z | x)`` of draws from the posterior, ``(n_draws, batch)`` in nats.

        `elbo` and `importance_weighted_bound` turn it into bounds on ``log p(x)``.
        """
        if n_draws < 1:
            raise InputError(f"asked for {n_draws} draws from the posterior: ask for at least 1")
        with evaluating(self):
            posterior = self.encode(batch).state
            return torch.stack([self._log_weight(batch, posterior, generator) for _ in range(n_draws)])

    def _log_weight(
        self, batch: Batch, posterior: Gaussian, generator: torch.Generator | None = None
    ) -> Tensor:
        state = posterior.draw(generator)
        log_prior = Gaussian.standard(state).log_prob(state)
        return log_prior - posterior.log_prob(state) + self.log_likelihood(batch, state)

    def _states(self, n: int, state: Tensor | None, generator: torch.Generator | None) -> Tensor:
        """Return the states to decode, ``(n, n_latent)``: those given, or draws from the prior."""
        device, n_latent = next(self.parameters()).device, self.config.n_latent
        if state is None:
            return torch.randn(n, n_latent, generator=generator, device=device)
        if state.shape != (n, n_latent):
            raise InputError(
                f"state is {tuple(state.shape)}, but {n} samples of this model need {(n, n_latent)}"
            )
        return state.to(device)

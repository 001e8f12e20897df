"""A variational autoencoder of vectors, with the objectives that ask for more than a good likelihood.

With ``x | z, c ~ N(decoder(z, c), noise_std^2)``, x ``(batch, n_dims)``, the loss is::

    elbo       E[-log p(x|z)] + KL                                    Kingma & Welling 2014, equation 3
    beta       E[-log p(x|z)] + beta KL                               Higgins et al. 2017, equation 4
    beta_tc    E[-log p(x|z)] + KL + (beta - 1) TC(z)                 Chen et al. 2018, equation 4, alpha =
                                                                      gamma = 1
    factor     E[-log p(x|z)] + KL + gamma TC(z)                      Kim & Mnih 2018, equation 2
    iwae       -log 1/k sum_i p(x, z_i) / q(z_i | x)                  Burda et al. 2016, equation 8

TC is the total correlation of the latent's dimensions, from the batch (`total_correlation`) or from a
discriminator (`LatentDiscriminator`). With ``n_layers=0`` encoder and decoder are linear, and the model is
probabilistic PCA (Tipping & Bishop 1999), whose log p(x) is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.generative.vae.autoencoder import Autoencoder
from genailab.generative.vae.bounds import importance_weighted_bound
from genailab.generative.vae.conditions import MixedOneHot
from genailab.generative.vae.discriminator import LatentDiscriminator
from genailab.generative.vae.kl_parts import Estimator, total_correlation
from genailab.generative.vae.kl_weight import KLSchedule, KLWeight, free_bits_kl
from genailab.generative.vae.likelihoods import gaussian_log_prob
from genailab.generative.vae.posterior import Gaussian, Posterior, to_gaussian
from genailab.generative.vectors import checked_vectors
from genailab.nn.checks import check_at_least_one, check_choice, check_share
from genailab.nn.conditioning import Condition, batch_codes, encode_condition
from genailab.nn.feedforward import feedforward
from genailab.nn.model import Batch, Loss, evaluating

__all__ = ["VAE", "VAEConfig"]

OBJECTIVES = ("elbo", "beta", "beta_tc", "factor", "iwae")


@dataclass(frozen=True, kw_only=True)
class VAEConfig:
    """Size, meaning and objective of a VAE."""

    n_dims: int
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    objective: Literal["elbo", "beta", "beta_tc", "factor", "iwae"] = "elbo"
    beta: float = 4.0  # of beta: weight of the KL term; of beta_tc: weight of the total correlation in it
    gamma: float = 10.0  # of factor: weight of the total correlation beside the KL term
    n_draws: int = 8  # of iwae: draws k in the bound
    n_train: int | None = None  # of beta_tc: rows of the training data, which q(z) is a mixture over
    estimator: Estimator = "stratified"  # of beta_tc: how a batch stands for all rows
    noise_std: float | None = None  # of a value around the decoder's; None learns one for each dimension
    kl_schedule: KLSchedule = field(default_factory=KLSchedule)
    free_bits: float = 0.0  # nats of KL in each latent dimension that cost nothing
    n_latent: int = 10
    n_hidden: int = 128
    n_layers: int = 2  # 0 is linear
    dropout: float = 0.0  # in the encoder

    def __post_init__(self) -> None:
        check_choice(self, "objective", OBJECTIVES)
        check_choice(self, "estimator", ("weighted", "stratified"))
        check_at_least_one(self, "n_dims", "n_latent", "n_hidden", "n_draws")
        check_share(self, "dropout")
        for name in ("beta", "gamma", "free_bits", "n_layers"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a number that is not negative")
        if self.noise_std is not None and not 0 < self.noise_std < math.inf:
            raise InputError(f"noise_std is {self.noise_std}: it must be positive, or null to be learned")
        if self.objective == "beta_tc" and (self.n_train is None or self.n_train < 2):
            raise InputError(
                f"n_train is {self.n_train}: objective 'beta_tc' needs the number of training rows"
            )
        if self.objective == "iwae" and (self.free_bits > 0 or self.kl_schedule.kind != "constant"):
            raise InputError(
                "objective 'iwae' has no KL term of its own: set free_bits=0 and a constant kl_schedule"
            )


class VAE(Autoencoder):
    """Encoder and decoder of vectors; see the module for the model and its objectives.

    Batches hold ``x`` float ``(batch, n_dims)`` of about unit variance and the codes ``(batch,)`` of each
    condition by name.
    """

    config_class = VAEConfig
    config: VAEConfig
    log_std: Tensor

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = c = config
        self.conditions = MixedOneHot(c.conditions)
        n_told = self.conditions.n_features
        n_encoded, n_decoded = (c.n_hidden if c.n_layers > 0 else n + n_told for n in (c.n_dims, c.n_latent))
        self.encoder = feedforward(c.n_dims + n_told, c.n_hidden, n_layers=c.n_layers, dropout=c.dropout)
        self.to_posterior = nn.Linear(n_encoded, 2 * c.n_latent)
        # No dropout in the decoder: it is what generates.
        self.decoder = feedforward(c.n_latent + n_told, c.n_hidden, n_layers=c.n_layers, dropout=0)
        self.to_mean = nn.Linear(n_decoded, c.n_dims)
        log_std = torch.full((c.n_dims,), math.log(c.noise_std or 1.0))
        self.log_std = nn.Parameter(log_std, requires_grad=c.noise_std is None)
        self.kl_weight = KLWeight(c.kl_schedule)
        if c.objective == "factor":
            self.discriminator = LatentDiscriminator(c.n_latent)

    # --- encoder and decoder -----------------------------------------------------------------------------

    def encode(self, batch: Batch) -> Posterior:
        """Return ``q(z | x, c)`` of each row, ``(batch, n_latent)``."""
        x = self._vectors(batch)
        return Posterior(to_gaussian(self.to_posterior(self.encoder(self._beside(x, batch)))))

    def decode(self, state: Tensor, codes: Mapping[str, Tensor]) -> Gaussian:
        """Return ``p(x | z, c)``, ``(batch, n_dims)``, of states ``(batch, n_latent)``."""
        mean = self.to_mean(self.decoder(self._beside(state, codes)))  # (batch, n_dims)
        return Gaussian(mean, self.log_std.exp().expand_as(mean))

    def reconstruct(self, state: Tensor, codes: Mapping[str, Tensor], batch: Batch | None = None) -> Tensor:
        """Return the expected vectors of these states, ``(batch, n_dims)``."""
        return self.decode(state, codes).mean

    def log_likelihood(self, batch: Batch, state: Tensor) -> Tensor:
        """Return ``log p(x | z, c)`` of each row in nats, ``(batch,)``."""
        return gaussian_log_prob(batch["x"], self.decode(state, batch).mean, self.log_std).sum(dim=1)

    # --- training ----------------------------------------------------------------------------------------

    def loss(self, batch: Batch) -> Loss:
        """Return the objective in nats a row, and its terms.

        Under ``"factor"`` the discriminator's own loss is a part of it while training, and no part in
        evaluation, where a better discriminator is no worse model.
        """
        posterior = self.encode(batch).state
        if self.config.objective == "iwae":
            return self._iwae_loss(batch, posterior)
        state = posterior.draw()
        reconstruction = -self.log_likelihood(batch, state).mean()
        terms = {"reconstruction": reconstruction, "kl": posterior.kl().mean()}
        # Free bits change the gradient, not what a model is worth: evaluation counts the plain KL term.
        kl = free_bits_kl(posterior, self.config.free_bits if self.training else 0.0)
        beta = self.config.beta if self.config.objective == "beta" else 1.0
        total = reconstruction + beta * self.kl_weight() * kl
        penalty = self._penalty(posterior, state, terms)
        return Loss(total if penalty is None else total + penalty, terms)

    def _penalty(self, posterior: Gaussian, state: Tensor, terms: dict[str, Tensor]) -> Tensor | None:
        """Return what the objective asks of the total correlation, and note its terms."""
        c = self.config
        if c.objective == "beta_tc":
            # A validation set may be larger than a small training set.
            n_rows = max(c.n_train or 0, 0 if self.training else len(state))
            correlation = total_correlation(posterior, state, n_rows=n_rows, estimator=c.estimator)
            terms["total_correlation"] = correlation
            return (c.beta - 1) * correlation
        if c.objective == "factor":
            correlation = self.discriminator.total_correlation(state)
            discrimination = self.discriminator.loss(state)
            terms |= {"total_correlation": correlation, "discriminator": discrimination}
            return c.gamma * correlation + (discrimination if self.training else 0.0)
        return None

    def _iwae_loss(self, batch: Batch, posterior: Gaussian) -> Loss:
        weights = torch.stack([self._log_weight(batch, posterior) for _ in range(self.config.n_draws)])
        bound = importance_weighted_bound(weights).mean()
        return Loss(-bound, {"elbo": weights.mean(), "kl": posterior.kl().mean()})

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return the VAE's parameters and, under ``"factor"``, the discriminator's with its own momentum.

        Kim & Mnih 2018, appendix A: Adam with betas (0.5, 0.9) for the discriminator.
        """
        mine: list[nn.Parameter] = []
        its: list[nn.Parameter] = []
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                (its if name.startswith("discriminator.") else mine).append(parameter)
        groups: list[dict[str, Any]] = [{"params": mine, "lr": learning_rate}]
        return [*groups, {"params": its, "lr": learning_rate, "betas": (0.5, 0.9)}] if its else groups

    # --- generation --------------------------------------------------------------------------------------

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        state: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Generate vectors, ``(n, n_dims)``, with the noise of the likelihood.

        Parameters
        ----------
        n
            How many.
        condition
            For each covariate one name, ``n`` names, or codes ``(n,)``.
        state
            What to decode, ``(n, n_latent)``; drawn from the prior where it is not given.
        generator
            Source of randomness.

        Raises
        ------
        InputError
            If ``n`` is below 1, the condition is incomplete or unknown, or ``state`` has another shape.
        """
        codes = encode_condition(condition, self.config.conditions, n, device=self.log_std.device)
        state = self._states(n, state, generator)
        with evaluating(self):
            return self.decode(state, codes).draw(generator)

    def _vectors(self, batch: Batch) -> Tensor:
        x = checked_vectors(batch, self.config.n_dims)
        batch_codes(batch, self.config.conditions, n_rows=len(x))
        return x

    def _beside(self, features: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        told = self.conditions(codes)
        return features if told is None else torch.cat([features, told], dim=1)

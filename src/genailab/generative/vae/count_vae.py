"""A variational autoencoder of single-cell counts.

    z ~ N(0, I)                               latent state of the cell           (cells, n_latent)
    l observed, or log l ~ N(m, s^2)          its library size                   (cells,)
    rho = softmax(decoder(z, covariates))     share of each gene                 (cells, n_genes)
    x ~ likelihood(mean = l * rho)            counts                             (cells, n_genes)

Lopez et al. 2018, "Deep generative modeling for single-cell transcriptomics" (scVI), with the encoder
``q(z | x, covariates)`` of Kingma & Welling 2014, trained on ``E_q[log p(x | z)] - beta KL(q || p)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from genailab.errors import InputError
from genailab.generative.vae.conditions import MixedOneHot
from genailab.generative.vae.likelihoods import (
    draw_negative_binomial,
    gaussian_log_prob,
    negative_binomial_log_likelihood,
    negative_binomial_log_prob,
    poisson_log_prob,
    zero_inflated_log_prob,
)
from genailab.generative.vae.posterior import Gaussian, Posterior, to_gaussian
from genailab.nn.conditioning import Categories, Condition, encode_condition
from genailab.nn.feedforward import feedforward
from genailab.nn.model import Batch, Loss, Model, evaluating

__all__ = ["CountVAE", "CountVAEConfig", "Gaussian", "Posterior"]

# The Gaussian likelihood describes log1p of counts per ten thousand, the usual scale of analysis.
PER_CELL = 1e4


@dataclass(frozen=True, kw_only=True)
class CountVAEConfig:
    """Size and meaning of a CountVAE."""

    genes: tuple[str, ...]
    covariates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # batch, donor, ... by name
    likelihood: Literal["nb", "zinb", "poisson", "gaussian"] = "nb"
    library: Literal["observed", "learned"] = "observed"
    library_log_mean: float = 7.0  # of the training cells: the prior of log l
    library_log_std: float = 0.5
    n_latent: int = 10
    n_hidden: int = 128
    n_layers: int = 1
    dropout: float = 0.1
    beta: float = 1.0  # weight of the KL term
    kl_warmup: int = 0  # training steps over which it rises from 0: keeps the latent from collapsing early
    split_hash: str = ""  # of the split whose training cells the weights have seen

    def __post_init__(self) -> None:
        if self.likelihood not in ("nb", "zinb", "poisson", "gaussian"):
            raise InputError(f"likelihood is {self.likelihood!r}: choose nb, zinb, poisson or gaussian")
        if self.library not in ("observed", "learned"):
            raise InputError(f"library is {self.library!r}: choose observed or learned")
        for name in ("n_latent", "n_hidden", "n_layers"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}: it must be at least 1")
        if not self.genes:
            raise InputError("a CountVAE needs at least one gene")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout is {self.dropout}: it must be in [0, 1)")
        if self.beta < 0:
            raise InputError(f"beta is {self.beta}: it must not be negative")
        if self.kl_warmup < 0:
            raise InputError(f"kl_warmup is {self.kl_warmup}: it must be a number of steps, or 0 for none")


class CountVAE(Model):
    """Encoder, decoder and likelihood of counts; see the module for the model.

    Batches hold ``counts`` ``(cells, n_genes)``, ``library_size`` ``(cells,)`` and the codes ``(cells,)`` of
    each covariate by name.
    """

    config_class = CountVAEConfig
    config: CountVAEConfig
    steps: Tensor

    def __init__(self, config: CountVAEConfig) -> None:
        super().__init__()
        self.config = config
        n_genes, hidden = len(config.genes), config.n_hidden
        self.covariates = MixedOneHot(config.covariates)
        n_covariates = self.covariates.n_features
        self.encoder = feedforward(
            n_genes + n_covariates, hidden, n_layers=config.n_layers, dropout=config.dropout
        )
        self.to_posterior = nn.Linear(hidden, 2 * config.n_latent)
        if config.library == "learned":
            self.library_encoder = feedforward(n_genes + n_covariates, hidden, dropout=config.dropout)
            self.to_library = nn.Linear(hidden, 2)
            nn.init.zeros_(self.to_library.weight)  # start from the prior
            nn.init.zeros_(self.to_library.bias)
        # No dropout in the decoder: it is what generates.
        self.decoder = feedforward(
            config.n_latent + n_covariates, hidden, n_layers=config.n_layers, dropout=0
        )
        self.to_logits = nn.Linear(hidden, n_genes)
        if config.likelihood == "zinb":
            self.to_zero_logits = nn.Linear(hidden, n_genes)
        # A tenth of what is meant: Adam moves every weight by about the learning rate, and the dispersions of
        # genes lie orders of magnitude apart.
        start = 0.0 if config.likelihood == "gaussian" else 0.3
        self.tenth_log_dispersion = nn.Parameter(torch.full((n_genes,), start))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @property
    def log_dispersion(self) -> Tensor:
        """Log inverse dispersion of each gene, or log standard deviation under the Gaussian, ``(n_genes,)``.

        It starts near a Poisson: what a decoder can't explain yet should not be put down to noise.
        """
        return 10 * self.tenth_log_dispersion

    @torch.no_grad()
    def start_from(self, shares: Tensor) -> None:
        """Let the decoder start from each gene's average share of a cell's counts, ``(n_genes,)``."""
        if self.config.likelihood == "gaussian":
            self.to_logits.bias.copy_(torch.log1p(shares * PER_CELL))
        else:
            self.to_logits.bias.copy_(torch.log(shares + 1e-6))

    # --- encoder -----------------------------------------------------------------------------------------

    def encode(self, batch: Batch) -> Posterior:
        """Return the approximate posterior ``q(z, l | x)`` of each cell."""
        # For whole numbers as exact as log1p, in half the time.
        features = self._beside(torch.log(batch["counts"] + 1), batch)
        state = to_gaussian(self.to_posterior(self.encoder(features)))  # (cells, n_latent)
        if self.config.library == "observed":
            return Posterior(state, None)
        log_library = to_gaussian(self.to_library(self.library_encoder(features)))  # (cells, 1)
        # The observed total is where a learned library size starts from.
        return Posterior(state, Gaussian(log_library.mean + _log_library(batch), 0.1 * log_library.std))

    # --- decoder -----------------------------------------------------------------------------------------

    def decode(self, state: Tensor, log_library: Tensor, codes: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the parameters of the counts' distribution, ``(cells, n_genes)`` each.

        Parameters
        ----------
        state
            ``(cells, n_latent)``.
        log_library
            Log of the total counts, ``(cells, 1)``.
        codes
            The code of each cell, ``(cells,)``, for each covariate.
        """
        parameters = self._outputs(state, codes)
        if self.config.likelihood != "gaussian":
            parameters["log_mean"] = _log_mean(parameters.pop("logits"), log_library)
        return parameters

    def _outputs(self, state: Tensor, codes: Mapping[str, Tensor]) -> dict[str, Tensor]:
        hidden = self.decoder(self._beside(state, codes))  # (cells, n_hidden)
        logits = self.to_logits(hidden)  # (cells, n_genes)
        if self.config.likelihood == "gaussian":
            return {"mean": logits}
        if self.config.likelihood == "zinb":
            return {"logits": logits, "zero_logits": self.to_zero_logits(hidden)}
        return {"logits": logits}

    def _log_prob(
        self, counts: Tensor, state: Tensor, log_library: Tensor, codes: Mapping[str, Tensor]
    ) -> Tensor:
        """Return ``log p(x | z, l)`` of each cell in nats, ``(cells,)``."""
        outputs = self._outputs(state, codes)
        if self.config.likelihood == "gaussian":
            values = torch.log1p(counts * torch.exp(-log_library) * PER_CELL)
            return gaussian_log_prob(values, outputs["mean"], self.log_dispersion).sum(dim=1)
        if self.config.likelihood == "nb":
            return negative_binomial_log_likelihood(
                counts, outputs["logits"], log_library, self.log_dispersion
            )
        log_mean = _log_mean(outputs["logits"], log_library)
        if self.config.likelihood == "poisson":
            return poisson_log_prob(counts, log_mean).sum(dim=1)
        log_prob = negative_binomial_log_prob(counts, log_mean, self.log_dispersion)
        return zero_inflated_log_prob(log_prob, counts, outputs["zero_logits"]).sum(dim=1)

    # --- what latents.py works with ------------------------------------------------------------------------

    @property
    def categories(self) -> Categories:
        """Category names of each covariate."""
        return self.config.covariates

    def reconstruct(self, state: Tensor, codes: Mapping[str, Tensor], batch: Batch | None = None) -> Tensor:
        """Return the expected counts of these states, ``(cells, n_genes)``.

        The library sizes are the batch's, or the prior's median. Under the Gaussian likelihood these are the
        counts at the expected log1p.
        """
        log_library = self._library_prior(state[:, :1]).mean if batch is None else _log_library(batch)
        parameters = self.decode(state, log_library, codes)
        if self.config.likelihood == "gaussian":
            return parameters["mean"].expm1().clamp(min=0) * log_library.exp() / PER_CELL
        means = parameters["log_mean"].exp()  # (cells, n_genes)
        return means * parameters["zero_logits"].neg().sigmoid() if "zero_logits" in parameters else means

    # --- training ----------------------------------------------------------------------------------------

    def loss(self, batch: Batch) -> Loss:
        """Return the negative evidence lower bound in nats a cell, its KL term weighted by ``beta``."""
        posterior = self.encode(batch)
        state, log_library = posterior.state.draw(), _log_library(batch)
        kl = posterior.state.kl()
        if posterior.log_library is not None:
            log_library = posterior.log_library.draw()
            kl = kl + posterior.log_library.kl(self.config.library_log_mean, self.config.library_log_std)
        kl = kl.mean()
        reconstruction = -self._log_prob(batch["counts"], state, log_library, batch).mean()
        return Loss(reconstruction + self._kl_weight() * kl, {"reconstruction": reconstruction, "kl": kl})

    def _kl_weight(self) -> float | Tensor:
        # Evaluation always counts the whole KL term, so that early stopping compares like with like.
        if not self.training or self.config.kl_warmup == 0:
            return self.config.beta
        self.steps += 1
        return self.config.beta * (self.steps / self.config.kl_warmup).clamp(max=1.0)

    @torch.no_grad()
    def log_weights(
        self, batch: Batch, *, n_draws: int = 100, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return ``log p(x, z) - log q(z | x)`` of draws from the posterior, ``(n_draws, cells)`` in nats.

        `elbo` and `importance_weighted_bound` turn it into bounds on ``log p(x)``.
        """
        with evaluating(self):
            posterior = self.encode(batch)
            return torch.stack([self._log_weight(batch, posterior, generator) for _ in range(n_draws)])

    def _log_weight(self, batch: Batch, posterior: Posterior, generator: torch.Generator | None) -> Tensor:
        state, log_library = posterior.state.draw(generator), _log_library(batch)
        weight = Gaussian.standard(state).log_prob(state) - posterior.state.log_prob(state)
        if posterior.log_library is not None:
            log_library = posterior.log_library.draw(generator)
            weight = weight + self._library_prior(log_library).log_prob(log_library)
            weight = weight - posterior.log_library.log_prob(log_library)
        return weight + self._log_prob(batch["counts"], state, log_library, batch)

    # --- generation --------------------------------------------------------------------------------------

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        state: Tensor | None = None,
        log_library: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Generate the counts of new cells, ``(n, n_genes)``.

        Parameters
        ----------
        n
            How many cells.
        condition
            For each covariate one name, ``n`` names, or codes ``(n,)``.
        state, log_library
            What to decode, ``(n, n_latent)`` and ``(n, 1)``; drawn from the priors where they are not given.
        generator
            Source of randomness.

        Raises
        ------
        InputError
            If ``n`` is below 1, or the condition is incomplete or unknown.
        """
        codes = encode_condition(condition, self.config.covariates, n, device=self.to_logits.weight.device)
        blank = self.to_logits.weight.new_zeros(n, self.config.n_latent)
        if state is None:
            state = Gaussian.standard(blank).draw(generator)
        if log_library is None:
            log_library = self._library_prior(blank[:, :1]).draw(generator)
        with evaluating(self):
            parameters = self.decode(state, log_library, codes)
        return self._draw_counts(parameters, log_library, generator)

    def _draw_counts(
        self, parameters: Mapping[str, Tensor], log_library: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        if self.config.likelihood == "gaussian":
            std = self.log_dispersion.exp().expand_as(parameters["mean"])
            values = Gaussian(parameters["mean"], std).draw(generator)
            return (values.expm1().clamp(min=0) * log_library.exp() / PER_CELL).round()
        if self.config.likelihood == "poisson":
            return torch.poisson(parameters["log_mean"].exp(), generator=generator)
        counts = draw_negative_binomial(parameters["log_mean"], self.log_dispersion, generator=generator)
        if self.config.likelihood == "zinb":
            counts = counts * (1 - torch.bernoulli(parameters["zero_logits"].sigmoid(), generator=generator))
        return counts

    def _library_prior(self, like: Tensor) -> Gaussian:
        mean = torch.full_like(like, self.config.library_log_mean)
        return Gaussian(mean, torch.full_like(like, self.config.library_log_std))

    def _beside(self, features: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        covariates = self.covariates(codes)
        return features if covariates is None else torch.cat([features, covariates], dim=1)


def _log_mean(logits: Tensor, log_library: Tensor) -> Tensor:
    return log_softmax(logits, dim=1) + log_library


def _log_library(batch: Batch) -> Tensor:
    return batch["library_size"].log()[:, None]  # (cells, 1)

"""A GAN of single cells that plays with counts.

    z ~ N(0, I)                             noise                                (cells, n_latent)
    shares, l = generator(z, conditions)    of the genes, and library size       (cells, n_genes), (cells, 1)
    rate ~ Gamma(mean l * shares)           variation of the cell beyond z       (cells, n_genes)
    x ~ Poisson(rate)                       counts                               (cells, n_genes)
    score = critic(log1p(1e4 x / l), log l, conditions)                          (cells,)

Real cells are full of exact zeros and of the few values that small counts can take. A generator of smooth
expression would be found out by these alone, and would learn to imitate the sequencer's noise instead of
cells. Here the noise is part of the generator and the same in training and in `sample`: the critic sees real
draws. Their gradient goes through the gamma exactly (implicit reparametrisation, Figurnov et al. 2018) and
through the Poisson by its unbiased difference slope (`draw_log_normalised`). Gamma and Poisson make the
negative binomial of scRNA-seq counts. Conditional GANs of cells: Marouf et al. 2020, cscGAN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.gan.adversarial import AdversarialConfig, AdversarialModel
from genailab.generative.gan.networks import ExpressionGenerator, VectorCritic
from genailab.generative.gan.straight_through import PER_CELL, draw_log_normalised
from genailab.nn.checks import check_choice
from genailab.nn.conditioning import Condition, encode_condition
from genailab.nn.model import Batch, evaluating

__all__ = ["ExpressionGAN", "ExpressionGANConfig"]


@dataclass(frozen=True, kw_only=True)
class ExpressionGANConfig(AdversarialConfig):
    """Size, meaning and rules of an ExpressionGAN."""

    genes: tuple[str, ...]
    count_noise: Literal["negative_binomial", "poisson"] = "negative_binomial"  # of counts given the shares
    # Cells lie tens of units apart, so a critic of slope 0.1 is already sure: with the weight 1 it wins at
    # once, and the generator collapses.
    penalty_weight: float = 100.0
    library_log_mean: float = 7.0  # of the training cells: where the generator's library sizes start
    library_log_std: float = 0.5
    split_hash: str = ""  # of the split whose training cells the weights have seen

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "count_noise", ("negative_binomial", "poisson"))
        if not self.genes:
            raise InputError("an ExpressionGAN needs at least one gene: name them in genes")
        if not self.library_log_std > 0:
            raise InputError(f"library_log_std is {self.library_log_std}: it must be above 0")


class ExpressionGAN(AdversarialModel):
    """Generator and critic of counts; see the module for the model.

    Batches hold ``counts`` ``(cells, n_genes)``, ``library_size`` ``(cells,)`` and the codes ``(cells,)`` of
    each condition by name.
    """

    config_class = ExpressionGANConfig
    config: ExpressionGANConfig
    generator: ExpressionGenerator

    def __init__(self, config: ExpressionGANConfig) -> None:
        super().__init__()
        self.config = c = config
        n_genes = len(c.genes)
        self.generator = ExpressionGenerator(c.n_latent, c.conditions, n_genes, width=c.width, depth=c.depth)
        self.critic = VectorCritic(n_genes + 1, c.conditions, width=c.width, depth=c.depth)
        self._start()

    @torch.no_grad()
    def start_from(self, shares: Tensor) -> None:
        """Let the generator start from each gene's average share of a cell's counts, ``(n_genes,)``."""
        self.generator.network.project_out.bias[:-1].copy_(torch.log(shares + 1e-6))

    def real(self, batch: Batch) -> Tensor:
        """Return log-normalised expression and standardised log library size, ``(cells, n_genes + 1)``."""
        for name in ("counts", "library_size"):
            if name not in batch:
                raise InputError(f"the batch holds {sorted(batch)} but no {name!r}: give cells")
        counts, library_size = batch["counts"], batch["library_size"][:, None]
        if counts.shape[1] != len(self.config.genes):
            raise InputError(
                f"the cells have {counts.shape[1]} genes but the model {len(self.config.genes)}: give the "
                "model's genes in its order"
            )
        expression = torch.log1p(counts / library_size * PER_CELL)
        return torch.cat([expression, self._standard(library_size.log())], dim=1)

    def draw(
        self, n: int, codes: Mapping[str, Tensor], *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return log-normalised expression and log library size of generated cells, with a gradient."""
        rate, log_library = self._rates(n, codes, generator)
        expression = draw_log_normalised(rate, log_library.exp(), generator=generator)  # (cells, n_genes)
        return torch.cat([expression, self._standard(log_library)], dim=1)

    @torch.no_grad()
    def sample(
        self, n: int, condition: Condition | None = None, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Generate the counts of new cells, whole numbers ``(n, n_genes)``.

        Parameters
        ----------
        n
            How many cells.
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
            rate, _ = self._rates(n, codes, generator)
            return torch.poisson(rate, generator=generator)

    def _rates(
        self, n: int, codes: Mapping[str, Tensor], generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Return expected counts ``(cells, n_genes)`` and log library sizes ``(cells, 1)``."""
        log_shares, standard = self.generator(self._noise(n, generator), codes)
        # Beyond 6 standard deviations there are no cells, only an untrained network's overflow.
        log_library = self.config.library_log_mean + self.config.library_log_std * standard.clamp(-6, 6)
        rate = (log_shares + log_library).exp()
        if self.config.count_noise == "negative_binomial":
            dispersion = self.generator.log_dispersion.exp().expand_as(rate)
            rate = rate * torch._standard_gamma(dispersion, generator=generator) / dispersion
        return rate, log_library

    def _standard(self, log_library: Tensor) -> Tensor:
        return (log_library - self.config.library_log_mean) / self.config.library_log_std

"""The game of two players, whatever they play with.

The generator turns noise into rows, the critic scores rows, and each learns against the other (Goodfellow et
al. 2014). Both learn in one optimiser step: the loss is the sum of the critic's and the generator's, and

- the critic sees generated rows cut off from the generator, so its loss moves the critic alone;
- the generator's loss goes through a critic whose parameters are cut off, so it moves the generator alone.

That is simultaneous gradient descent, with any number of critic steps for each of the generator's. On the
steps between, the generator has no gradient at all, so that Adam leaves it and its moments alone. In one
process: several would wait for the resting player's gradients.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.func import functional_call

from genailab.errors import InputError, nearest
from genailab.generative.gan.diagnostics import compare_batches
from genailab.generative.gan.losses import Game, critic_loss, generator_loss, gradient_penalty, r1_penalty
from genailab.generative.gan.networks import spectrally_normalised
from genailab.nn.checks import check_at_least_one, check_choice
from genailab.nn.conditioning import batch_codes
from genailab.nn.model import Batch, Loss, Model

__all__ = ["AdversarialConfig", "AdversarialModel", "published_settings"]


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig:
    """Rules of the game; the same for vectors, cells and sequences."""

    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    game: Game = "non_saturating"
    # r1 lets the game come to rest where the generator is right; gradient is WGAN-GP's.
    penalty: Literal["none", "r1", "gradient"] = "r1"
    penalty_weight: float = 1.0  # 1 suits rows of unit variance in a few dimensions
    penalty_every: int = 1  # critic steps; a penalty on every 4th is four times as strong (Karras 2020)
    spectral_norm: bool = False  # of the critic
    n_critic: int = 1  # critic steps for each generator step
    generator_learning_rate_factor: float = 1.0  # of the critic's rate: the two-time-scale rule
    betas: tuple[float, float] = (0.0, 0.9)  # of Adam: momentum makes players chase each other in circles
    n_latent: int = 32  # dimensions of the noise
    width: int = 128
    depth: int = 3

    def __post_init__(self) -> None:
        check_choice(self, "game", get_args(Game))
        check_choice(self, "penalty", ("none", "r1", "gradient"))
        check_at_least_one(self, "penalty_every", "n_critic", "n_latent", "width", "depth")
        if self.penalty_weight < 0:
            raise InputError(f"penalty_weight is {self.penalty_weight}: it must not be negative")
        if not self.generator_learning_rate_factor > 0:
            raise InputError(
                f"generator_learning_rate_factor is {self.generator_learning_rate_factor}: it must be above 0"
            )
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"betas is {self.betas}: give two numbers in [0, 1), such as (0.0, 0.9)")
        bounded = self.spectral_norm or (self.penalty == "gradient" and self.penalty_weight > 0)
        if self.game == "wasserstein" and not bounded:
            raise InputError(
                "the game is 'wasserstein' but nothing bounds the critic's slope, so its loss has no "
                "minimum: set penalty='gradient' with penalty_weight=10, or spectral_norm=True"
            )
        for name, categories in self.conditions.items():
            if not categories:
                raise InputError(f"the condition {name!r} has no categories: name at least one")


_PUBLISHED: dict[str, dict[str, Any]] = {
    "standard": {"game": "non_saturating", "penalty": "none"},
    "r1": {"game": "non_saturating", "penalty": "r1"},
    "hinge": {
        "game": "hinge", "penalty": "none", "spectral_norm": True, "generator_learning_rate_factor": 0.25,
    },
    "wgan_gp": {"game": "wasserstein", "penalty": "gradient", "penalty_weight": 10.0, "n_critic": 5},
}  # fmt: skip


def published_settings(name: str) -> dict[str, Any]:
    """Return the settings of a paper, to put into any GAN's configuration.

    ``standard`` is Goodfellow et al. 2014, ``r1`` Mescheder et al. 2018, ``hinge`` Miyato et al. 2018 and
    Zhang et al. 2019 (SAGAN: spectral norm, the generator four times as slow), ``wgan_gp`` Gulrajani et al.
    2017.

    Examples
    --------
    >>> published_settings("wgan_gp")["n_critic"]
    5
    """
    if name not in _PUBLISHED:
        raise InputError(f"there are no published settings {name!r}: {nearest(name, _PUBLISHED)}")
    return dict(_PUBLISHED[name])


class AdversarialModel(Model):
    """Generator, critic and their game; a subclass says what the rows are.

    It makes ``generator`` and ``critic`` in its constructor, then calls ``_start``; defines ``real`` and
    ``draw``, both in the space that the critic sees, and ``sample``.
    """

    config: Any
    generator: nn.Module
    critic: nn.Module
    steps: Tensor

    @abstractmethod
    def real(self, batch: Batch) -> Tensor:
        """Return the batch's rows as the critic sees them, ``(batch, ...)``."""

    @abstractmethod
    def draw(
        self, n: int, codes: Mapping[str, Tensor], *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return ``n`` generated rows as the critic sees them, with a gradient to the generator."""

    def _start(self) -> None:
        if self.config.spectral_norm:
            spectrally_normalised(self.critic)
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    # --- the game ----------------------------------------------------------------------------------------

    def loss(self, batch: Batch) -> Loss:
        """Return both players' losses in one scalar, each with a gradient to its own player only.

        In evaluation mode the total is the energy distance of generated to real rows (see
        `compare_batches`), which can be compared between epochs: the players' losses cannot, as each is
        measured against the other.

        The terms: ``critic`` and ``generator`` losses, ``penalty`` (weighted), ``gap`` (mean score of real
        less that of generated rows: the Wasserstein distance in that game), ``critic_auroc`` (0.5: it cannot
        tell them apart), and ``distance``, ``diversity``, ``coverage``.
        """
        real, codes = self.real(batch), self._codes(batch)
        step = self._count_step()
        generator_plays = step is not None and step % self.config.n_critic == 0
        with torch.set_grad_enabled(generator_plays):
            fake = self.draw(len(real), codes)
        critic, scores = self._critic_loss(real, fake.detach(), codes)
        penalty = self._penalty(step, real, fake.detach(), codes)
        terms = self._diagnostics(real, fake.detach(), codes, scores)
        total = terms["distance"] if step is None else critic + penalty
        if generator_plays:
            total = total + self._generator_loss(fake, codes)
        players = {"critic": critic.detach(), "penalty": penalty.detach()}
        return Loss(total, players | terms)

    def _count_step(self) -> int | None:
        """Return the number of this training step, from 0; None where nothing is learned."""
        if not self.training or not torch.is_grad_enabled():
            return None
        step = int(self.steps)
        self.steps += 1
        return step

    def _critic_loss(
        self, real: Tensor, fake: Tensor, codes: Mapping[str, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        both = {name: torch.cat([code, code]) for name, code in codes.items()}
        scores_of_real, scores_of_fake = self.critic(torch.cat([real, fake]), both).chunk(2)  # (batch,) each
        return critic_loss(scores_of_real, scores_of_fake, game=self.config.game), (
            scores_of_real.detach(),
            scores_of_fake.detach(),
        )

    def _generator_loss(self, fake: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        cut_off = {name: parameter.detach() for name, parameter in self.critic.named_parameters()}
        scores = functional_call(self.critic, cut_off, (fake, codes))
        return generator_loss(scores, game=self.config.game)

    def _penalty(self, step: int | None, real: Tensor, fake: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        c = self.config
        if c.penalty == "none" or step is None or step % c.penalty_every != 0:
            return real.new_zeros(())
        if c.penalty == "r1":
            penalty = r1_penalty(lambda x: self.critic(x, codes), real)
        else:
            penalty = gradient_penalty(lambda x: self.critic(x, codes), real, fake)
        return c.penalty_weight * c.penalty_every * penalty

    @torch.no_grad()
    def _diagnostics(
        self, real: Tensor, fake: Tensor, codes: Mapping[str, Tensor], scores: tuple[Tensor, Tensor]
    ) -> dict[str, Tensor]:
        of_real, of_fake = scores
        difference = of_real[:, None] - of_fake  # (batch, batch)
        return {
            "generator": generator_loss(of_fake, game=self.config.game),
            "gap": difference.mean(),
            "critic_auroc": ((difference > 0).float() + 0.5 * (difference == 0).float()).mean(),
            **compare_batches(real, fake, codes)._asdict(),
        }

    # --- what the subclasses share -----------------------------------------------------------------------

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return a group for each player: the generator's rate is a factor of the critic's.

        Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
        Equilibrium".
        """
        rates = {
            self.critic: learning_rate,
            self.generator: learning_rate * self.config.generator_learning_rate_factor,
        }
        return [
            {
                "params": [parameter for parameter in player.parameters() if parameter.requires_grad],
                "lr": rate,
                "betas": tuple(self.config.betas),
            }
            for player, rate in rates.items()
        ]

    def _noise(self, n: int, generator: torch.Generator | None) -> Tensor:
        return torch.randn(n, self.config.n_latent, generator=generator, device=self.steps.device)

    def _codes(self, batch: Batch) -> dict[str, Tensor]:
        n = len(next(iter(batch.values())))
        return batch_codes(batch, self.config.conditions, n_rows=n)

"""What critic and generator minimise, and the penalties that keep a critic smooth.

A critic gives each row a score (its logit of being real), ``(batch,)``; ``real`` and ``fake`` are its scores
of real and of generated rows. With ``s(x) = log(1 + exp(x))``::

                    critic                                      generator
    non_saturating  E s(-real) + E s(fake)                      E s(-fake)
    hinge           E max(0, 1 - real) + E max(0, 1 + fake)     -E fake
    wasserstein     E fake - E real                             -E fake

Goodfellow et al. 2014, "Generative Adversarial Nets", equation 1 with the generator's loss of section 3 that
does not saturate; Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", equations
16 and 17; Arjovsky et al. 2017, "Wasserstein GAN", equation 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genailab.errors import InputError, nearest

__all__ = ["Game", "critic_loss", "generator_loss", "gradient_penalty", "r1_penalty"]

Game = Literal["non_saturating", "hinge", "wasserstein"]

# Scores rows of any shape, (batch, ...) to (batch,).
Critic = Callable[[Tensor], Tensor]


def critic_loss(real: Tensor, fake: Tensor, *, game: Game) -> Tensor:
    """Return what the critic minimises, a scalar, from its scores ``(batch,)`` of real and generated rows.

    The best critic of the non-saturating game scores ``log p_real(x) - log p_generated(x)``, and the loss is
    then ``2 log 2 - 2 JS(real, generated)`` in nats. The Wasserstein game's is minus the earth mover's
    distance if the critic's slope is nowhere above 1.

    Examples
    --------
    >>> critic_loss(torch.tensor([2.0]), torch.tensor([-3.0]), game="wasserstein").item()
    -5.0
    """
    _check_game(game)
    if game == "non_saturating":
        return softplus(-real).mean() + softplus(fake).mean()
    if game == "hinge":
        return (1 - real).relu().mean() + (1 + fake).relu().mean()
    return fake.mean() - real.mean()


def generator_loss(fake: Tensor, *, game: Game) -> Tensor:
    """Return what the generator minimises, a scalar, from the critic's scores ``(batch,)`` of its rows."""
    _check_game(game)
    return softplus(-fake).mean() if game == "non_saturating" else -fake.mean()


def gradient_penalty(
    critic: Critic, real: Tensor, fake: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    """Return how far the critic's slope is from 1 between real and generated rows: a scalar.

    ``E (|grad D(x)| - 1)^2`` at ``x = u real + (1 - u) fake``, u uniform in [0, 1] for each row and the norm
    over all of a row's numbers. Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", equation 3,
    where its weight is 10.

    Parameters
    ----------
    critic
        Scores each row by itself: batch normalisation would mix them.
    real, fake
        ``(batch, ...)``, of one shape.
    generator
        Source of u.
    """
    shape = (len(real), *[1] * (real.dim() - 1))
    share = torch.rand(shape, generator=generator, device=real.device, dtype=real.dtype)
    between = (share * real + (1 - share) * fake).detach()
    # The root's slope is infinite at 0, where a critic that is still flat begins.
    norms = (_squared_slopes(critic, between) + 1e-12).sqrt()  # (batch,)
    return (norms - 1).square().mean()


def r1_penalty(critic: Critic, real: Tensor) -> Tensor:
    """Return half the critic's mean squared slope at real rows: ``E |grad D(x)|^2 / 2``, a scalar.

    Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", equation 9: with it the
    critic flattens out once the generated rows lie on the real ones, and the game comes to rest.
    """
    return _squared_slopes(critic, real.detach()).mean() / 2


def _squared_slopes(critic: Critic, x: Tensor) -> Tensor:
    x = x.requires_grad_()
    (slopes,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return slopes.flatten(1).square().sum(dim=1)  # (batch,)


def _check_game(game: str) -> None:
    if game not in get_args(Game):
        raise InputError(f"there is no game {game!r}: {nearest(str(game), get_args(Game))}")

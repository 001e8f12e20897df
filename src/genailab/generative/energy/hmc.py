"""Hamiltonian Monte Carlo: let each chain roll over the energy like a ball, then accept or reject.

With a momentum m ~ N(0, I) the Hamiltonian ``H(x, m) = E(x) + |m|^2 / 2`` is followed by leapfrog steps,
which are reversible and keep volumes, so that ``min(1, exp(H - H'))`` is Hastings' ratio. Neal 2011, "MCMC
using Hamiltonian dynamics", equations 5.18 to 5.20 and section 5.3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy.energies import Energy, Score, check_chain, check_steps, score_of
from genailab.generative.energy.metropolis import Moves, accept, choose

__all__ = ["hmc", "leapfrog"]


def leapfrog(
    score: Score, x: Tensor, momentum: Tensor, *, step_size: float, n_leapfrog: int
) -> tuple[Tensor, Tensor]:
    """Follow Hamilton's equations for ``n_leapfrog`` steps; return position and momentum.

    ``m + (h/2) s(x)``, then ``x + h m``, then ``m + (h/2) s(x)`` with the score ``s = -grad E``: an error of
    O(h^2) in the energy. With the momentum turned round, it goes back to where it came from.

    Parameters
    ----------
    score
        ``grad log p``.
    x, momentum
        ``(batch, ...)`` both.
    step_size, n_leapfrog
        The h, and how many steps.
    """
    momentum = momentum + 0.5 * step_size * score(x)
    for step in range(n_leapfrog):
        x = x + step_size * momentum
        last = step == n_leapfrog - 1
        momentum = momentum + (0.5 if last else 1.0) * step_size * score(x)
    return x, momentum


@torch.no_grad()
def hmc(
    energy: Energy,
    x: Tensor,
    *,
    step_size: float,
    n_steps: int,
    n_leapfrog: int = 10,
    generator: torch.Generator | None = None,
) -> Moves:
    """Return the chains after ``n_steps`` proposals, and how many each accepted; p stays exactly as it is.

    Parameters
    ----------
    energy
        ``-log p`` up to a constant, ``(batch, ...)`` to ``(batch,)``; +inf outside the support.
    x
        Where the chains start, ``(batch, ...)``.
    step_size, n_leapfrog
        Of the leapfrog steps; ``step_size * n_leapfrog`` is how far a proposal goes. The best accepts about
        65% (Neal 2011, section 5.4.4).
    n_steps
        How many proposals.
    generator
        Source of momenta and acceptances.

    Raises
    ------
    InputError
        If a setting cannot be right, or an energy is NaN (or infinite at the start).
    """
    check_steps("hmc", step_size=step_size, n_steps=n_steps)
    if n_leapfrog < 1:
        raise InputError(f"n_leapfrog is {n_leapfrog}: it must be at least 1")
    x, score = x.clone(), score_of(energy)
    value = energy(x)
    check_chain(value, sampler="hmc", step=0)
    n_accepted = torch.zeros_like(value)
    for step in range(1, n_steps + 1):
        momentum = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        proposal, end = leapfrog(score, x, momentum, step_size=step_size, n_leapfrog=n_leapfrog)
        new_value = energy(proposal)
        check_chain(new_value, sampler="hmc", step=step, infinite=True)
        gained = value + _kinetic(momentum) - new_value - _kinetic(end)
        accepted = accept(gained, generator=generator)
        x, value = choose(accepted, proposal, x), choose(accepted, new_value, value)
        n_accepted += accepted
    return Moves(x, n_accepted / max(1, n_steps))


def _kinetic(momentum: Tensor) -> Tensor:
    return 0.5 * momentum.square().flatten(1).sum(dim=1)

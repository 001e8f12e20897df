"""Langevin samplers: walk along the score, with noise.

    x' = x + h grad log p(x) + sqrt(2 h) z,    z ~ N(0, I)

is the Euler-Maruyama step of ``dX = grad log p(X) dt + sqrt(2) dW``, whose stationary law is p. Without a
correction its own stationary law is off by O(h) (for N(0, 1) the variance is ``1 / (1 - h / 2)``); a
Metropolis test removes the bias. Roberts & Tweedie 1996, "Exponential convergence of Langevin distributions
and their discrete approximations", sections 1.4.1 and 1.4.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy.energies import Energy, Score, check_chain, check_steps, energy_and_score
from genailab.generative.energy.metropolis import Moves, accept, choose

__all__ = ["annealed_langevin", "mala", "noise_levels", "ula"]

# From noisy samples (batch, ...) and a noise level to the score of the data blurred with that noise.
NoisyScore = Callable[[Tensor, float], Tensor]


@torch.no_grad()
def ula(
    score: Score,
    x: Tensor,
    *,
    step_size: float,
    n_steps: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Unadjusted Langevin: return the chains after ``n_steps``, shape of ``x``.

    Parameters
    ----------
    score
        ``grad log p``; of an energy by `score_of`.
    x
        Where the chains start, ``(batch, ...)``. For a path, call again with ``n_steps=1``.
    step_size
        The h of the equation. The smallest standard deviation s of the target bounds it: ``h < 2 s^2``.
    n_steps
        How many steps.
    temperature
        Noise is scaled by its square root: the chains follow ``p^(1 / temperature)``, and 0 climbs to a mode.
    generator
        Source of the noise.

    Raises
    ------
    InputError
        If a setting cannot be right or a chain diverges.
    """
    check_steps("ula", step_size=step_size, n_steps=n_steps)
    if not 0 <= temperature < math.inf:
        raise InputError(f"temperature is {temperature}: it must be 0 or more")
    x = x.clone()
    for step in range(1, n_steps + 1):
        noise = math.sqrt(2 * step_size * temperature) * _normal(x, generator)
        x = x + step_size * score(x) + noise
        check_chain(x, sampler="ula", step=step)
    return x


@torch.no_grad()
def mala(
    energy: Energy,
    x: Tensor,
    *,
    step_size: float,
    n_steps: int,
    generator: torch.Generator | None = None,
) -> Moves:
    """Metropolis-adjusted Langevin: the same steps, accepted or rejected so that p stays exactly as it is.

    ``q(y | x) = N(x + h grad log p(x), 2 h I)``. The best step accepts about 57% (Roberts & Rosenthal 1998).

    Parameters
    ----------
    energy
        ``-log p`` up to a constant, ``(batch, ...)`` to ``(batch,)``; +inf outside the support.
    x
        Where the chains start, ``(batch, ...)``.
    step_size, n_steps, generator
        As in `ula`.

    Raises
    ------
    InputError
        If a setting cannot be right, or an energy is NaN (or infinite at the start).
    """
    check_steps("mala", step_size=step_size, n_steps=n_steps)
    x = x.clone()
    value, score = energy_and_score(energy, x)
    check_chain(value, sampler="mala", step=0)
    n_accepted = torch.zeros_like(value)
    for step in range(1, n_steps + 1):
        proposal = x + step_size * score + math.sqrt(2 * step_size) * _normal(x, generator)
        new_value, new_score = energy_and_score(energy, proposal)
        check_chain(new_value, sampler="mala", step=step, infinite=True)
        back = _log_proposal(x, proposal, new_score, step_size)
        there = _log_proposal(proposal, x, score, step_size)
        accepted = accept(value - new_value + back - there, generator=generator)
        x, score = choose(accepted, proposal, x), choose(accepted, new_score, score)
        value = choose(accepted, new_value, value)
        n_accepted += accepted
    return Moves(x, n_accepted / max(1, n_steps))


def _log_proposal(to: Tensor, start: Tensor, score: Tensor, step_size: float) -> Tensor:
    """Return ``log q(to | start)`` up to a constant, ``(batch,)``."""
    return -(to - start - step_size * score).square().flatten(1).sum(dim=1) / (4 * step_size)


def noise_levels(sigma_max: float, sigma_min: float, n_levels: int) -> tuple[float, ...]:
    """Return standard deviations that fall geometrically, as annealed Langevin wants them.

    Song & Ermon 2020, "Improved techniques for training score-based generative models", technique 2: a
    constant ratio; technique 1: ``sigma_max`` as large as the largest distance between two data points.

    Examples
    --------
    >>> noise_levels(4.0, 1.0, 3)
    (4.0, 2.0, 1.0)
    """
    if not 0 < sigma_min < sigma_max < math.inf or n_levels < 2:
        raise InputError(
            f"{n_levels} noise levels from {sigma_max} down to {sigma_min} cannot be made: give at least 2 "
            "and sigma_max above sigma_min above 0"
        )
    ratio = sigma_min / sigma_max
    return tuple(sigma_max * ratio ** (level / (n_levels - 1)) for level in range(n_levels))


def annealed_langevin(
    score: NoisyScore,
    x: Tensor,
    levels: tuple[float, ...],
    *,
    step_size: float,
    n_steps: int,
    denoise: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Langevin on ever less blurred data: wide noise joins the modes, narrow noise draws the detail.

    Song & Ermon 2019, "Generative modeling by estimating gradients of the data distribution", algorithm 1;
    their ``alpha_i`` is ``2 h_i`` here, with ``h_i = step_size * (sigma_i / sigma_last)^2``.

    Parameters
    ----------
    score
        Called with samples and a level: the score of the data plus noise of that standard deviation.
    x
        Where the chains start, ``(batch, ...)``: noise of the first level's width.
    levels
        Falling standard deviations, see `noise_levels`.
    step_size
        Of the last level, a fraction of its variance (0.1 times it is usual).
    n_steps
        Steps at each level.
    denoise
        Whether to end with the mean of the data given the sample, ``x + sigma^2 score`` (Tweedie).
    generator
        Source of the noise.

    Raises
    ------
    InputError
        If the levels don't fall, a setting cannot be right or a chain diverges.
    """
    falling = all(above > below for above, below in pairwise(levels))
    if not levels or not falling or levels[-1] <= 0:
        raise InputError(f"noise levels must fall and stay above 0, got {levels}: see noise_levels")
    for sigma in levels:
        x = ula(
            lambda x, sigma=sigma: score(x, sigma),  # type: ignore[misc]
            x,
            step_size=step_size * (sigma / levels[-1]) ** 2,
            n_steps=n_steps,
            generator=generator,
        )
    return x + levels[-1] ** 2 * score(x, levels[-1]) if denoise else x


def _normal(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)

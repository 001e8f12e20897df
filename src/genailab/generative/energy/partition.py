"""The partition function: ``log Z = log sum exp(-E)``, counted where it can be, estimated elsewhere.

Annealed importance sampling walks from a base distribution that can be drawn from to the target over
``E_b = (1 - b) E_base + b E_target``, b from 0 to 1, and weighs each walk by

    log w = sum_k (b_k - b_{k-1}) (E_base(x_k) - E_target(x_k)),    Z_target / Z_base = E[w].

Neal 2001, "Annealed importance sampling", section 2. The estimate of Z is unbiased however short the
walks are; that of log Z is then low, and its spread wide.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy.energies import Energy, check_chain
from genailab.generative.energy.gibbs import gibbs, gibbs_with_gradients
from genailab.generative.energy.hmc import hmc
from genailab.generative.energy.letters import enumerate_sequences, hot_letters

__all__ = [
    "LogPartition",
    "Transition",
    "annealed_importance_sampling",
    "effective_sample_size",
    "enumerated_log_partition",
    "gibbs_transition",
    "hmc_transition",
    "log_mean_exp_interval",
]

# Moves chains (batch, ...) so that the energy's distribution stays as it is.
Transition = Callable[[Energy, Tensor, torch.Generator | None], Tensor]


@dataclass(frozen=True, kw_only=True)
class LogPartition:
    """An estimate of ``log Z`` in nats, the ends of its interval, and what they were made of."""

    value: float
    low: float
    high: float
    effective_sample_size: float  # how many equally weighted walks would tell as much
    log_weights: Tensor = field(repr=False)  # (walks,)


@torch.no_grad()
def annealed_importance_sampling(
    target: Energy,
    base: Energy,
    x: Tensor,
    *,
    transition: Transition,
    base_log_partition: float = 0.0,
    n_temperatures: int = 100,
    level: float = 0.95,
    n_bootstrap: int = 1000,
    generator: torch.Generator | None = None,
) -> LogPartition:
    """Estimate the target's ``log Z`` from walks that start in ``x``, exact draws from the base.

    Parameters
    ----------
    target, base
        Energies, ``(walks, ...)`` to ``(walks,)``.
    x
        Independent draws from ``exp(-base)``, ``(walks, ...)``; for sequences one-hot.
    transition
        How chains move at each temperature: `hmc_transition`, `gibbs_transition` or your own.
    base_log_partition
        ``log Z`` of the base: 0 where its energy is ``-log`` of its density.
    n_temperatures
        Steps from base to target; more of them narrow the interval.
    level, n_bootstrap
        Of the interval, see `log_mean_exp_interval`.
    generator
        Source of randomness.

    Raises
    ------
    InputError
        If there are fewer than 2 walks, no temperatures, or an energy isn't finite.
    """
    if len(x) < 2 or n_temperatures < 1:
        raise InputError(
            f"{len(x)} walks over {n_temperatures} temperatures cannot estimate log Z: give at least 2 walks "
            "and 1 temperature"
        )
    log_weights = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    for step in range(1, n_temperatures + 1):
        before, now = (step - 1) / n_temperatures, step / n_temperatures
        gain = base(x) - target(x)
        check_chain(gain, sampler="annealed importance sampling", step=step)
        log_weights += (now - before) * gain.double()
        if step < n_temperatures:
            x = transition(_between(base, target, now), x, generator)
    low, high = log_mean_exp_interval(log_weights, level=level, n_bootstrap=n_bootstrap, generator=generator)
    effective = effective_sample_size(log_weights)
    if effective < 10:
        warnings.warn(
            f"the weights of {len(x)} walks are worth {effective:.1f} equal ones, so that the interval of "
            "log Z is not to be trusted: raise n_temperatures or move more at each of them",
            stacklevel=2,
        )
    return LogPartition(
        value=base_log_partition + _log_mean_exp(log_weights).item(),
        low=base_log_partition + low,
        high=base_log_partition + high,
        effective_sample_size=effective,
        log_weights=log_weights,
    )


def _between(base: Energy, target: Energy, share: float) -> Energy:
    return lambda x: (1 - share) * base(x) + share * target(x)


def hmc_transition(*, step_size: float, n_leapfrog: int = 10, n_steps: int = 1) -> Transition:
    """Return a transition of vectors by `hmc`."""
    return lambda energy, x, generator: (
        hmc(
            energy, x, step_size=step_size, n_leapfrog=n_leapfrog, n_steps=n_steps, generator=generator
        ).states
    )


def gibbs_transition(*, n_steps: int, with_gradients: bool = False) -> Transition:
    """Return a transition of one-hot sequences ``(walks, n_letters, length)``: `gibbs`, or with gradients."""

    def move(energy: Energy, x: Tensor, generator: torch.Generator | None) -> Tensor:
        codes, n_letters = x.argmax(dim=1), x.shape[1]
        if with_gradients:
            codes = gibbs_with_gradients(
                energy, codes, n_letters=n_letters, n_steps=n_steps, generator=generator
            ).states
        else:
            codes = gibbs(energy, codes, n_letters=n_letters, n_steps=n_steps, generator=generator)
        return hot_letters(codes, n_letters)

    return move


@torch.no_grad()
def enumerated_log_partition(
    energy: Energy, *, n_letters: int, length: int, batch_size: int = 1 << 14
) -> Tensor:
    """Return the exact ``log Z`` of an energy on one-hot sequences, all added up, a float64 scalar.

    Raises
    ------
    InputError
        If there are more than four million sequences.

    Examples
    --------
    >>> enumerated_log_partition(lambda x: x.new_zeros(len(x)), n_letters=4, length=2).exp()
    tensor(16.0000, dtype=torch.float64)
    """
    parts = [
        (-energy(hot_letters(codes, n_letters)).double()).logsumexp(dim=0)
        for codes in enumerate_sequences(n_letters, length).split(batch_size)
    ]
    return torch.stack(parts).logsumexp(dim=0)


def effective_sample_size(log_weights: Tensor) -> float:
    """Return ``(sum w)^2 / sum w^2``, between 1 and the number of weights (Kong 1992).

    Examples
    --------
    >>> round(effective_sample_size(torch.zeros(8)), 6)
    8.0
    """
    doubled = log_weights.double()
    return (2 * doubled.logsumexp(dim=0) - (2 * doubled).logsumexp(dim=0)).exp().item()


def log_mean_exp_interval(
    log_weights: Tensor,
    *,
    level: float = 0.95,
    n_bootstrap: int = 1000,
    generator: torch.Generator | None = None,
) -> tuple[float, float]:
    """Return the ends of a bootstrap interval of ``log mean exp(log_weights)``: resampled walks' quantiles.

    Efron & Tibshirani 1993, chapter 13. It knows only of walks that were made: where few carry the weight, it
    is too narrow (see `effective_sample_size`).
    """
    if not 0 < level < 1 or n_bootstrap < 1:
        raise InputError(
            f"an interval at level {level} from {n_bootstrap} resamples cannot be made: give a level between "
            "0 and 1, such as 0.95, and at least 1 resample"
        )
    n = len(log_weights)
    values = []
    for _ in range(n_bootstrap):
        rows = torch.randint(n, (n,), generator=generator, device=log_weights.device)
        values.append(_log_mean_exp(log_weights[rows]))
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64, device=log_weights.device)
    low, high = torch.stack(values).double().quantile(tails).tolist()
    return low, high


def _log_mean_exp(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(dim=0) - math.log(len(log_weights))

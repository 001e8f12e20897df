"""The Boltzmann distribution over states that can be listed: ``p_i = exp(-E_i / T) / Z``.

Energies are ``(..., states)`` with Boltzmann's constant 1, so that temperature and energy share their unit
and entropies are in nats. Everything follows from ``log Z``: the free energy ``F = -T log Z = <E> - T S`` and
the heat capacity ``C = d<E>/dT = Var(E) / T^2``. MacKay 2003, "Information Theory, Inference, and Learning
Algorithms", section 31.1.
"""

from __future__ import annotations

from torch import Tensor

from genailab.errors import InputError

__all__ = [
    "boltzmann_log_probabilities",
    "boltzmann_probabilities",
    "entropy",
    "expectation",
    "free_energy",
    "heat_capacity",
    "kl_divergence",
    "log_partition_function",
]


def log_partition_function(energies: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return ``log Z = log sum_i exp(-E_i / T)``, ``(...,)``.

    Raises
    ------
    InputError
        If the temperature isn't positive, an energy is NaN, or no state has a finite one.
    """
    _check(energies, temperature)
    return (-energies / temperature).logsumexp(dim=-1)


def boltzmann_log_probabilities(energies: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return ``log p_i``, ``(..., states)``; errors as `log_partition_function`."""
    _check(energies, temperature)
    return (-energies / temperature).log_softmax(dim=-1)


def boltzmann_probabilities(energies: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return ``p_i``, ``(..., states)``: uniform at high temperature, all on the lowest energy at low.

    Examples
    --------
    >>> import torch
    >>> boltzmann_probabilities(torch.tensor([0.0, 1.0]), temperature=0.01).tolist()
    [1.0, 3.783505853677006e-44]
    """
    return boltzmann_log_probabilities(energies, temperature=temperature).exp()


def free_energy(energies: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return Helmholtz's free energy ``-T log Z``, ``(...,)``."""
    return -temperature * log_partition_function(energies, temperature=temperature)


def expectation(values: Tensor, energies: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return ``sum_i p_i values_i``, ``(...,)``, of values ``(..., states)``."""
    # A state of probability 0 adds nothing, not even where its value is infinite.
    p = boltzmann_probabilities(energies, temperature=temperature)
    return (p * values).masked_fill(p == 0, 0.0).sum(dim=-1)


def entropy(energies: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return ``-sum_i p_i log p_i`` in nats, ``(...,)``."""
    log_p = boltzmann_log_probabilities(energies, temperature=temperature)
    return -expectation(log_p, energies, temperature=temperature)


def heat_capacity(energies: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return ``Var(E) / T^2``, ``(...,)``: how fast the mean energy rises with the temperature."""
    mean = expectation(energies, energies, temperature=temperature)
    spread = (energies - mean[..., None]).square()
    return expectation(spread, energies, temperature=temperature) / temperature**2


def kl_divergence(energies: Tensor, other: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return ``KL(p || q)`` in nats, ``(...,)``, of the distributions of two energies ``(..., states)``."""
    log_p = boltzmann_log_probabilities(energies, temperature=temperature)
    log_q = boltzmann_log_probabilities(other, temperature=temperature)
    return expectation(log_p - log_q, energies, temperature=temperature)


def _check(energies: Tensor, temperature: float) -> None:
    if not 0 < temperature < float("inf"):
        raise InputError(f"temperature is {temperature}: it must be positive and finite")
    if energies.isnan().any() or (energies == -float("inf")).any():
        place = (energies.isnan() | (energies == -float("inf"))).nonzero()[0].tolist()
        raise InputError(
            f"the energy of state {place} is {float(energies[tuple(place)])}: give finite energies"
        )
    if energies.isinf().all(dim=-1).any():
        raise InputError("every state has an infinite energy: at least one must be possible")

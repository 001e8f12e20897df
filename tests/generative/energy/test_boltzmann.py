"""Laws of statistical mechanics on states that can be listed."""

from __future__ import annotations

import math

import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy import (
    boltzmann_log_probabilities,
    boltzmann_probabilities,
    entropy,
    expectation,
    free_energy,
    heat_capacity,
    kl_divergence,
    log_partition_function,
)

ENERGIES = st.lists(st.floats(-20, 20), min_size=2, max_size=8).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)
TEMPERATURES = st.floats(0.2, 20)


@given(ENERGIES, TEMPERATURES)
@settings(max_examples=50, deadline=None)
def test_free_energy_is_energy_less_temperature_times_entropy(energies, temperature):
    mean = expectation(energies, energies, temperature=temperature)
    disorder = entropy(energies, temperature=temperature)
    free = free_energy(energies, temperature=temperature)
    assert free.item() == pytest.approx((mean - temperature * disorder).item(), abs=1e-8)
    p = boltzmann_probabilities(energies, temperature=temperature)
    assert disorder.item() == pytest.approx(scipy.stats.entropy(p.numpy()), abs=1e-9)


@given(ENERGIES, TEMPERATURES)
@settings(max_examples=50, deadline=None)
def test_odds_are_set_by_the_difference_in_energy(energies, temperature):
    log_p = boltzmann_log_probabilities(energies, temperature=temperature)
    assert log_p.exp().sum().item() == pytest.approx(1)
    odds = (log_p[0] - log_p[1]).item()
    assert odds == pytest.approx(((energies[1] - energies[0]) / temperature).item(), abs=1e-9)


@given(ENERGIES, TEMPERATURES)
@settings(max_examples=30, deadline=None)
def test_heat_capacity_is_the_slope_of_the_mean_energy(energies, temperature):
    step = 1e-4 * temperature
    above, below = (
        expectation(energies, energies, temperature=temperature + sign * step) for sign in (1, -1)
    )
    slope = ((above - below) / (2 * step)).item()
    assert heat_capacity(energies, temperature=temperature).item() == pytest.approx(slope, abs=1e-4, rel=1e-4)


@given(ENERGIES, st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_divergence_is_the_free_energy_that_a_wrong_distribution_wastes(energies, seed):
    # Gibbs' inequality: T KL(q || p) = (<E>_q - T S_q) - F_p.
    other = 3 * torch.randn(len(energies), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    divergence = kl_divergence(other, energies, temperature=2.0).item()
    variational = expectation(energies, other, temperature=2.0) - 2 * entropy(other, temperature=2.0)
    wasted = variational - free_energy(energies, temperature=2.0)
    assert 2 * divergence == pytest.approx(wasted.item(), abs=1e-8)
    assert divergence >= -1e-12
    assert kl_divergence(energies, energies + 5).item() == pytest.approx(0, abs=1e-12)


def test_a_harmonic_oscillator_has_its_textbook_values():
    levels = torch.arange(400, dtype=torch.float64) + 0.5
    beta = 1 / 3.0
    exact = 1 / (2 * math.sinh(beta / 2))
    assert log_partition_function(levels, temperature=3.0).exp().item() == pytest.approx(exact)
    einstein = (beta / 2 / math.sinh(beta / 2)) ** 2
    assert heat_capacity(levels, temperature=3.0).item() == pytest.approx(einstein)


def test_limits_of_temperature():
    energies = torch.tensor([2.0, 0.0, 1.0], dtype=torch.float64)
    cold = boltzmann_probabilities(energies, temperature=1e-3)
    torch.testing.assert_close(cold, torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64))
    hot = boltzmann_probabilities(energies, temperature=1e9)
    torch.testing.assert_close(hot, torch.full((3,), 1 / 3, dtype=torch.float64))


def test_an_impossible_state_adds_nothing():
    energies, with_wall = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0, math.inf])
    for function in (log_partition_function, entropy, heat_capacity, free_energy):
        torch.testing.assert_close(function(with_wall), function(energies))
    assert expectation(with_wall, with_wall).item() == pytest.approx(expectation(energies, energies).item())


def test_rows_are_distributions_by_themselves():
    energies: Tensor = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    for function in (log_partition_function, entropy, heat_capacity, free_energy):
        torch.testing.assert_close(function(energies)[1], function(energies[1]))


@pytest.mark.parametrize(
    ("energies", "temperature", "message"),
    [
        ([0.0, 1.0], 0.0, "temperature is 0.0: it must be positive"),
        ([0.0, 1.0], -1.0, "temperature is -1.0: it must be positive"),
        ([0.0, math.nan], 1.0, r"the energy of state \[1\] is nan"),
        ([-math.inf, 0.0], 1.0, r"the energy of state \[0\] is -inf"),
        ([math.inf, math.inf], 1.0, "every state has an infinite energy"),
    ],
)
def test_says_what_is_wrong(energies, temperature, message):
    with pytest.raises(InputError, match=message):
        boltzmann_probabilities(torch.tensor(energies), temperature=temperature)

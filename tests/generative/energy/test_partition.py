"""Laws of the partition function: exact where it is known, inside its own interval where it is estimated."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy import (
    LogPartition,
    annealed_importance_sampling,
    effective_sample_size,
    enumerate_sequences,
    enumerated_log_partition,
    gibbs_transition,
    hmc_transition,
    hot_letters,
    log_mean_exp_interval,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def standard(x: Tensor) -> Tensor:
    return 0.5 * x.square().sum(dim=1) + 0.5 * x.shape[1] * math.log(2 * math.pi)


def estimate(target, dims: int, n_temperatures: int = 40, seed: int = 0, walks: int = 300) -> LogPartition:
    generator = seeded(seed)
    x = torch.randn(walks, dims, generator=generator, dtype=torch.float64)
    return annealed_importance_sampling(
        target,
        standard,
        x,
        transition=hmc_transition(step_size=0.2, n_leapfrog=5),
        n_temperatures=n_temperatures,
        n_bootstrap=200,
        generator=generator,
    )


@pytest.mark.parametrize("std", [0.3, 0.7, 2.5])
@pytest.mark.parametrize("dims", [1, 3])
def test_ais_finds_the_normaliser_of_a_gaussian_inside_its_interval(std, dims):
    found = estimate(lambda x: 0.5 * ((x - 1) / std).square().sum(dim=1), dims)
    exact = dims * math.log(std * math.sqrt(2 * math.pi))
    assert found.low < exact < found.high
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(exact, abs=0.3)
    assert 1 <= found.effective_sample_size <= 300


def test_the_interval_of_ais_holds_the_truth_about_as_often_as_it_says():
    exact = 2 * math.log(0.5 * math.sqrt(2 * math.pi))
    found = [estimate(lambda x: 2 * (x - 0.5).square().sum(dim=1), 2, 10, seed, 100) for seed in range(40)]
    inside = sum(one.low <= exact <= one.high for one in found)
    assert inside >= 33  # of 40 at 95%; fewer than 33 comes by chance once in a thousand


def test_the_mean_of_the_weights_is_unbiased_even_without_a_step_in_between():
    # One temperature is plain importance sampling: E[exp(base - target)] over the base.
    found = estimate(lambda x: 0.5 * (x / 0.8).square().sum(dim=1), 1, n_temperatures=1, walks=50_000)
    assert found.value == pytest.approx(math.log(0.8 * math.sqrt(2 * math.pi)), abs=0.01)


def test_more_temperatures_narrow_the_spread_of_the_weights():
    spreads = []
    for n_temperatures in (3, 12, 48):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            weights = estimate(lambda x: 4 * (x - 2).square().sum(dim=1), 2, n_temperatures).log_weights
        spreads.append(weights.std().item())
    assert spreads[0] > 1.5 * spreads[1] > 2.25 * spreads[2]


def ising(x: Tensor, coupling: float = 0.8, field: float = 0.3) -> Tensor:
    """A ring of spins on one-hot letters (walks, 2, length)."""
    spin = x[:, 1] - x[:, 0]
    return -coupling * (spin * spin.roll(1, dims=1)).sum(dim=1) - field * spin.sum(dim=1)


def transfer_matrix(length: int, coupling: float = 0.8, field: float = 0.3) -> float:
    root = math.sqrt(math.sinh(field) ** 2 + math.exp(-4 * coupling))
    largest, smallest = (math.exp(coupling) * (math.cosh(field) + sign * root) for sign in (1, -1))
    return math.log(largest**length + smallest**length)


@pytest.mark.parametrize("length", [3, 8, 12])
def test_enumeration_gives_the_ising_ring_of_the_transfer_matrix(length):
    for batch_size in (7, 1 << 14):
        found = enumerated_log_partition(ising, n_letters=2, length=length, batch_size=batch_size)
        assert found.item() == pytest.approx(transfer_matrix(length), abs=1e-5)


@pytest.mark.parametrize("with_gradients", [False, True])
@pytest.mark.parametrize("n_letters", [2, 4])
def test_ais_finds_the_normaliser_of_sequences_inside_its_interval(n_letters, with_gradients):
    length, generator = 6, seeded(2)
    fields = torch.randn(n_letters, length, generator=seeded(3))

    def energy(x: Tensor) -> Tensor:
        return (fields * x).sum(dim=(1, 2)) - 0.7 * (x[:, :, 1:] * x[:, :, :-1]).sum(dim=(1, 2))

    start = torch.randint(n_letters, (200, length), generator=generator)
    found = annealed_importance_sampling(
        energy,
        lambda x: x.new_zeros(len(x)),
        hot_letters(start, n_letters),
        transition=gibbs_transition(n_steps=3, with_gradients=with_gradients),
        base_log_partition=length * math.log(n_letters),
        n_temperatures=40,
        generator=generator,
    )
    exact = enumerated_log_partition(energy, n_letters=n_letters, length=length).item()
    assert found.low < exact < found.high
    assert found.high - found.low < 0.5


def test_an_energy_of_zero_counts_the_sequences():
    found = enumerated_log_partition(lambda x: x.new_zeros(len(x)), n_letters=4, length=5)
    assert found.exp().item() == pytest.approx(len(enumerate_sequences(4, 5)))


def test_the_effective_sample_size_counts_the_weights_that_matter():
    assert effective_sample_size(torch.zeros(17)) == pytest.approx(17)
    one_of_many = torch.full((100,), -1e4)
    one_of_many[3] = 900.0
    assert effective_sample_size(one_of_many) == pytest.approx(1)
    assert effective_sample_size(torch.tensor([0.0, 0.0, -1e4]) + 5000) == pytest.approx(2)


def test_the_interval_follows_a_shift_and_shrinks_to_equal_weights():
    weights = torch.randn(80, generator=seeded(), dtype=torch.float64)
    low, high = log_mean_exp_interval(weights, generator=seeded(1))
    shifted = log_mean_exp_interval(weights + 1000, generator=seeded(1))
    assert shifted == pytest.approx((low + 1000, high + 1000))
    assert log_mean_exp_interval(torch.ones(9), generator=seeded()) == pytest.approx((1.0, 1.0))
    narrow = log_mean_exp_interval(weights, level=0.5, generator=seeded(1))
    assert low < narrow[0] < narrow[1] < high


def test_weights_that_one_walk_carries_are_warned_of():
    with pytest.warns(UserWarning, match="worth .* equal ones, so that the interval of log Z is not to be"):
        estimate(lambda x: 500 * (x - 4).square().sum(dim=1), 3, n_temperatures=2)


def test_what_cannot_be_estimated_is_refused():
    with pytest.raises(InputError, match="1 walks over 40 temperatures cannot estimate log Z"):
        estimate(standard, 2, walks=1)
    with pytest.raises(InputError, match="annealed importance sampling met nan at step 1, in chain 0 of 300"):
        estimate(lambda x: x.sum(dim=1) * torch.nan, 2)
    with pytest.raises(InputError, match="an interval at level 95 from 1000 resamples"):
        log_mean_exp_interval(torch.zeros(3), level=95)

"""Laws of the sliced Wasserstein distance, with POT as oracle."""

import math

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.evaluation.bootstrap import Weights, bootstrap_weights
from genailab.evaluation.sliced_wasserstein import random_directions, sliced_wasserstein


def gaussian(n, dims, seed, shift=0.0):
    return np.random.default_rng(seed).standard_normal((n, dims)) + shift


@given(n=st.integers(1, 12), m=st.integers(1, 12), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_agrees_with_pot_at_any_two_numbers_of_cells(n, m, seed):
    x, y = gaussian(n, 4, seed), gaussian(m, 4, seed + 100, 0.7)
    directions = random_directions(20, 4, np.random.default_rng(seed))
    expected = ot.sliced_wasserstein_distance(x, y, projections=directions, p=2)
    assert sliced_wasserstein(x, y, directions).item() == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_in_one_dimension_it_is_the_exact_transport_cost():
    x, y = gaussian(9, 1, 0), gaussian(7, 1, 1, 2.0)
    cost = ot.emd2(np.full(9, 1 / 9), np.full(7, 1 / 7), ot.dist(x, y))
    assert sliced_wasserstein(x, y, np.ones((1, 1))).item() ** 2 == pytest.approx(cost)


def test_a_shift_moves_every_direction_by_its_share():
    # W along u is |<shift, u>|, whose mean square over the sphere is |shift|^2 / dims.
    x = gaussian(50, 8, 0)
    directions = random_directions(20_000, 8, np.random.default_rng(1))
    assert sliced_wasserstein(x, x + 3.0, directions).item() == pytest.approx(3.0, rel=0.02)


def test_is_zero_for_the_same_cells_in_any_order_and_symmetric():
    x, y = gaussian(30, 3, 0), gaussian(20, 3, 1)
    directions = random_directions(50, 3, np.random.default_rng(2))
    assert sliced_wasserstein(x, x[::-1], directions).item() == pytest.approx(0.0, abs=1e-12)
    assert sliced_wasserstein(x, y, directions) == pytest.approx(sliced_wasserstein(y, x, directions))


def test_a_weighted_distance_is_that_of_the_repeated_cells():
    x, y = gaussian(8, 3, 0), gaussian(6, 3, 1, 1.0)
    directions = random_directions(10, 3, np.random.default_rng(2))
    generator = np.random.default_rng(3)
    both = [bootstrap_weights(n, n_bootstrap=4, generator=generator) for n in (8, 6)]
    got = sliced_wasserstein(x, y, directions, Weights(real=both[0], generated=both[1]))
    for draw in range(5):
        repeated = [np.repeat(p, w[draw].astype(int), axis=0) for p, w in zip((x, y), both, strict=True)]
        assert got[draw] == pytest.approx(sliced_wasserstein(*repeated, directions).item())


def test_directions_are_unit_vectors_that_favour_no_axis():
    directions = random_directions(20_000, 5, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(directions, axis=0), 1.0)
    np.testing.assert_allclose((directions**2).mean(axis=1), 1 / 5, atol=0.01)
    assert abs(directions.mean()) < 3 / math.sqrt(directions.size)


@pytest.mark.parametrize(
    ("real", "generated", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), "3 dimensions, generated cells 4"),
        (np.zeros((2, 3)), np.zeros((0, 3)), "2 real and 0 generated cells"),
    ],
)
def test_says_what_is_wrong(real, generated, message):
    with pytest.raises(InputError, match=message):
        sliced_wasserstein(real, generated, np.ones((3, 1)))

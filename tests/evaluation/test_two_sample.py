"""Laws of the energy distance and the maximum mean discrepancy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import energy_distance as scipy_root_of_biased
from sklearn.metrics.pairwise import rbf_kernel

from genailab.errors import InputError
from genailab.evaluation.bootstrap import Weights, bootstrap_weights, interval
from genailab.evaluation.two_sample import (
    Distances,
    energy_distance,
    maximum_mean_discrepancy,
    median_bandwidth,
)


def gaussian(n, dims, seed, shift=0.0):
    return np.random.default_rng(seed).standard_normal((n, dims)) + shift


def energy(x, y):
    return energy_distance(Distances.of(x, y)).item()


def mmd(x, y, bandwidth=1.0):
    return maximum_mean_discrepancy(Distances.of(x, y), bandwidth=bandwidth).item()


def test_energy_matches_the_closed_form_for_shifted_gaussians():
    # For N(0, 1) against N(m, 1): 2 E|X - Y| - 2 E|X - X'| with folded-normal means.
    m = 1.5
    folded = 2 / math.sqrt(math.pi) * math.exp(-(m**2) / 4) + m * math.erf(m / 2)
    expected = 2 * folded - 4 / math.sqrt(math.pi)
    assert energy(gaussian(2500, 1, 0), gaussian(2500, 1, 1, m)) == pytest.approx(expected, rel=0.06)


def test_mmd_matches_the_closed_form_for_shifted_gaussians():
    # X - X' is N(0, 2), X - Y is N(m, 2): E exp(-d^2 / (2 s^2)) of N(m, 2) is known.
    m, s2 = 1.5, 4.0

    def kernel_mean(mean):
        return math.sqrt(s2 / (s2 + 2)) * math.exp(-(mean**2) / (2 * (s2 + 2)))

    expected = 2 * kernel_mean(0) - 2 * kernel_mean(m)
    measured = mmd(gaussian(2500, 1, 0), gaussian(2500, 1, 1, m), bandwidth=2.0)
    assert measured == pytest.approx(expected, rel=0.06)


def test_mmd_agrees_with_sklearns_kernel():
    x, y = gaussian(40, 3, 0), gaussian(30, 3, 1, 0.5)
    k = [rbf_kernel(a, b, gamma=1 / (2 * 1.7**2)) for a, b in ((x, x), (y, y), (x, y))]
    within = [(matrix.sum() - len(matrix)) / (len(matrix) * (len(matrix) - 1)) for matrix in k[:2]]
    assert mmd(x, y, 1.7) == pytest.approx(sum(within) - 2 * k[2].mean(), abs=1e-6)


def test_energy_agrees_with_scipy_up_to_its_bias():
    x, y = gaussian(3000, 1, 0), gaussian(3000, 1, 1, 0.8)
    assert energy(x, y) == pytest.approx(scipy_root_of_biased(x[:, 0], y[:, 0]) ** 2, abs=2e-3)


@pytest.mark.parametrize("distance", [energy, mmd])
def test_averages_to_zero_when_the_distributions_agree(distance):
    draws = np.array([distance(gaussian(40, 4, s), gaussian(50, 4, 1000 + s)) for s in range(200)])
    assert abs(draws.mean()) < 3 * draws.std() / math.sqrt(len(draws))
    assert draws.min() < 0  # unbiased: it must be able to fall below


@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 10), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_moving_both_changes_nothing_and_scaling_scales_the_energy(shift, scale, seed):
    x, y = gaussian(30, 3, seed), gaussian(40, 3, seed + 100, 1.0)
    moved = energy(scale * x + shift, scale * y + shift)
    assert moved == pytest.approx(scale * energy(x, y), rel=1e-4, abs=1e-5 * scale)
    same = mmd(scale * x + shift, scale * y + shift, bandwidth=scale)
    assert same == pytest.approx(mmd(x, y), abs=1e-5)


@pytest.mark.parametrize("distance", [energy, mmd])
def test_is_symmetric(distance):
    x, y = gaussian(30, 4, 0), gaussian(20, 4, 1, 0.3)
    assert distance(x, y) == pytest.approx(distance(y, x), rel=1e-9)


def test_a_weighted_distance_is_that_of_the_repeated_cells_without_self_pairs():
    x, y = gaussian(6, 2, 0), gaussian(5, 2, 1, 1.0)
    generator = np.random.default_rng(2)
    weights = Weights(
        real=bootstrap_weights(6, n_bootstrap=3, generator=generator),
        generated=bootstrap_weights(5, n_bootstrap=3, generator=generator),
    )
    got = energy_distance(Distances.of(x, y), weights)
    for draw in range(4):
        rows = [
            np.repeat(np.arange(len(w[draw])), w[draw].astype(int)) for w in (weights.real, weights.generated)
        ]
        between = np.mean([[np.linalg.norm(x[i] - y[j]) for j in rows[1]] for i in rows[0]])
        within = [
            np.mean([np.linalg.norm(p[i] - p[j]) for i in at for j in at if i != j])
            for p, at in ((x, rows[0]), (y, rows[1]))
        ]
        assert got[draw] == pytest.approx(2 * between - sum(within), rel=1e-5)


def test_the_interval_covers_the_energy_distance_about_as_often_as_it_says():
    m = 1.0
    folded = 2 / math.sqrt(math.pi) * math.exp(-(m**2) / 4) + m * math.erf(m / 2)
    truth, covered = 2 * folded - 4 / math.sqrt(math.pi), 0
    for seed in range(120):
        generator = np.random.default_rng(seed)
        distances = Distances.of(gaussian(60, 1, seed), gaussian(60, 1, seed + 500, m))
        both = [bootstrap_weights(60, n_bootstrap=200, generator=generator) for _ in range(2)]
        found = interval(energy_distance(distances, Weights(real=both[0], generated=both[1])))
        covered += found.low <= truth <= found.high
    assert 0.86 <= covered / 120 <= 1.0


def test_the_median_bandwidth_is_the_median_of_distinct_pairs_and_scales():
    x = np.array([[0.0], [1.0], [3.0]])  # distances 1, 2, 3
    assert median_bandwidth(Distances.of(x, x).real) == pytest.approx(2.0)
    assert median_bandwidth(Distances.of(5 * x, x).real) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("real", "generated", "message"),
    [
        (np.zeros((1, 2)), np.zeros((3, 2)), "at least 2 real cells, got 1"),
        (np.zeros((3, 2)), np.zeros((3, 4)), "2 dimensions but generated cells have 4"),
        (np.zeros((3, 2)), np.array([[0.0, 0.0], [math.nan, 1.0]]), "generated cell 1 holds a value"),
    ],
)
def test_says_what_is_wrong_and_where(real, generated, message):
    with pytest.raises(InputError, match=message):
        Distances.of(real, generated)


def test_no_bandwidth_is_made_up():
    with pytest.raises(InputError, match="half of the 5 real cells' pairs are identical"):
        median_bandwidth(np.zeros((5, 5)))
    with pytest.raises(InputError, match="bandwidth is 0"):
        mmd(gaussian(3, 1, 0), gaussian(3, 1, 1), bandwidth=0.0)

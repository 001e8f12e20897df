"""Laws of the disentanglement scores: 1 for a code with a factor in each dimension, near 0 when rotated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from genailab.errors import InputError
from genailab.evaluation.disentanglement import dci, mig, sap

N = 1500
SCORES = {
    "mig": mig,
    "sap": sap,
    "disentanglement": lambda z, v: dci(z, v, n_trees=20).disentanglement,
    "completeness": lambda z, v: dci(z, v, n_trees=20).completeness,
}


def factors(kind: str, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    discrete, continuous = rng.integers(0, 5, (N, 2)).astype(float), rng.uniform(-1, 1, (N, 2))
    mixed = np.column_stack([discrete[:, 0], continuous[:, 0]])
    return {"discrete": discrete, "continuous": continuous, "mixed": mixed}[kind]


def rotated(x: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x @ np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


@pytest.mark.parametrize("kind", ["discrete", "continuous", "mixed"])
@pytest.mark.parametrize("score", SCORES)
def test_a_dimension_for_each_factor_scores_1(score, kind):
    v = factors(kind)
    noise = np.random.default_rng(1).normal(size=(N, 1))
    code = np.column_stack([-3 * v[:, 1] + 1, noise, 0.5 * v[:, 0]])  # order, sign and scale don't matter
    assert SCORES[score](code, v) > 0.97


@pytest.mark.parametrize("kind", ["discrete", "continuous", "mixed"])
@pytest.mark.parametrize("score", SCORES)
def test_a_code_rotated_by_half_a_right_angle_or_random_scores_near_0(score, kind):
    v = factors(kind)
    assert abs(SCORES[score](rotated(v, math.pi / 4), v)) < 0.05
    assert abs(SCORES[score](np.random.default_rng(2).normal(size=(N, 2)), v)) < 0.05


@pytest.mark.parametrize("score", SCORES)
def test_the_more_a_code_is_rotated_the_lower_it_scores(score):
    v = factors("continuous")
    found = [SCORES[score](rotated(v, angle), v) for angle in (0.0, 0.2, 0.5, math.pi / 4)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[2] + 0.3


@pytest.mark.parametrize("score", SCORES)
def test_two_dimensions_for_one_factor_cost_completeness_and_gaps_but_not_disentanglement(score):
    v = factors("continuous")
    code = np.column_stack([v[:, 0], v[:, 0], v[:, 1]])
    found = SCORES[score](code, v)
    if score == "disentanglement":
        assert found > 0.98
    else:  # one of the two factors has a dimension of its own; among 3 dimensions two share log 2 / log 3
        expected = (1 + 1 - math.log(2) / math.log(3)) / 2 if score == "completeness" else 0.5
        assert found == pytest.approx(expected, abs=0.05)


@given(seed=st.integers(0, 99), scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
@settings(max_examples=15, deadline=None)
def test_order_sign_scale_and_shift_of_the_dimensions_change_nothing(seed, scale, shift):
    v = factors("mixed", seed)
    code = rotated(v, 0.3) + 0.1 * np.random.default_rng(seed).normal(size=(N, 2))
    other = (scale * code + shift)[:, ::-1]
    # A value on the border between two classes or two bins may cross it.
    assert sap(other, v) == pytest.approx(sap(code, v), abs=0.01)
    assert mig(other, v) == pytest.approx(mig(code, v), abs=0.01)
    flipped = code * np.array([1, -1])
    assert mig(flipped, v) == pytest.approx(mig(code, v), abs=0.01)


def test_the_gap_of_a_noisy_binary_channel_is_its_known_information():
    rng = np.random.default_rng(0)
    n, flip = 20_000, 0.1
    v = rng.integers(0, 2, (n, 1))
    z = np.where(rng.random((n, 1)) < flip, 1 - v, v)
    code = np.column_stack([z, rng.integers(0, 2, n)])
    entropy = -flip * math.log2(flip) - (1 - flip) * math.log2(1 - flip)
    assert mig(code, v) == pytest.approx(1 - entropy, abs=0.01)
    assert sap(code, v) == pytest.approx(1 - 2 * flip, abs=0.02)


def test_a_squared_correlation_is_the_predictability_of_a_line():
    rng = np.random.default_rng(0)
    v = rng.normal(size=(20_000, 1))
    code = np.column_stack([0.8 * v[:, 0] + 0.6 * rng.normal(size=len(v)), rng.normal(size=len(v))])
    assert sap(code, v) == pytest.approx(0.64, abs=0.02)


def test_dci_says_which_dimension_tells_what_and_how_well():
    v = factors("mixed")
    found = dci(np.column_stack([v[:, 1], v[:, 0]]), v, n_trees=20)
    np.testing.assert_allclose(found.importance, [[0, 1], [1, 0]], atol=0.01)
    assert found.informativeness > 0.98
    untold = dci(np.random.default_rng(0).normal(size=(N, 2)), v, n_trees=20)
    assert untold.informativeness < 0.05


def test_factors_may_be_names_and_constant_dimensions_tell_nothing():
    v = factors("discrete")
    names = np.array(["B", "NK", "T", "mono", "DC"])[v.astype(int)]
    code = np.column_stack([v, np.ones(N)])
    assert mig(code, names) == pytest.approx(mig(code, v))
    assert sap(code, names) == pytest.approx(sap(code, v))


@pytest.mark.parametrize("score", [mig, sap, dci])
def test_the_same_seed_gives_the_same_score_and_the_global_state_stays(score):
    v = factors("mixed")
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, two = (score(rotated(v, 0.4), v) for _ in range(2))
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    if score is dci:
        np.testing.assert_array_equal(one.importance, two.importance)
    else:
        assert one == two


GOOD = np.random.default_rng(0).normal(size=(30, 2))


@pytest.mark.parametrize(
    ("latents", "v", "message"),
    [
        (GOOD, GOOD[:20], r"latents \(30, 2\) and factors \(20, 2\) do not fit"),
        (GOOD, GOOD[:, 0], r"factors \(30,\) do not fit"),
        (GOOD[:, :1], GOOD, "the scores compare dimensions, got 1"),
        (GOOD[:5], GOOD[:5], "got 5: give 20"),
        (np.where(GOOD[3, 1] == GOOD, np.nan, GOOD), GOOD, "latents hold nan in row 3, column 1"),
        (GOOD, np.where(GOOD[7, 0] == GOOD, np.inf, GOOD), "factors hold inf in row 7, column 0"),
        (GOOD, np.column_stack([GOOD[:, 0], np.full(30, 2.0)]), "factor 1 is 2 in every row: leave it out"),
    ],
)
@pytest.mark.parametrize("score", [mig, sap, dci])
def test_what_cannot_be_scored_is_refused(score, latents, v, message):
    with pytest.raises(InputError, match=message):
        score(latents, v)


def test_dci_needs_two_factors_and_mig_two_bins():
    with pytest.raises(InputError, match="DCI compares factors with each other, got 1"):
        dci(GOOD, GOOD[:, :1])
    with pytest.raises(InputError, match="n_bins is 1: it must be at least 2"):
        mig(GOOD, GOOD, n_bins=1)

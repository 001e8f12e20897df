"""Laws of the bootstrap: resamples hold as many cells, intervals cover, and weights repeat cells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.evaluation.bootstrap import bootstrap_weights, interval, weighted_median


@given(n=st.integers(1, 40), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_first_row_is_the_sample_and_every_resample_is_as_large(n, seed):
    weights = bootstrap_weights(n, n_bootstrap=5, generator=np.random.default_rng(seed))
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == n).all()
    assert (weights >= 0).all()


def test_types_keep_their_numbers_in_every_resample():
    types = np.array([0, 1, 0, 2, 1, 0, 2, 2, 2])
    weights = bootstrap_weights(9, n_bootstrap=50, generator=np.random.default_rng(0), types=types)
    for code, size in ((0, 3), (1, 2), (2, 4)):
        assert (weights[:, types == code].sum(axis=1) == size).all()
    assert len(np.unique(weights, axis=0)) > 10


def test_the_interval_of_a_mean_covers_it_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        cells = generator.exponential(size=60)
        weights = bootstrap_weights(60, n_bootstrap=200, generator=generator)
        found = interval(weights @ cells / 60)
        covered += found.low <= 1.0 <= found.high
    assert 0.88 <= covered / 300 <= 0.98


def test_the_interval_of_a_mean_has_the_width_that_theory_gives():
    cells = np.random.default_rng(0).standard_normal(400)
    found = interval(
        bootstrap_weights(400, n_bootstrap=4000, generator=np.random.default_rng(1)) @ cells / 400
    )
    assert found.high - found.low == pytest.approx(2 * 1.96 * cells.std() / 20, rel=0.06)


def test_a_statistic_that_resampling_inflates_stays_inside_its_interval():
    found = interval(np.array([1.0, 1.5, 1.6, 1.7]))
    assert 0.9 <= found.low < found.value == 1.0 < found.high <= 1.1


def test_an_interval_stops_at_the_ends_of_the_metric():
    found = interval(np.array([0.98, 0.9, 0.98, 1.06]), highest=1.0)
    assert found.high == 1.0


@given(
    values=st.lists(st.floats(-10, 10), min_size=1, max_size=12),
    seed=st.integers(0, 99),
)
@settings(max_examples=50, deadline=None)
def test_a_weighted_median_is_the_median_of_the_repeated_cells(values, seed):
    cells = np.array(values)
    weights = bootstrap_weights(len(cells), n_bootstrap=4, generator=np.random.default_rng(seed))
    expected = [np.median(np.repeat(cells, row.astype(int))) for row in weights]
    np.testing.assert_allclose(weighted_median(cells, weights), expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0], "at least 1 resample, got 0: raise n_bootstrap"),
        ([1.0, float("nan")], "a metric is nan in a resample: compare more cells"),
    ],
)
def test_an_interval_of_nothing_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        interval(np.array(values))

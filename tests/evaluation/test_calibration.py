"""Laws of calibration: parts that add up, a line that finds what was bent, bins that are as stated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from genailab.errors import InputError
from genailab.evaluation.calibration import (
    brier_decomposition,
    brier_score,
    calibration_line,
    expected_calibration_error,
    reliability_table,
)


def calibrated(n, seed, *, intercept=0.0, slope=1.0):
    """Probabilities, and labels that follow ``sigmoid(intercept + slope logit p)``."""
    generator = np.random.default_rng(seed)
    p = generator.uniform(0.02, 0.98, size=n)
    return (generator.random(n) < expit(intercept + slope * logit(p))).astype(int), p


@given(seed=st.integers(0, 999), n_bins=st.integers(1, 12), bins=st.sampled_from(["width", "count"]))
@settings(max_examples=40, deadline=None)
def test_the_parts_add_up_to_the_brier_score(seed, n_bins, bins):
    labels, p = calibrated(80, seed)
    parts = brier_decomposition(labels, p, n_bins=n_bins, bins=bins)
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bins
    assert total == pytest.approx(parts.brier)
    assert parts.brier == pytest.approx(brier_score_loss(labels, p))
    assert parts.brier == pytest.approx(brier_score(labels, p).item())
    assert min(parts.reliability, parts.resolution, parts.uncertainty) >= 0


def test_within_bins_is_nothing_where_each_bin_holds_one_value():
    labels = np.random.default_rng(0).integers(2, size=300)
    p = np.random.default_rng(1).choice([0.05, 0.55, 0.95], size=300)
    assert brier_decomposition(labels, p).within_bins == pytest.approx(0)


@given(seed=st.integers(0, 999), n_bins=st.integers(2, 12))
@settings(max_examples=25, deadline=None)
def test_bins_of_equal_width_are_sklearns(seed, n_bins):
    labels, p = calibrated(100, seed)
    table = reliability_table(labels, p, n_bins=n_bins)
    observed, predicted = calibration_curve(labels, p, n_bins=n_bins)
    np.testing.assert_allclose(table["observed"], observed)
    np.testing.assert_allclose(table["predicted"], predicted)
    assert table["n"].sum() == 100
    assert (table["low"] <= table["predicted"]).all()
    assert (table["predicted"] <= table["high"]).all()


@given(seed=st.integers(0, 999), bins=st.sampled_from(["width", "count"]))
@settings(max_examples=25, deadline=None)
def test_the_calibration_error_is_the_tables_mean_gap(seed, bins):
    labels, p = calibrated(100, seed)
    table = reliability_table(labels, p, bins=bins)
    expected = np.average(np.abs(table["observed"] - table["predicted"]), weights=table["n"])
    assert expected_calibration_error(labels, p, bins=bins).item() == pytest.approx(expected)


def test_bins_of_equal_count_hold_equal_numbers_and_keep_ties_together():
    labels, p = calibrated(1000, 0)
    assert set(reliability_table(labels, p, bins="count")["n"]) == {100}
    tied = np.repeat([0.1, 0.2, 0.9], [500, 20, 480])
    table = reliability_table(labels, tied, n_bins=4, bins="count")
    assert sorted(table["n"]) in ([480, 520], [20, 480, 500])


def test_edges_are_inside_the_upper_bin_and_one_in_the_last():
    table = reliability_table([0, 1, 0, 1], [0.29, 0.3, 0.7, 1.0], n_bins=10)
    assert table["low"].round(3).tolist() == [0.2, 0.3, 0.7, 0.9]


def test_intervals_of_the_observed_frequency_are_wilsons():
    labels, p = calibrated(500, 2)
    for row in reliability_table(labels, p).itertuples():
        expected = binomtest(round(row.observed * row.n), row.n).proportion_ci(method="wilson")
        assert (row.ci_low, row.ci_high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (0.7, 1.0), (0.0, 0.4), (-0.5, 2.0)])
def test_the_line_finds_how_the_probabilities_were_bent(intercept, slope):
    labels, p = calibrated(20_000, 3, intercept=intercept, slope=slope)
    line = calibration_line(labels, p)
    assert line.intercept == pytest.approx(intercept, abs=0.08)
    assert line.slope == pytest.approx(slope, rel=0.08)


@given(seed=st.integers(0, 999))
@settings(max_examples=20, deadline=None)
def test_the_line_is_the_maximum_of_sklearns_unpenalised_likelihood(seed):
    labels, p = calibrated(150, seed)
    line = calibration_line(labels, p)
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(p)[:, None], labels)
    assert line.slope == pytest.approx(fitted.coef_.item(), rel=1e-3, abs=1e-3)
    assert line.intercept == pytest.approx(fitted.intercept_.item(), rel=1e-3, abs=1e-3)


def test_overconfidence_has_a_slope_below_one_and_costs_reliability():
    labels, p = calibrated(5000, 4)
    sharper = expit(3 * logit(p))
    assert calibration_line(labels, sharper).slope == pytest.approx(
        calibration_line(labels, p).slope / 3, rel=1e-3
    )
    assert brier_decomposition(labels, sharper).reliability > 5 * brier_decomposition(labels, p).reliability
    assert expected_calibration_error(labels, sharper) > 3 * expected_calibration_error(labels, p)


def test_predicting_the_prevalence_is_reliable_and_resolves_nothing():
    labels = np.repeat([0, 1], [70, 30])
    parts = brier_decomposition(labels, np.full(100, 0.3))
    assert parts.reliability == pytest.approx(0)
    assert parts.resolution == pytest.approx(0)
    assert parts.brier == pytest.approx(parts.uncertainty) == pytest.approx(0.21)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibration_line([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]), "the calibration slope is infinite"),
        (lambda: calibration_line([0, 1], [0.5, 0.5]), "every probability is 0.5"),
        (lambda: reliability_table([0, 1], [0.1, 2.0]), r"is 2 in row 1, outside \[0, 1\]"),
        (lambda: reliability_table([0, 1], [0.1, 0.2], n_bins=0), "n_bins is 0"),
        (lambda: reliability_table([0, 1], [0.1, 0.2], bins="x"), "choose 'width' or 'count'"),
        (lambda: brier_score([0, 1], [0.1]), "1 predictions for 2 rows"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()

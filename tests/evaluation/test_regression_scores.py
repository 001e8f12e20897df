"""Laws of regression scores: scipy's and sklearn's values on the repeated rows of every resample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import r2_score, root_mean_squared_error

from genailab.errors import InputError
from genailab.evaluation.bootstrap import bootstrap_weights
from genailab.evaluation.regression import pearson, r2, rmse, spearman
from genailab.evaluation.sequences import score_regression


def rows(seed, n=50, *, levels=12):
    generator = np.random.default_rng(seed)
    measured = generator.integers(levels, size=n).astype(float) + np.arange(n) % 2
    return measured, (measured + generator.integers(levels, size=n)).round()


@given(seed=st.integers(0, 999), offset=st.sampled_from([0.0, 1e6]))
@settings(max_examples=40, deadline=None)
def test_every_resample_scores_as_its_repeated_rows_do_elsewhere(seed, offset):
    y, f = rows(seed)
    y, f = y + offset, f + offset
    weights = bootstrap_weights(50, n_bootstrap=3, generator=np.random.default_rng(seed))
    for draw, row in enumerate(weights.astype(int)):
        drawn, predicted = np.repeat(y, row), np.repeat(f, row)
        expected = (
            (r2, r2_score(drawn, predicted)),
            (rmse, root_mean_squared_error(drawn, predicted)),
            (pearson, stats.pearsonr(drawn, predicted).statistic),
            (spearman, stats.spearmanr(drawn, predicted).statistic),
        )
        for metric, value in expected:
            assert metric(y, f, weights)[draw] == pytest.approx(value, rel=1e-6, abs=1e-9)


@given(seed=st.integers(0, 999), scale=st.floats(0.1, 9), shift=st.floats(-9, 9))
@settings(max_examples=25, deadline=None)
def test_what_each_score_does_not_see(seed, scale, shift):
    y, f = rows(seed)
    np.testing.assert_allclose(pearson(y, scale * f + shift), pearson(y, f), atol=1e-9)
    np.testing.assert_allclose(spearman(y, np.exp(f / 5)), spearman(y, f))
    np.testing.assert_allclose(r2(scale * y + shift, scale * f + shift), r2(y, f), atol=1e-9)


def test_the_mean_explains_nothing_and_a_wrong_scale_is_worse():
    y = np.array([1.0, 2, 3, 6])
    assert r2(y, np.full(4, 3.0)).item() == 0
    assert r2(y, y).item() == 1
    assert r2(y, 10 * y).item() < 0
    assert pearson(y, 10 * y).item() == pytest.approx(1)


def test_a_resample_without_variation_is_undefined():
    weights = np.array([[1.0, 1, 1], [3, 0, 0]])
    for metric in (r2, pearson, spearman):
        assert np.isnan(metric([1, 2, 4], [1, 3, 2], weights)).tolist() == [False, True]


def test_models_are_scored_beside_their_baseline_on_the_same_rows():
    y, f = rows(0, n=200)
    found = score_regression(y, {"additive": f, "model": y}, baseline="additive")
    values = {(s.metric, s.subject): s for s in found}
    assert values["R2", "model"].value == 1
    assert values["R2", "model - additive"].ci_low > 0
    assert values["Spearman", "model - additive"].value == pytest.approx(
        1 - values["Spearman", "additive"].value
    )
    assert all(s.ci_low <= s.value <= s.ci_high for s in found)


@pytest.mark.parametrize(
    ("measured", "predicted", "message"),
    [
        ([1, 2, 3], [5, 5, 5], "every prediction is 5, so the Spearman correlation is undefined"),
        ([2, 2, 2], [1, 2, 3], "every measured value is 2, so the Spearman correlation is undefined"),
        ([1, 2, 3], [1, np.inf, 3], "the prediction is inf in row 1"),
        ([1, 2, np.nan], [1, 2, 3], "the measured value is nan in row 2"),
        ([1, 2, 3], [1, 2], "2 predictions for 3 rows"),
        ([1], [1], "there is 1 row"),
        ([[1, 2]], [1, 2], r"shape \(1, 2\)"),
    ],
)
def test_values_that_cannot_be_scored_are_refused(measured, predicted, message):
    with pytest.raises(InputError, match=message):
        spearman(measured, predicted)
    with pytest.raises(InputError):
        score_regression(measured, {"model": predicted})

"""Laws of ranking and class scores: sklearn's values, in the sample and in every resample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from genailab.errors import InputError
from genailab.evaluation.bootstrap import bootstrap_weights
from genailab.evaluation.classification import (
    accuracy,
    auprc,
    auroc,
    balanced_accuracy,
    confusion_matrix,
    prevalence,
)
from genailab.evaluation.resampling import resample, row_weights
from genailab.evaluation.sequence_metrics import SEQUENCE_METRICS
from genailab.evaluation.sequences import Bootstrap, score_binary, score_classes


def rows(seed, n=60, *, levels=8):
    """Labels of both classes and scores with many ties."""
    generator = np.random.default_rng(seed)
    labels = np.append([0, 1], generator.integers(2, size=n - 2))
    return labels, (generator.integers(levels, size=n) + labels) / (levels + 1)


@given(seed=st.integers(0, 999), levels=st.sampled_from([1, 3, 1000]))
@settings(max_examples=40, deadline=None)
def test_ranking_scores_agree_with_sklearn_in_every_resample(seed, levels):
    labels, scores = rows(seed, levels=levels)
    weights = bootstrap_weights(60, n_bootstrap=3, generator=np.random.default_rng(seed))
    for ours, theirs in (
        (auroc, sklearn_metrics.roc_auc_score),
        (auprc, sklearn_metrics.average_precision_score),
    ):
        expected = [theirs(labels, scores, sample_weight=row) for row in weights]
        np.testing.assert_allclose(ours(labels, scores, weights), expected, atol=1e-12)


@given(seed=st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_ranking_scores_know_only_the_order_and_turn_round_with_the_sign(seed):
    labels, scores = rows(seed)
    for metric in (auroc, auprc):
        np.testing.assert_allclose(metric(labels, np.exp(3 * scores)), metric(labels, scores))
    np.testing.assert_allclose(auroc(labels, -scores), 1 - auroc(labels, scores))
    np.testing.assert_allclose(auroc(1 - labels, scores), 1 - auroc(labels, scores))


def test_guessing_scores_one_half_and_the_prevalence():
    labels = np.repeat([0, 1], [90, 10])
    assert auroc(labels, np.zeros(100)).item() == 0.5
    assert auprc(labels, np.zeros(100)).item() == prevalence(labels).item() == 0.1


@given(seed=st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_class_scores_agree_with_sklearn_in_every_resample(seed):
    generator = np.random.default_rng(seed)
    labels = np.append([0, 1, 2], generator.integers(3, size=57))
    called = np.where(generator.random(60) < 0.6, labels, generator.integers(3, size=60))
    weights = bootstrap_weights(60, n_bootstrap=3, generator=generator)
    for ours, theirs in (
        (accuracy, sklearn_metrics.accuracy_score),
        (balanced_accuracy, sklearn_metrics.balanced_accuracy_score),
    ):
        expected = [theirs(labels, called, sample_weight=row) for row in weights]
        np.testing.assert_allclose(ours(labels, called, weights), expected)
    matrix = confusion_matrix(labels, called, n_classes=3)
    assert np.array_equal(matrix, sklearn_metrics.confusion_matrix(labels, called))


def test_a_resample_of_one_class_is_undefined_not_a_number():
    weights = np.array([[1.0, 1, 1], [2, 1, 0]])
    assert np.isnan(auroc([0, 0, 1], [0.1, 0.2, 0.3], weights)).tolist() == [False, True]
    assert np.isnan(auprc([0, 0, 1], [0.1, 0.2, 0.3], weights)).tolist() == [False, True]


def test_groups_are_drawn_whole():
    groups = np.array([0, 0, 0, 1, 2, 2])
    weights = row_weights(6, n_bootstrap=200, generator=np.random.default_rng(0), groups=groups)
    for group in range(3):
        assert (weights[:, groups == group] == weights[:, groups == group][:, :1]).all()
    assert (weights[:, [0, 3, 4]].sum(axis=1) == 3).all()
    assert (weights[0] == 1).all()


def test_a_group_of_copies_is_one_draw_so_its_interval_is_that_of_the_groups():
    # The same 40 proteins, each row repeated 25 times: 1,000 rows say no more than 40.
    labels, scores = rows(3, n=40)
    groups = np.repeat(np.arange(40), 25)
    once = score_binary(labels, {"m": scores}, bootstrap=Bootstrap(n_bootstrap=2000))[0]
    fooled = score_binary(np.repeat(labels, 25), {"m": np.repeat(scores, 25)})[0]
    honest = score_binary(
        np.repeat(labels, 25),
        {"m": np.repeat(scores, 25)},
        bootstrap=Bootstrap(n_bootstrap=2000, groups=groups),
    )[0]
    assert once.value == pytest.approx(honest.value)
    assert honest.ci_high - honest.ci_low == pytest.approx(once.ci_high - once.ci_low, rel=0.1)
    assert (fooled.ci_high - fooled.ci_low) < 0.3 * (once.ci_high - once.ci_low)


def test_resamples_do_not_depend_on_which_statistics_are_asked_for():
    found = resample([lambda w: w[:, 0], lambda w: w.sum(axis=1)], 5, n_bootstrap=30, seed=1)
    alone = resample([lambda w: w[:, 0]], 5, n_bootstrap=30, seed=1)
    assert found.shape == (2, 31)
    assert np.array_equal(found[0], alone[0])
    assert (found[1] == 5).all()


def test_a_paired_difference_is_surer_than_two_intervals():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    shared = generator.standard_normal(400) + labels
    better = 1 / (1 + np.exp(-(shared + 0.3 * labels)))
    scores = score_binary(labels, {"base": 1 / (1 + np.exp(-shared)), "model": better}, baseline="base")
    found = {(s.metric, s.subject): s for s in scores}
    difference = found["AUROC", "model - base"]
    assert difference.value == pytest.approx(found["AUROC", "model"].value - found["AUROC", "base"].value)
    assert difference.ci_low > 0
    assert found["AUROC", "model"].ci_low < found["AUROC", "base"].ci_high
    assert difference.ci_high - difference.ci_low < 0.5 * (
        found["AUROC", "model"].ci_high - found["AUROC", "model"].ci_low
    )


def test_the_same_predictions_differ_by_nothing():
    labels, scores = rows(0)
    found = score_binary(labels, {"a": scores, "b": scores}, baseline="a")
    differences = [score for score in found if score.subject == "b - a"]
    assert len(differences) == 4
    assert {(s.value, s.ci_low, s.ci_high) for s in differences} == {(0.0, 0.0, 0.0)}


def test_the_prevalence_stands_beside_the_scores_and_every_metric_says_which_way_is_better():
    labels, scores = rows(1)
    found = score_binary(labels, {"model": scores})
    guessing = next(s for s in found if s.subject == "guessing")
    assert (guessing.metric, guessing.value) == ("AUPRC", pytest.approx(labels.mean()))
    assert f"prevalence {labels.mean():.3g}" in found[0].space
    assert all(s.better == SEQUENCE_METRICS[s.metric].better for s in found)
    assert all(s.ci_low <= s.value <= s.ci_high for s in found)
    assert found == score_binary(labels, {"model": scores})


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    # Scores N(0, 1) and N(1, 1): AUROC = Phi(1 / sqrt 2) = 0.7602.
    generator = np.random.default_rng(1)
    labels = np.repeat([0, 1], 60)
    covered = 0
    for _ in range(150):
        scores = generator.standard_normal(120) + labels
        found = score_binary(labels, {"m": 1 / (1 + np.exp(-scores))}, bootstrap=Bootstrap(n_bootstrap=200))[
            0
        ]
        covered += found.ci_low <= 0.7602 <= found.ci_high
    assert 0.88 <= covered / 150 <= 0.99


def test_classes_are_scored_beside_their_baseline():
    labels = [0, 1, 2] * 20
    found = score_classes(labels, {"model": labels, "majority": [0] * 60}, baseline="majority")
    values = {(s.metric, s.subject): s.value for s in found}
    assert values["accuracy", "model - majority"] == pytest.approx(2 / 3)
    assert "60 sequences of 3 classes" in found[0].space


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([1, 1, 1], [0.1, 0.2, 0.3], "all 3 rows have label 1"),
        ([0, 1, 2], [0.1, 0.2, 0.3], "the label of row 2 is 2: labels are 0 or 1"),
        ([0, 1, 1], [0.1, np.nan, 0.3], "the probability by 'm' is nan in row 1"),
        ([0, 1, 1], [0.1, 0.2, 1.3], r"the probability by 'm' is 1.3 in row 2, outside \[0, 1\]"),
        ([0, 1, 1], [0.1, -2.0, 0.3], "pass logits through a sigmoid"),
        ([0, 1, 1], [0.1, 0.2], "'m' has 2 predictions for 3 rows"),
        ([0, np.nan, 1], [0.1, 0.2, 0.3], "the label is nan in row 1"),
        ([], [], "at least one row"),
    ],
)
def test_predictions_that_cannot_be_scored_are_refused(labels, probabilities, message):
    with pytest.raises(InputError, match=message):
        score_binary(labels, {"m": probabilities})


def test_settings_that_cannot_be_are_refused():
    labels, scores = rows(2)
    with pytest.raises(InputError, match=r"baseline 'kmer' is not among the subjects: did you mean 'kmers'"):
        score_binary(labels, {"kmers": scores}, baseline="kmer")
    with pytest.raises(InputError, match="no predictions to score"):
        score_binary(labels, {})
    with pytest.raises(InputError, match="all rows are of one group \\('chr1'\\)"):
        score_binary(labels, {"m": scores}, bootstrap=Bootstrap(groups=["chr1"] * 60))
    with pytest.raises(InputError, match="there are 59 groups for 60 rows"):
        score_binary(labels, {"m": scores}, bootstrap=Bootstrap(groups=["chr1"] * 59))
    with pytest.raises(InputError, match="n_bootstrap is 0"):
        score_binary(labels, {"m": scores}, bootstrap=Bootstrap(n_bootstrap=0))
    with pytest.raises(InputError, match=r"AUROC of m is undefined in \d+% of the resamples"):
        score_binary([0, 1, 1], {"m": [0.1, 0.2, 0.3]})
    with pytest.raises(InputError, match="the prediction of row 1 is class 3, but there are 3 classes"):
        confusion_matrix([0, 1], [0, 3], n_classes=3)

"""Laws of the metric registry: one meaning a name, and badness that grows away from the best."""

import math

import pytest

from genailab.errors import InputError
from genailab.evaluation.metrics import METRICS, metric_named
from genailab.evaluation.scores import Score


def test_names_are_unique_and_every_metric_is_explained():
    assert len({metric.name for metric in METRICS}) == len(METRICS) == 13
    assert all(len(metric.meaning) > 30 and not metric.meaning.endswith(".") for metric in METRICS)
    assert {metric.better for metric in METRICS} == {"lower", "higher", "0.5", "1"}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("MMD", -0.01, 0.3),
        ("recall", 0.9, 0.2),
        ("discriminator AUROC", 0.55, 0.9),
        ("discriminator AUROC", 0.45, 0.2),
        ("nearest-training-cell ratio", 1.1, 0.3),
        ("nearest-training-cell ratio", 0.9, 1.4),
    ],
)
def test_a_worse_value_is_farther_from_the_best(name, good, bad):
    assert metric_named(name).badness(good) < metric_named(name).badness(bad)


def test_the_ideal_value_has_no_badness():
    ideal = [metric for metric in METRICS if math.isfinite(metric.best)]
    assert [metric.badness(metric.best) for metric in ideal] == [0.0, 0.0]


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="there is no metric 'recal': did you mean 'recall'"):
        metric_named("recal")


def test_a_score_is_written_with_all_that_is_needed_to_read_it():
    score = Score(
        metric="MMD", subject="ceiling", value=0.1, ci_low=0.0, ci_high=0.2, better="lower", space="s", n=9
    )
    assert set(score.as_dict()) == {"metric", "subject", "value", "ci_low", "ci_high", "better", "space", "n"}

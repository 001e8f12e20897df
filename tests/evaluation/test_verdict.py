"""Laws of the verdict: it favours nobody, and says so when the simple baseline wins."""

import pytest

from genailab.errors import InputError
from genailab.evaluation.metrics import metric_named
from genailab.evaluation.scores import Score
from genailab.evaluation.verdict import contest, verdict

METRIC_NAMES = ("MMD", "recall", "discriminator AUROC")


def score(metric, subject, value, half=0.02):
    return Score(
        metric=metric,
        subject=subject,
        value=value,
        ci_low=value - half,
        ci_high=value + half,
        better=metric_named(metric).better,
        space="",
        n=100,
    )


def scores(subject, mmd, recall, auroc):
    return [
        score(name, subject, value) for name, value in zip(METRIC_NAMES, (mmd, recall, auroc), strict=True)
    ]


GOOD, MIDDLING, BAD = (0.1, 0.9, 0.55), (0.3, 0.6, 0.7), (0.8, 0.3, 0.95)
REAL = scores("ceiling", 0.0, 0.97, 0.5)


def test_a_contest_is_mirrored_when_the_subjects_are_swapped():
    table = scores("a", *GOOD) + scores("b", *BAD)
    one, other = contest(table, model="a", against="b"), contest(table, model="b", against="a")
    assert one.better == other.worse == METRIC_NAMES
    assert one.worse == other.better == ()


def test_a_difference_within_the_intervals_is_a_tie():
    table = [score("MMD", "a", 0.10, half=0.03), score("MMD", "b", 0.13, half=0.03)]
    assert contest(table, model="a", against="b").even == ("MMD",)
    table = [score("MMD", "a", 0.10, half=0.03), score("MMD", "b", 0.15, half=0.03)]
    assert contest(table, model="a", against="b").better == ("MMD",)


def test_an_area_on_the_other_side_of_guessing_is_as_good():
    table = [score("discriminator AUROC", "a", 0.46), score("discriminator AUROC", "b", 0.54)]
    assert contest(table, model="a", against="b").even == ("discriminator AUROC",)


def test_passing_the_ceiling_is_no_advantage():
    # Baselines make cells more typical than real ones, which a classifier recognises too well.
    real = score("classifier agreement", "ceiling", 0.65)
    mine, typical = score("classifier agreement", "a", 0.66), score("classifier agreement", "b", 0.99)
    assert contest([real, mine, typical], model="a", against="b").even == ("classifier agreement",)
    assert contest([mine, typical], model="a", against="b").worse == ("classifier agreement",)


def test_a_winning_model_is_said_to_win():
    text = verdict(scores("latent diffusion", *GOOD) + scores("independent NB", *BAD) + REAL)
    assert text.startswith("Latent diffusion beats independent NB")
    assert "better on 3 of 3 metrics, even on 0, worse on none" in text
    assert "AUROC of 0.55 (real cells 0.50, ideal 0.50)" in text


def test_a_winning_baseline_is_named_first():
    table = scores("latent diffusion", *MIDDLING) + scores("Gaussian copula", *GOOD)
    text = verdict([*table, *scores("independent NB", *BAD), *REAL])
    assert text.startswith("Latent diffusion loses to Gaussian copula and beats independent NB")
    assert "worse on 3 (MMD, recall, discriminator AUROC)" in text


def test_equal_scores_are_level():
    text = verdict(scores("latent diffusion", *GOOD) + scores("VAE prior", *GOOD))
    assert "is level with VAE prior" in text
    assert "even on 3" in text


def test_the_order_of_the_scores_does_not_matter():
    table = scores("latent diffusion", *GOOD) + scores("independent NB", *BAD) + REAL
    assert verdict(table) == verdict(table[::-1])


def test_no_scores_no_verdict():
    with pytest.raises(InputError, match="'latent diffusion' has no scores"):
        verdict(scores("independent NB", *BAD))
    with pytest.raises(InputError, match="score a baseline or the ceiling too"):
        verdict(scores("latent diffusion", *GOOD))

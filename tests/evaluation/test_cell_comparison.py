"""Laws of the whole comparison: real cells look real, wrong cells look wrong, and seeds decide."""

from dataclasses import replace

import numpy as np
import pytest

from genailab.data import load_pbmc, split_cells
from genailab.errors import InputError
from genailab.evaluation.baselines import GaussianCopula, IndependentNB
from genailab.evaluation.cells import CellComparison, compare
from genailab.evaluation.metrics import METRICS
from genailab.evaluation.options import ComparisonOptions

QUICK = ComparisonOptions(n_components=8, n_trees=20, n_bootstrap=40)


@pytest.fixture(scope="module")
def sets(make_cells):
    sizes = {"train": 240, "real": 120, "fresh": 120}
    return {name: make_cells(n, seed=seed) for seed, (name, n) in enumerate(sizes.items())}


@pytest.fixture(scope="module")
def comparison(sets):
    return CellComparison.fit(sets["real"], train=sets["train"], options=QUICK)


def values(scores):
    return {score.metric: score.value for score in scores}


def test_every_metric_is_scored_with_an_interval_and_a_space(comparison, sets):
    scores = comparison.compare(sets["fresh"], subject="fresh")
    assert [score.metric for score in scores] == [metric.name for metric in METRICS]
    for score in scores:
        assert score.ci_low <= score.value <= score.ci_high
        assert score.n == 120
        assert "cells" in score.space


def test_fresh_real_cells_score_as_the_ceiling_does(comparison, sets):
    # What makes the ceiling honest: it is not worse than what fresh cells of the same kind reach.
    fresh = values(comparison.compare(sets["fresh"], subject="fresh"))
    ceiling = values(comparison.ceiling())
    tolerance = {"energy distance": 0.15, "sliced Wasserstein": 0.1, "discriminator AUROC": 0.12}
    for metric in fresh:
        assert fresh[metric] == pytest.approx(ceiling[metric], abs=tolerance.get(metric, 0.1)), metric


def test_the_ceiling_is_not_told_from_the_held_out_cells(make_cells):
    # Components fitted on the ceiling's own cells would give about 0.9 with so many genes and so few cells.
    found = []
    for seed in range(4):
        train, real = (make_cells(n, seed=10 * seed + n, n_genes=300) for n in (120, 60))
        found.append(values(CellComparison.fit(real, train=train, options=QUICK, seed=seed).ceiling()))
    assert np.mean([each["discriminator AUROC"] for each in found]) == pytest.approx(0.5, abs=0.1)
    assert np.mean([each["nearest-training-cell ratio"] for each in found]) == pytest.approx(1.0, abs=0.1)


def test_cells_of_swapped_types_agree_with_nothing(comparison, sets):
    fresh = sets["fresh"]
    labels = fresh.labels.rename_categories({"A": "B", "B": "C", "C": "A"})
    swapped = replace(fresh, covariates={"type": labels})
    assert values(comparison.compare(swapped, subject="swapped"))["classifier agreement"] < 0.1


def test_copies_of_training_cells_are_found_out(comparison, sets):
    copies = values(comparison.compare(sets["train"].subset(comparison.ceiling_rows), subject="copies"))
    assert copies["nearest-training-cell ratio"] == pytest.approx(0.0, abs=1e-3)


def test_few_cells_repeated_cover_little_and_are_told_apart(comparison, sets, make_dataset):
    fresh, rows = sets["fresh"], np.arange(0, 120, 20).repeat(20)
    repeated = make_dataset(fresh.counts[rows].toarray(), np.asarray(fresh.labels)[rows])
    collapsed = values(comparison.compare(repeated, subject="collapsed"))
    assert collapsed["coverage"] < 0.35
    assert collapsed["discriminator AUROC"] > 0.9


def test_a_worse_generator_is_worse_on_every_distance(comparison, sets, make_dataset):
    noise = np.random.default_rng(0).poisson(sets["train"].counts.mean(), size=(120, 40))
    bad = comparison.compare(make_dataset(noise, sets["real"].labels), subject="noise")
    good = values(comparison.compare(sets["fresh"], subject="fresh"))
    for score in bad:
        if score.better == "lower":
            assert score.ci_low > good[score.metric]
    assert values(bad)["discriminator AUROC"] > 0.95


def test_the_same_seed_gives_the_same_scores_and_subjects_do_not_disturb_each_other(comparison, sets):
    first = comparison.compare(sets["fresh"], subject="fresh")
    comparison.ceiling()
    assert comparison.compare(sets["fresh"], subject="fresh") == first


def test_compare_in_one_call_is_the_same(sets):
    scores = compare(sets["real"], sets["fresh"], train=sets["train"], subject="fresh", n_bootstrap=10)
    options = ComparisonOptions(n_bootstrap=10)
    again = CellComparison.fit(sets["real"], train=sets["train"], options=options)
    assert again.compare(sets["fresh"], subject="fresh") == scores


def test_more_cells_than_allowed_are_subsampled_and_it_is_said(sets):
    options = replace(QUICK, max_cells=50)
    comparison = CellComparison.fit(sets["real"], train=sets["train"], options=options)
    scores = comparison.compare(sets["fresh"], subject="fresh")
    assert {score.n for score in scores} == {50}
    assert "50 of 120 held-out and 50 of 120 generated cells" in scores[0].space


def test_cells_without_types_are_compared_without_agreement(sets):
    bare = {name: replace(cells, label_key=None, covariates={}) for name, cells in sets.items()}
    comparison = CellComparison.fit(bare["real"], train=bare["train"], options=QUICK)
    names = [score.metric for score in comparison.compare(bare["fresh"], subject="x", agreement=False)]
    assert "classifier agreement" not in names
    assert len(names) == 12
    assert len(comparison.ceiling()) == 12
    with pytest.raises(
        InputError, match="the cells of 'x' carry no types to agree with: pass agreement=False"
    ):
        comparison.compare(bare["fresh"], subject="x")


def test_too_few_generated_cells_are_refused(comparison, sets):
    with pytest.raises(InputError, match="there are 5 generated cells, but at least 6 are compared"):
        comparison.compare(sets["fresh"].subset(np.arange(5)), subject="few")


@pytest.mark.filterwarnings("ignore:8 of 700 cells")
def test_on_real_pbmc_the_ceiling_is_above_the_copula_and_the_copula_above_independence():
    cells = load_pbmc()
    split = split_cells(cells)
    train, real = cells.subset(split.train), cells.subset(split.test)
    comparison = CellComparison.fit(real, train=train, options=replace(QUICK, n_components=30))
    labels, generator = list(real.labels), np.random.default_rng(0)
    independent, copula = (
        values(comparison.compare(baseline.fit(train).sample(labels, generator), subject="baseline"))
        for baseline in (IndependentNB, GaussianCopula)
    )
    ceiling = values(comparison.ceiling())
    assert ceiling["discriminator AUROC"] == pytest.approx(0.5, abs=0.08)
    for metric in ("energy distance", "sliced Wasserstein", "discriminator AUROC"):
        assert ceiling[metric] < copula[metric] < independent[metric]
    assert independent["recall"] < copula["recall"] < ceiling["recall"]

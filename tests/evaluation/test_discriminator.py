"""Laws of the discriminator: guessing where nothing differs, certain where all does."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from genailab.errors import InputError
from genailab.evaluation.bootstrap import Weights, bootstrap_weights
from genailab.evaluation.discriminator import auroc, out_of_fold_scores, stratified_folds


def score(real, generated, **options):
    return auroc(*out_of_fold_scores(real, generated, n_trees=10, **options)).item()


def mixture(seed, shift=0.0):
    """As many cells of each of five types as in every other draw: what a conditional model is asked for."""
    generator = np.random.default_rng(seed)
    types = np.repeat(np.arange(5), [30, 15, 8, 4, 3])
    centres = np.random.default_rng(0).normal(scale=6.0, size=(5, 4))
    return centres[types] + generator.standard_normal((len(types), 4)) + shift, types


def test_guesses_when_the_distributions_agree_and_types_are_matched():
    draws = []
    for seed in range(16):
        (real, types), (generated, _) = mixture(seed), mixture(seed + 100)
        draws.append(score(real, generated, real_types=types, generated_types=types, seed=seed))
    assert np.mean(draws) == pytest.approx(0.5, abs=4 * np.std(draws) / 4)
    assert np.std(draws) < 0.12


def test_is_certain_when_the_distributions_are_apart():
    (real, _), (generated, _) = mixture(0), mixture(1, shift=30.0)
    assert score(real, generated) > 0.99


def test_unequal_numbers_do_not_look_like_a_difference():
    generator = np.random.default_rng(0)
    draws = [
        score(generator.standard_normal((60, 3)), generator.standard_normal((20, 3)), seed=seed)
        for seed in range(16)
    ]
    assert np.mean(draws) == pytest.approx(0.5, abs=4 * np.std(draws) / 4)


def test_the_same_seed_gives_the_same_scores():
    (real, _), (generated, _) = mixture(0), mixture(1)
    first, again = (out_of_fold_scores(real, generated, n_trees=5, seed=3) for _ in range(2))
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(again))


def test_area_agrees_with_sklearn_ties_and_weights_included():
    generator = np.random.default_rng(0)
    real, generated = generator.integers(0, 6, 30) / 6, generator.integers(1, 7, 20) / 6
    both = [bootstrap_weights(n, n_bootstrap=5, generator=generator) for n in (30, 20)]
    got = auroc(real, generated, Weights(real=both[0], generated=both[1]))
    truth = np.repeat([0, 1], [30, 20])
    for draw in range(6):
        weight = np.concatenate([both[0][draw], both[1][draw]])
        expected = roc_auc_score(truth, np.concatenate([real, generated]), sample_weight=weight)
        assert got[draw] == pytest.approx(expected)


def test_swapping_the_origins_mirrors_the_area():
    generator = np.random.default_rng(1)
    x, y = generator.random(15), generator.random(12)
    assert auroc(x, y).item() == pytest.approx(1 - auroc(y, x).item())


def test_folds_spread_every_type_evenly():
    types = np.random.default_rng(0).integers(0, 4, size=103)
    folds = stratified_folds(types, n_folds=5, generator=np.random.default_rng(1))
    assert np.ptp(np.bincount(folds, minlength=5)) <= 1
    for code in range(4):
        assert np.ptp(np.bincount(folds[types == code], minlength=5)) <= 1


def test_fewer_cells_than_folds_are_refused():
    with pytest.raises(InputError, match="5 folds need at least 5 cells of each origin, got 9 real and 4"):
        score(np.zeros((9, 2)), np.zeros((4, 2)))

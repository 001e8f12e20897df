"""Laws of the negative binomial fit: it finds planted parameters and agrees with scipy."""

import numpy as np
from scipy.stats import nbinom, poisson

from genailab.evaluation.baselines.negative_binomial import (
    DISPERSIONS,
    NegativeBinomial,
    dispersion_profile,
    fit_negative_binomials,
)

PROPORTIONS = np.array([0.5, 0.3, 0.15, 0.05])
PLANTED = np.array([0.0, 0.1, 0.5, 2.0])


def cells(n, seed, dispersions=PLANTED):
    generator = np.random.default_rng(seed)
    library = generator.integers(50, 200, size=n).astype(float)
    marginal = NegativeBinomial(proportions=PROPORTIONS, dispersions=dispersions)
    return marginal.quantile(generator.random((n, 4)), library), library


def test_planted_proportions_and_dispersions_are_found():
    (fitted,) = fit_negative_binomials([cells(4000, 0)[0]], prior_cells=0, pooled_cells=0)
    np.testing.assert_allclose(fitted.proportions, PROPORTIONS, rtol=0.05)
    # The library is itself the sum of the four genes here, which takes some dispersion from the largest.
    np.testing.assert_allclose(fitted.dispersions[2:], PLANTED[2:], rtol=0.45)


def test_sampled_counts_have_the_mean_and_variance_of_the_model():
    library = np.full(40_000, 100.0)
    marginal = NegativeBinomial(proportions=PROPORTIONS, dispersions=PLANTED)
    counts = marginal.quantile(np.random.default_rng(0).random((40_000, 4)), library)
    mean = 100 * PROPORTIONS
    np.testing.assert_allclose(counts.mean(axis=0), mean, rtol=0.03)
    np.testing.assert_allclose(counts.var(axis=0), mean + PLANTED * mean**2, rtol=0.08)


def test_the_profile_agrees_with_scipy_up_to_the_same_constant():
    counts, library = cells(30, 1)[0], None
    library = counts.sum(axis=1)
    mean = np.outer(library, PROPORTIONS)
    profile = dispersion_profile(counts, PROPORTIONS)
    exact = [poisson.logpmf(counts, mean).sum(axis=0)]
    exact += [nbinom.logpmf(counts, 1 / a, 1 / (1 + a * mean)).sum(axis=0) for a in DISPERSIONS[1:]]
    np.testing.assert_allclose(profile - profile[0], np.array(exact) - exact[0], rtol=1e-7, atol=1e-7)


def test_quantile_and_cumulative_undo_each_other():
    counts, library = cells(50, 2)
    marginal = NegativeBinomial(proportions=PROPORTIONS, dispersions=PLANTED)
    fewer, at_most = marginal.cumulative(counts, library)
    np.testing.assert_array_equal(marginal.quantile((fewer + at_most) / 2, library), counts)
    assert (fewer < at_most).all()


def test_poisson_counts_are_given_little_dispersion():
    counts = np.random.default_rng(0).poisson(5.0, size=(500, 30)).astype(float)
    (fitted,) = fit_negative_binomials([counts])
    assert np.median(fitted.dispersions) <= 0.002
    assert fitted.dispersions.max() < 0.05


def test_a_group_of_few_cells_borrows_its_dispersion_and_no_gene_is_impossible():
    many, few = cells(1000, 0)[0], cells(2, 1)[0]
    few[:, 3] = 0
    small = fit_negative_binomials([many, few])[1]
    assert small.proportions[3] > 0
    np.testing.assert_allclose(small.proportions.sum(), 1.0)


def test_the_shrunk_dispersions_of_few_cells_are_nearer_to_the_truth():
    marginal = NegativeBinomial(proportions=np.full(200, 1 / 200), dispersions=np.full(200, 0.5))
    generator = np.random.default_rng(0)
    many, few = (marginal.quantile(generator.random((n, 200)), np.full(n, 1000.0)) for n in (300, 4))
    shrunk = fit_negative_binomials([many, few])[1].dispersions
    alone = fit_negative_binomials([many, few], prior_cells=0)[1].dispersions
    assert np.abs(shrunk - 0.5).mean() < 0.6 * np.abs(alone - 0.5).mean()

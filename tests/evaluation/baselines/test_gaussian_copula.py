"""Laws of the Gaussian copula: the marginals of independence, and the correlation that it lacks."""

import numpy as np
import pytest

from genailab.evaluation.baselines import GaussianCopula, IndependentNB
from genailab.evaluation.baselines.gaussian_copula import LatentCorrelation, normal_scores
from genailab.evaluation.baselines.negative_binomial import NegativeBinomial


def within_programme(cells):
    """Mean correlation between the ten genes that were moved together, within type A."""
    counts = np.log1p(cells.counts[np.asarray(cells.labels) == "A"].toarray()[:, :10])
    return np.corrcoef(counts.T)[np.triu_indices(10, k=1)].mean()


def test_finds_planted_correlation_where_independence_does_not(make_cells):
    train, held_out = make_cells(600, seed=0, programme=0.6), make_cells(600, seed=1, programme=0.6)
    labels, generator = list(held_out.labels), np.random.default_rng(0)
    truth = within_programme(held_out)
    copula = within_programme(GaussianCopula.fit(train).sample(labels, generator))
    independent = within_programme(IndependentNB.fit(train).sample(labels, generator))
    assert truth > 0.3
    assert copula > truth - 0.15
    assert abs(independent) < 0.1


def test_its_marginals_are_those_of_independence(make_cells):
    copula = GaussianCopula.fit(make_cells(300, seed=0, programme=0.6))
    labels = ["A"] * 4000
    one = copula.sample(labels, np.random.default_rng(0)).counts.toarray()
    other = copula.marginals.sample(labels, np.random.default_rng(1)).counts.toarray()
    np.testing.assert_allclose(one.mean(axis=0), other.mean(axis=0), rtol=0.1, atol=0.1)
    np.testing.assert_allclose(one.std(axis=0), other.std(axis=0), rtol=0.15, atol=0.1)


def test_latent_samples_are_standard_normals_with_the_shrunk_correlation():
    scores = np.random.default_rng(0).multivariate_normal(
        [0, 0, 0], [[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1]], 300
    )
    latent = LatentCorrelation.fit(scores)
    sampled = latent.sample(40_000, np.random.default_rng(1))
    np.testing.assert_allclose(sampled.std(axis=0), 1.0, atol=0.02)
    covariance = (1 - latent.shrinkage) * np.cov(scores.T, ddof=0)
    covariance += latent.shrinkage * np.trace(np.cov(scores.T, ddof=0)) / 3 * np.eye(3)
    scale = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(np.corrcoef(sampled.T), covariance / np.outer(scale, scale), atol=0.02)


@pytest.mark.parametrize("scores", [np.ones((1, 4)), np.zeros((5, 4))])
def test_where_nothing_varies_genes_are_independent(scores):
    sampled = LatentCorrelation.fit(scores).sample(20_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.cov(sampled.T), np.eye(4), atol=0.05)


def test_noise_is_shrunk_towards_independence():
    noise = np.random.default_rng(0).standard_normal((20, 200))
    assert LatentCorrelation.fit(noise).shrinkage > 0.8


def test_scores_are_standard_normal_where_counts_are_high_and_follow_the_counts():
    marginal = NegativeBinomial(proportions=np.full(100, 0.01), dispersions=np.full(100, 0.2))
    counts = marginal.quantile(np.random.default_rng(0).random((2000, 100)), np.full(2000, 5000.0))
    scores = normal_scores(counts, marginal)
    assert scores.mean() == pytest.approx(0.0, abs=0.02)
    assert scores.std() == pytest.approx(1.0, abs=0.03)
    gene = np.argsort(counts[0])
    assert (np.diff(scores[0, gene]) >= 0).all()


def test_a_type_with_one_cell_works(make_dataset):
    counts = np.vstack([np.random.default_rng(0).poisson(3, (20, 5)) + 1, [[1, 2, 3, 4, 5]]])
    copula = GaussianCopula.fit(make_dataset(counts, ["A"] * 20 + ["B"]))
    sampled = copula.sample(["B", "A", "B"], np.random.default_rng(0))
    assert list(sampled.labels) == ["B", "A", "B"]
    assert np.isfinite(sampled.counts.data).all()

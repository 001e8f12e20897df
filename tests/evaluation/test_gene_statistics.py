"""Laws of gene statistics and their correlation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.evaluation.bootstrap import bootstrap_weights
from genailab.evaluation.gene_statistics import gene_statistics, row_correlation


def expression(n, genes, seed):
    return np.log1p(np.random.default_rng(seed).poisson(1.5, size=(n, genes)).astype(np.float32))


@given(n=st.integers(2, 20), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_every_resample_has_the_statistics_of_its_repeated_cells(n, seed):
    cells = expression(n, 4, seed)
    weights = bootstrap_weights(n, n_bootstrap=3, generator=np.random.default_rng(seed))
    got = gene_statistics(cells, weights)
    for draw, row in enumerate(weights):
        repeated = np.repeat(cells, row.astype(int), axis=0).astype(float)
        np.testing.assert_allclose(got["gene mean"][draw], repeated.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(got["gene variance"][draw], repeated.var(axis=0, ddof=1), atol=1e-6)
        np.testing.assert_allclose(got["zero fraction"][draw], (repeated == 0).mean(axis=0), atol=1e-6)


def test_correlation_agrees_with_numpy():
    x, y = (np.random.default_rng(seed).normal(size=(3, 50)) for seed in (0, 1))
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(row_correlation(x, y), expected)


def test_correlation_is_1_for_the_same_genes_and_ignores_scale():
    x = np.random.default_rng(0).normal(size=(1, 30))
    assert row_correlation(x, 3 * x + 2).item() == pytest.approx(1.0)
    assert row_correlation(x, -x).item() == pytest.approx(-1.0)


def test_genes_that_do_not_vary_explain_nothing():
    assert row_correlation(np.ones((1, 5)), np.arange(5.0)[None]).item() == 0.0

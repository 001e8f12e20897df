"""Laws of the space that cells are compared in."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from genailab.errors import InputError
from genailab.evaluation.space import CellSpace


def test_normalising_undoes_sequencing_depth(make_dataset):
    counts = np.random.default_rng(0).poisson(3.0, size=(20, 8)) + 1
    space = CellSpace.fit(make_dataset(counts), n_components=3)
    deeper = space.expression(make_dataset(counts * 7))
    np.testing.assert_allclose(deeper, space.expression(make_dataset(counts)), rtol=1e-5)


def test_expression_adds_up_to_the_median_library(make_dataset):
    counts = np.random.default_rng(0).poisson(3.0, size=(21, 8)) + 1
    space = CellSpace.fit(make_dataset(counts))
    totals = np.expm1(space.expression(make_dataset(counts))).sum(axis=1)
    np.testing.assert_allclose(totals, np.median(counts.sum(axis=1)), rtol=1e-5)


def test_projection_is_sklearns_pca(make_cells):
    cells = make_cells(60, seed=0)
    space = CellSpace.fit(cells, n_components=5)
    expression = space.expression(cells)
    expected = PCA(5, random_state=0).fit_transform(expression)
    np.testing.assert_allclose(space.project(expression), expected, atol=1e-3)


def test_blocks_do_not_change_the_points(make_cells):
    cells = make_cells(50, seed=0)
    space = CellSpace.fit(cells, n_components=5)
    np.testing.assert_allclose(space.points(cells, block=7), space.view(cells).points, atol=1e-5)


def test_a_cell_without_counts_is_seen_and_finite(make_cells, make_dataset):
    space = CellSpace.fit(make_cells(40, seed=0), n_components=4)
    assert np.isfinite(space.view(make_dataset(np.zeros((2, 40)))).points).all()


def test_fewer_cells_than_components_give_fewer_components(make_cells):
    assert CellSpace.fit(make_cells(12, seed=0), n_components=30).n_dims == 11


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.ones((1, 3)), "at least 2 cells, got 1"),
        (np.zeros((4, 3)), "half of the 4 training cells have no count over the 3 genes"),
    ],
)
def test_says_what_is_wrong(make_dataset, counts, message):
    with pytest.raises(InputError, match=message):
        CellSpace.fit(make_dataset(counts))

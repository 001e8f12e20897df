"""Laws of precision, recall, density and coverage, with a literal reading of the paper as oracle."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from genailab.errors import InputError
from genailab.evaluation.bootstrap import Weights, bootstrap_weights
from genailab.evaluation.prdc import neighbourhood_radii, prdc
from genailab.evaluation.two_sample import Distances


def gaussian(n, dims, seed, shift=0.0, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal((n, dims)) + shift


def measured(real, generated, k=5):
    return {name: value.item() for name, value in prdc(Distances.of(real, generated), k=k).items()}


def as_in_the_paper(real, generated, k):
    radius = {
        name: NearestNeighbors(n_neighbors=k).fit(cells).kneighbors()[0][:, -1]  # without the cell itself
        for name, cells in (("real", real), ("generated", generated))
    }
    apart = pairwise_distances(real, generated)
    n, m = apart.shape
    inside = [[apart[i, j] < radius["real"][i] for j in range(m)] for i in range(n)]
    return {
        "precision": sum(any(inside[i][j] for i in range(n)) for j in range(m)) / m,
        "recall": sum(any(apart[i, j] < radius["generated"][j] for j in range(m)) for i in range(n)) / n,
        "density": sum(inside[i][j] for i in range(n) for j in range(m)) / (k * m),
        "coverage": sum(any(inside[i]) for i in range(n)) / n,
    }


@pytest.mark.parametrize(("n", "m", "k"), [(30, 25, 5), (20, 40, 3), (12, 12, 1)])
def test_agrees_with_a_literal_reading_of_the_paper(n, m, k):
    real, generated = gaussian(n, 3, 0), gaussian(m, 3, 1, 0.5)
    assert measured(real, generated, k) == pytest.approx(as_in_the_paper(real, generated, k))


def test_the_same_distribution_has_the_expected_density_and_coverage():
    # Naeem et al., lemmas 1 and 2: density 1, coverage 1 - (n-1)...(n-k) / ((2n-1)...(2n-k)).
    n, k = 100, 5
    steps = np.arange(1, k + 1)
    coverage = 1 - np.prod((n - steps) / (2 * n - steps))
    draws = [measured(gaussian(n, 4, s), gaussian(n, 4, 900 + s)) for s in range(40)]
    for name, expected in (("density", 1.0), ("coverage", coverage)):
        values = np.array([draw[name] for draw in draws])
        assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(len(values))


def test_far_apart_nothing_is_found():
    assert measured(gaussian(30, 3, 0), gaussian(30, 3, 1, 100.0)) == dict.fromkeys(
        ("precision", "recall", "density", "coverage"), 0.0
    )


def test_a_collapsed_generator_is_precise_but_recalls_little():
    found = measured(gaussian(200, 2, 0), gaussian(200, 2, 1, scale=0.1))
    assert found["precision"] > 0.95
    assert found["recall"] < 0.2
    assert found["coverage"] < 0.5


def test_a_scattered_generator_recalls_but_is_not_precise():
    found = measured(gaussian(200, 2, 0), gaussian(200, 2, 1, scale=4.0))
    assert found["recall"] > 0.9
    assert found["precision"] < 0.7


def test_weights_repeat_a_cells_indicator():
    real, generated = gaussian(15, 2, 0), gaussian(15, 2, 1, 1.0)
    only = np.zeros((1, 15))
    only[0, 3] = 15
    found = prdc(Distances.of(real, generated), weights=Weights(real=only, generated=only))
    assert set(found["precision"]) | set(found["recall"]) | set(found["coverage"]) <= {0.0, 1.0}
    weights = bootstrap_weights(15, n_bootstrap=3, generator=np.random.default_rng(0))
    first = prdc(Distances.of(real, generated), weights=Weights(real=weights, generated=weights))
    assert first["density"][0] == pytest.approx(measured(real, generated)["density"])


def test_radii_leave_the_cell_itself_out():
    points = np.array([[0.0], [1.0], [3.0], [7.0]])
    np.testing.assert_allclose(neighbourhood_radii(Distances.of(points, points).real, k=2), [3, 2, 3, 6])


def test_too_few_cells_are_refused():
    with pytest.raises(InputError, match="neighbourhoods of 5 cells need at least 6 generated cells, got 5"):
        measured(gaussian(10, 2, 0), gaussian(5, 2, 1))

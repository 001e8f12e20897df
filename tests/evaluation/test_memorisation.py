"""Laws of the nearest-training-cell ratio: 0 for copies, 1 for fresh cells, more for noise."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from genailab.errors import InputError
from genailab.evaluation.memorisation import nearest_distances, nearest_ratio


def gaussian(n, seed, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal((n, 6))


def ratio(generated, train, real):
    return nearest_ratio(nearest_distances(real, train), nearest_distances(generated, train)).item()


def test_copies_have_0_and_near_copies_nearly():
    train, real = gaussian(200, 0), gaussian(100, 1)
    assert ratio(train[:80], train, real) == pytest.approx(0.0, abs=1e-6)
    assert ratio(train[:80] + 0.01 * gaussian(80, 2), train, real) < 0.05


def test_fresh_cells_have_1_on_average():
    draws = np.array(
        [ratio(gaussian(100, s), gaussian(150, s + 300), gaussian(100, s + 600)) for s in range(60)]
    )
    assert abs(draws.mean() - 1) < 4 * draws.std() / np.sqrt(len(draws)) + 0.01


def test_noisier_cells_have_more_and_more_average_ones_less():
    train, real = gaussian(200, 0), gaussian(200, 1)
    assert ratio(gaussian(200, 2, scale=1.5), train, real) > 1.2
    assert ratio(gaussian(200, 2, scale=0.6), train, real) < 0.9


def test_distances_agree_with_all_pairs():
    cells, train = gaussian(30, 0), gaussian(40, 1)
    np.testing.assert_allclose(nearest_distances(cells, train), cdist(cells, train).min(axis=1), rtol=1e-6)


def test_says_what_is_wrong():
    with pytest.raises(InputError, match="no training cell"):
        nearest_distances(gaussian(3, 0), gaussian(0, 1))
    with pytest.raises(InputError, match="half of the 4 held-out real cells are identical to training cells"):
        nearest_ratio(np.array([0.0, 0.0, 0.0, 1.0]), np.ones(4))

"""Laws of the independent negative binomial baseline."""

import numpy as np
import pytest

from genailab.errors import InputError
from genailab.evaluation.baselines import IndependentNB


def test_sampled_means_and_zeros_are_those_of_the_types_cells(make_cells):
    train = make_cells(600, seed=0)
    labels = np.repeat(["A", "B", "C"], 2000)
    sampled = IndependentNB.fit(train).sample(labels, np.random.default_rng(0))
    for type_ in "ABC":
        real = train.counts[np.asarray(train.labels) == type_].toarray()
        made = sampled.counts[labels == type_].toarray()
        np.testing.assert_allclose(made.mean(axis=0), real.mean(axis=0), rtol=0.15, atol=0.1)
        np.testing.assert_allclose((made == 0).mean(axis=0), (real == 0).mean(axis=0), atol=0.06)


def test_cells_are_in_the_order_asked_for(make_dataset):
    counts = np.array([[9.0, 0.0], [8.0, 0.0], [0.0, 9.0], [0.0, 8.0]])
    baseline = IndependentNB.fit(make_dataset(counts.repeat(50, axis=0), np.repeat(["A", "A", "B", "B"], 50)))
    labels = ["B", "A", "A", "B", "A"]
    sampled = baseline.sample(labels, np.random.default_rng(0))
    assert list(sampled.labels) == labels
    assert np.where(sampled.counts.toarray().argmax(axis=1) == 0, "A", "B").tolist() == labels


def test_counts_are_whole_and_the_seed_decides(make_cells):
    baseline = IndependentNB.fit(make_cells(60, seed=0))
    one, same, other = (baseline.sample(["A", "C"] * 20, np.random.default_rng(s)).counts for s in (0, 0, 1))
    assert (one != same).nnz == 0
    assert (one != other).nnz > 0
    assert (one.data == np.rint(one.data)).all()
    assert (one.data > 0).all()


def test_library_sizes_are_those_of_the_training_cells(make_cells):
    train = make_cells(600, seed=0)
    sampled = IndependentNB.fit(train).sample(list(train.labels), np.random.default_rng(0))
    assert np.median(sampled.library_sizes) == pytest.approx(np.median(train.library_sizes), rel=0.05)


def test_a_type_with_one_cell_works(make_dataset):
    counts = np.vstack([np.random.default_rng(0).poisson(3, (20, 5)) + 1, [[1, 2, 3, 4, 5]]])
    baseline = IndependentNB.fit(make_dataset(counts, ["A"] * 20 + ["B"]))
    assert baseline.sample(["B"] * 4, np.random.default_rng(0)).n_cells == 4


def test_no_labels_asked_no_cells_made(make_cells):
    assert IndependentNB.fit(make_cells(30, seed=0)).sample([], np.random.default_rng(0)).counts.shape == (
        0,
        40,
    )


def test_says_what_is_wrong(make_cells, make_dataset):
    with pytest.raises(
        InputError, match="type 'a' was asked for, but no training cell is of it: did you mean 'A'"
    ):
        IndependentNB.fit(make_cells(30, seed=0)).sample(["a"], np.random.default_rng(0))
    with pytest.raises(InputError, match=r"1 of 2 training cells have no count .* \(first: 'cell1'\)"):
        IndependentNB.fit(make_dataset(np.array([[1, 2], [0, 0]]), ["A", "A"]))
    with pytest.raises(InputError, match="carry no labels"):
        IndependentNB.fit(make_dataset(np.ones((3, 2))))

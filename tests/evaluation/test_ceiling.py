"""Laws of the cells that stand in for a perfect model."""

import numpy as np

from genailab.evaluation.ceiling import ceiling_rows


def test_has_the_held_out_cells_types(make_cells):
    train, real = make_cells(120, seed=0), make_cells(60, seed=1)
    rows = ceiling_rows(train, real, np.random.default_rng(0))
    assert len(set(rows)) == len(rows) == 60
    assert sorted(np.asarray(train.labels)[rows]) == sorted(real.labels)


def test_leaves_half_of_every_type_to_train_on(make_cells):
    train, real = make_cells(60, seed=0), make_cells(240, seed=1)
    rows = ceiling_rows(train, real, np.random.default_rng(0))
    assert np.asarray(train.subset(rows).labels.value_counts()).tolist() == [15, 10, 5]


def test_a_type_that_was_not_trained_on_is_passed_over(make_dataset):
    train = make_dataset(np.ones((8, 2)), ["A"] * 8)
    rows = ceiling_rows(train, make_dataset(np.ones((4, 2)), ["A", "A", "B", "B"]), np.random.default_rng(0))
    assert len(rows) == 2


def test_without_labels_any_cells_are_drawn(make_dataset):
    rows = ceiling_rows(
        make_dataset(np.ones((9, 2))), make_dataset(np.ones((7, 2))), np.random.default_rng(0)
    )
    assert len(set(rows)) == 5

"""Laws of the agreement between asked and recognised types."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from genailab.errors import InputError
from genailab.evaluation.bootstrap import bootstrap_weights
from genailab.evaluation.classifier import agreement, train_type_classifier


def test_agrees_with_sklearns_balanced_accuracy_in_every_resample():
    generator = np.random.default_rng(0)
    asked = np.repeat(["B", "NK", "T"], [20, 10, 3])
    predicted = np.where(generator.random(33) < 0.7, asked, "T")
    weights = bootstrap_weights(
        33, n_bootstrap=4, generator=generator, types=np.repeat([0, 1, 2], [20, 10, 3])
    )
    expected = [balanced_accuracy_score(asked, predicted, sample_weight=row) for row in weights]
    np.testing.assert_allclose(agreement(predicted, asked, weights), expected)


def test_a_type_that_a_resample_lacks_is_left_out_of_its_average():
    assert agreement(["B", "B", "B"], ["B", "B", "T"], np.array([[2.0, 1.0, 0.0]])).item() == 1.0


def test_making_only_the_commonest_type_well_scores_one_share():
    asked = ["B"] * 98 + ["T", "NK"]
    assert agreement(["B"] * 100, asked).item() == pytest.approx(1 / 3)


def test_separable_types_are_learned_from_few_cells():
    generator = np.random.default_rng(0)
    centres, types = np.eye(3) * 4, np.repeat(["A", "B", "C"], 12)
    cells = centres[np.repeat(np.arange(3), 12)] + 0.3 * generator.standard_normal((36, 3))
    assert (train_type_classifier(cells, types.tolist()).predict(cells) == types).all()


def test_one_type_is_nothing_to_tell_apart():
    with pytest.raises(InputError, match=r"at least 2 types, got \['B'\]: pass agreement=False"):
        train_type_classifier(np.zeros((3, 2)), ["B", "B", "B"])

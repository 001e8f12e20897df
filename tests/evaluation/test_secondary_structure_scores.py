"""Laws of secondary-structure scores: residues counted, padding never, proteins drawn whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, recall_score

from genailab.errors import InputError
from genailab.evaluation.secondary_structure import structure_counts
from genailab.evaluation.sequences import score_structure


def proteins(seed, n=12, longest=30, right=0.7):
    generator = np.random.default_rng(seed)
    labels = generator.integers(3, size=(n, longest))
    labels[np.arange(longest) >= generator.integers(5, longest + 1, size=n)[:, None]] = -100
    labels[generator.random((n, longest)) < 0.1] = -100
    labels[:, 0] = np.arange(n) % 3
    predicted = np.where(
        generator.random((n, longest)) < right, labels, generator.integers(3, size=(n, longest))
    )
    return labels, np.where(labels == -100, generator.integers(3, size=(n, longest)), predicted)


@given(seed=st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_scores_are_sklearns_on_the_residues_that_count(seed):
    labels, predicted = proteins(seed)
    counts = structure_counts(labels, predicted)
    kept = labels != -100
    assert counts.q3().item() == pytest.approx(accuracy_score(labels[kept], predicted[kept]))
    recalls = recall_score(labels[kept], predicted[kept], labels=[0, 1, 2], average=None)
    assert [counts.recall(state).item() for state in range(3)] == pytest.approx(recalls)
    each = [accuracy_score(y[k], f[k]) for y, f, k in zip(labels, predicted, kept, strict=True)]
    assert counts.per_protein().item() == pytest.approx(np.mean(each))


@given(seed=st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_what_stands_under_the_padding_and_more_padding_change_nothing(seed):
    labels, predicted = proteins(seed)
    longer = np.pad(labels, ((0, 0), (0, 7)), constant_values=-100)
    junk = np.pad(np.where(labels == -100, 99, predicted), ((0, 0), (0, 7)), constant_values=-5)
    one, other = structure_counts(labels, predicted), structure_counts(longer, junk)
    assert np.array_equal(one.total, other.total)
    assert np.array_equal(one.right, other.right)


def test_a_weighted_protein_is_a_repeated_one():
    labels, predicted = proteins(3)
    weights = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), size=3).astype(float)
    for row in weights:
        repeated = structure_counts(
            np.repeat(labels, row.astype(int), 0), np.repeat(predicted, row.astype(int), 0)
        )
        counts = structure_counts(labels, predicted)
        assert counts.q3(row[None]).item() == pytest.approx(repeated.q3().item())
        assert counts.per_protein(row[None]).item() == pytest.approx(repeated.per_protein().item())
        assert counts.recall(1, row[None]).item() == pytest.approx(repeated.recall(1).item())


def test_long_proteins_count_more_in_q3_and_alike_in_the_average():
    labels = np.full((2, 100), -100)
    labels[0], labels[1, :10] = 0, 0
    predicted = np.stack([np.zeros(100, int), np.ones(100, int)])
    counts = structure_counts(labels, predicted)
    assert counts.q3().item() == pytest.approx(100 / 110)
    assert counts.per_protein().item() == 0.5


def test_scores_come_with_intervals_over_proteins_and_a_baseline():
    labels, predicted = proteins(5, n=60)
    found = score_structure(labels, {"model": predicted, "coil": np.full_like(labels, 2)}, baseline="coil")
    values = {(s.metric, s.subject): s for s in found}
    assert values["recall of coil", "coil"].value == 1
    assert values["recall of helix", "coil"].value == 0
    assert values["Q3", "model - coil"].ci_low > 0
    assert values["Q3", "model"].n == 60
    assert f"{(labels != -100).sum():,} residues of 60 proteins" in found[0].space


@pytest.mark.parametrize(
    ("labels", "predicted", "message"),
    [
        ([[0, 3]], [[0, 1]], r"the label of protein 0, residue 1 \(from 0\) is 3: states are 0 to 2"),
        ([[0, 1], [0, 1]], [[0, 1], [0, 7]], "the prediction of protein 1, residue 1"),
        ([[0, 1], [-100, -100]], [[0, 1], [0, 1]], "protein 1 has no residue with a label"),
        ([[0, 1]], [[0, 1, 2]], r"labels have shape \(1, 2\) and predictions \(1, 3\)"),
        ([0, 1], [0, 1], r"give both as \(proteins, length\)"),
    ],
)
def test_codes_that_cannot_be_are_refused(labels, predicted, message):
    with pytest.raises(InputError, match=message):
        structure_counts(labels, predicted)


def test_no_subject_is_refused():
    with pytest.raises(InputError, match="no predictions to score"):
        score_structure([[0]], {})

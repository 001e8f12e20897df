"""Laws of the simple baselines: each finds what it can express, and no more."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from genailab.data.sequences.alphabet import PROTEIN
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.simulate import PlantedMotifsConfig, consensus_motif, simulate_planted_motifs
from genailab.errors import InputError
from genailab.evaluation.classification import auroc
from genailab.evaluation.regression import r2
from genailab.evaluation.sequence_baselines import (
    BestMotif,
    KmerLogistic,
    LinearSequenceModel,
    Majority,
    PositionLogistic,
)

MOTIFS = tuple(consensus_motif(name, word) for name, word in (("AP-1", "TGASTCA"), ("GATA", "WGATAAG")))


def planted(seed, n=600, **options):
    config = PlantedMotifsConfig(
        **{"n_sequences": n, "length": 60, "motifs": MOTIFS[:1], "rule": "or", **options}
    )
    data = simulate_planted_motifs(config, generator=np.random.default_rng(seed))
    return data.codes, data.rows["label"].to_numpy()


def nine_mers(seed, n=1500):
    codes = torch.from_numpy(np.random.default_rng(seed).integers(4, size=(n, 5)).astype(np.uint8))
    single = np.random.default_rng(0).standard_normal((5, 4))
    pair = np.random.default_rng(1).standard_normal((4, 4))
    additive = single[np.arange(5), codes.numpy()].sum(axis=1)
    return codes, additive, additive + 2 * pair[codes[:, 0], codes[:, 3]]


def kmer_logistic(k=6, seed=0, **options):
    codes, labels = planted(seed, **options)
    valid, truth = planted(seed + 1, n=300, **options)
    return KmerLogistic.fit(codes, labels, valid_codes=valid, valid_labels=truth, k=k)


def test_kmers_find_a_planted_motif_and_know_no_strand():
    model = kmer_logistic()
    codes, labels = planted(9)
    found = model.predict(codes)
    assert auroc(labels, found).item() > 0.85
    np.testing.assert_allclose(model.predict(reverse_complement(codes)), found, atol=1e-6)


def test_kmers_learn_nothing_from_labels_that_say_nothing():
    codes, labels = planted(0)
    random = np.random.default_rng(5).permutation(labels)
    valid, truth = planted(1, n=300)
    model = KmerLogistic.fit(codes, random, valid_codes=valid, valid_labels=truth, k=3)
    assert model.strength <= 1e-3  # a strong penalty is best
    assert abs(model.predict(planted(2)[0]) - 0.5).max() < 0.2


def test_fitting_is_deterministic_and_changes_nothing():
    codes, _ = planted(0)
    before = codes.clone()
    first, again = kmer_logistic(k=3).predict(codes), kmer_logistic(k=3).predict(codes)
    assert np.array_equal(first, again)
    assert codes.equal(before)


def test_positions_tell_classes_of_aligned_sequences():
    generator = np.random.default_rng(0)
    codes = torch.from_numpy(generator.integers(4, size=(900, 12)).astype(np.uint8))
    labels = np.arange(900) % 3
    codes[labels == 1, 4:6] = torch.tensor([2, 3], dtype=torch.uint8)  # donors: GT
    codes[labels == 2, 4:6] = torch.tensor([0, 2], dtype=torch.uint8)  # acceptors: AG
    parts = [slice(0, 500), slice(500, 700), slice(700, 900)]
    model = PositionLogistic.fit(
        codes[parts[0]], labels[parts[0]], valid_codes=codes[parts[1]], valid_labels=labels[parts[1]]
    )
    found = model.predict(codes[parts[2]])
    assert found.shape == (200, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == labels[parts[2]]).mean() > 0.9


def test_the_best_motif_is_the_one_that_was_planted():
    codes, labels = planted(0, motifs=MOTIFS[1:])
    model = BestMotif.fit(codes, labels, motifs=MOTIFS)
    assert model.motif.name == "GATA"
    valid, truth = planted(1, motifs=MOTIFS[1:])
    found = model.predict(valid)
    assert auroc(truth, found).item() > 0.85
    assert abs(found.mean() - 0.5) < 0.1  # probabilities, not scores
    np.testing.assert_allclose(model.predict(reverse_complement(valid)), found)
    assert BestMotif.fit(codes, labels, motifs=MOTIFS, max_rows=200).motif.name == "GATA"


def test_sequences_without_known_letters_get_a_finite_score():
    codes, labels = planted(0)
    model = BestMotif.fit(codes, labels, motifs=MOTIFS)
    found = model.predict(torch.full((2, 60), 4, dtype=torch.uint8))
    assert np.isfinite(found).all()
    assert (found <= model.predict(codes).min()).all()


@pytest.mark.parametrize(("order", "n_features"), [("additive", 15), ("pairwise", 15 + 10 * 9)])
def test_a_linear_model_finds_what_it_can_express(order, n_features):
    codes, additive, paired = nine_mers(2)
    valid, valid_additive, valid_paired = nine_mers(3)
    test, test_additive, test_paired = nine_mers(4)
    model = LinearSequenceModel.fit(
        codes, additive, valid_codes=valid, valid_values=valid_additive, order=order
    )
    assert len(model.weights) == n_features
    assert r2(test_additive, model.predict(test)).item() > 0.999
    model = LinearSequenceModel.fit(codes, paired, valid_codes=valid, valid_values=valid_paired, order=order)
    found = r2(test_paired, model.predict(test)).item()
    assert found > 0.999 if order == "pairwise" else found < 0.8


def test_the_coefficients_are_sklearns_ridge():
    codes, additive, _ = nine_mers(2, n=200)
    model = LinearSequenceModel.fit(
        codes, additive, valid_codes=codes, valid_values=additive, penalties=[3.0]
    )
    letters = [(codes.numpy()[:, i] == a) for i in range(5) for a in range(4) if a != model.reference[i]]
    ridge = Ridge(alpha=3.0).fit(np.stack(letters, axis=1).astype(float), additive)
    np.testing.assert_allclose(model.weights, ridge.coef_)
    np.testing.assert_allclose(model.predict(codes), ridge.predict(np.stack(letters, axis=1).astype(float)))


def test_noise_is_met_with_a_penalty():
    codes, _, _ = nine_mers(2, n=120)
    noise = np.random.default_rng(0).standard_normal(120)
    valid, values, _ = nine_mers(3)
    options = {"valid_codes": valid, "valid_values": values - values, "order": "pairwise"}
    assert LinearSequenceModel.fit(codes, noise, **options).penalty == 1000.0


def test_proteins_have_additive_models():
    codes = torch.from_numpy(np.random.default_rng(0).integers(20, size=(400, 3)).astype(np.uint8))
    values = codes.numpy()[:, 1].astype(float)
    model = LinearSequenceModel.fit(codes, values, valid_codes=codes, valid_values=values, alphabet=PROTEIN)
    assert r2(values, model.predict(codes)).item() > 0.999


def test_the_majority_is_the_commonest_class_that_counts():
    labels = np.array([[0, 1, -100], [1, -100, -100]])
    assert Majority.fit(labels).predict(torch.zeros(4, 3)).tolist() == [[1] * 3] * 4
    assert Majority.fit([2, 2, 0]).predict(torch.zeros(2, 5)).tolist() == [2, 2]
    with pytest.raises(InputError, match="no label counts"):
        Majority.fit([-100])


def test_what_cannot_be_fitted_is_refused():
    codes, labels = planted(0, n=20)
    valid = {"valid_codes": codes, "valid_labels": labels}
    with pytest.raises(InputError, match=r"classes \[1\]: number them 0, 1"):
        KmerLogistic.fit(codes, np.ones(20), **valid)
    with pytest.raises(InputError, match="class 5 is among the validation rows"):
        KmerLogistic.fit(codes, labels, valid_codes=codes, valid_labels=[5] * 20)
    with pytest.raises(InputError, match="strengths is empty"):
        KmerLogistic.fit(codes, labels, **valid, strengths=[])
    with pytest.raises(InputError, match="have 236 features and the baseline 240"):
        PositionLogistic.fit(codes, labels, **valid).predict(codes[:, :59])
    with pytest.raises(InputError, match="none of the 1 motifs fits into 5 letters"):
        BestMotif.fit(codes[:, :5], labels, motifs=MOTIFS[:1])
    values = {"valid_codes": codes, "valid_values": labels}
    with pytest.raises(InputError, match="60 letters make 16,110 pairwise features"):
        LinearSequenceModel.fit(codes, labels, **values, order="pairwise")
    with pytest.raises(InputError, match="sequence 0 has no letter of ACGT at position 3"):
        LinearSequenceModel.fit(torch.tensor([[0, 1, 2, 4]]), [1.0], **values)
    with pytest.raises(InputError, match="59 letters and the model was fitted on 60"):
        LinearSequenceModel.fit(codes, labels, **values).predict(codes[:, :59])

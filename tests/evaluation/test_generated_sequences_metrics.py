"""Laws of the metrics of generated sequences: ends, closed forms, symmetries, what other libraries say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from genailab.data.motifs.jaspar import read_jaspar
from genailab.data.motifs.motif_scan import scan
from genailab.data.sequences.alphabet import PROTEIN
from genailab.data.sequences.encoding import decode, encode
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.errors import InputError
from genailab.evaluation.bootstrap import Weights
from genailab.evaluation.discriminator import auroc
from genailab.evaluation.generated_sequences.attribution_consistency import attribution_correlation
from genailab.evaluation.generated_sequences.collection import SequenceCollection
from genailab.evaluation.generated_sequences.discriminator import (
    discriminator_features,
    forest,
    logistic,
    out_of_fold_scores,
    related_groups,
)
from genailab.evaluation.generated_sequences.distribution_distances import kolmogorov_smirnov, wasserstein
from genailab.evaluation.generated_sequences.diversity import (
    diversity_ratio,
    first_of_kind,
    pairwise_distances,
)
from genailab.evaluation.generated_sequences.edit_distances import edit_distances
from genailab.evaluation.generated_sequences.frechet import frechet_distance
from genailab.evaluation.generated_sequences.kmer_spectra import (
    spectrum_correlation,
    spectrum_distance,
    word_counts,
)
from genailab.evaluation.generated_sequences.markov import MarkovSequences, PositionFrequencies, shuffled
from genailab.evaluation.generated_sequences.motif_frequencies import (
    MotifPanel,
    co_occurrence_correlation,
    rate_correlation,
)
from genailab.evaluation.generated_sequences.novelty import copied, nearest_training_distance, novelty_ratio
from genailab.evaluation.generated_sequences.reading_frames import coding_validity, protein_validity
from genailab.evaluation.sequence_summaries import gc_content

texts = st.lists(
    st.text("ACGTN", min_size=3, max_size=12).map(lambda text: "A" + text), min_size=2, max_size=8
)


def random_codes(n: int, length: int, seed: int, shares=(0.25, 0.25, 0.25, 0.25)) -> torch.Tensor:
    drawn = np.random.default_rng(seed).choice(4, size=(n, length), p=shares)
    return torch.from_numpy(drawn.astype(np.uint8))


def collection(n: int, length: int, seed: int, shares=(0.25, 0.25, 0.25, 0.25)) -> SequenceCollection:
    return SequenceCollection.of(random_codes(n, length, seed, shares))


# ---- a set of sequences


@given(texts)
@settings(max_examples=50, deadline=None)
def test_the_other_strand_of_ragged_sequences_is_that_of_each_text(given_texts):
    found = SequenceCollection.of(given_texts)
    codes = torch.from_numpy(found.reversed_codes())
    rows = [decode(row[:length]) for row, length in zip(codes, found.lengths, strict=True)]
    assert rows == [reverse_complement(text) for text in given_texts]
    assert found.words(both_strands=True) == SequenceCollection.of(rows).words(both_strands=True)


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        (["ACGT"], "there are 1 held-out sequences, but at least 2"),
        (["ACGT", "NNN"], r"held-out sequence 1 \(from 0\) has no letter of ACGT"),
        (["ACGT", "AXGT"], "'X' at position 1 of sequence 1"),
        (torch.zeros(3, 4), r"torch.float32 \(3, 4\): give uint8 codes"),
        (torch.full((3, 4), 99, dtype=torch.uint8), "sequence 0 has code 99 at position 0"),
    ],
)
def test_a_set_that_cannot_be_right_is_refused(sequences, message):
    with pytest.raises(InputError, match=message):
        SequenceCollection.of(sequences, kind="held-out")


# ---- distances of numbers


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=30), st.lists(st.integers(0, 6), min_size=2, max_size=30)
)
@settings(max_examples=50, deadline=None)
def test_distances_of_numbers_are_scipys_and_symmetric(x, y):
    x, y = np.array(x, float), np.array(y, float)
    assert kolmogorov_smirnov(x, y)[0] == pytest.approx(ks_2samp(x, y, method="asymp").statistic, abs=1e-12)
    assert wasserstein(x, y)[0] == pytest.approx(wasserstein_distance(x, y), abs=1e-12)
    assert kolmogorov_smirnov(x, y)[0] == pytest.approx(kolmogorov_smirnov(y, x)[0], abs=1e-12)


def test_a_weight_of_two_is_the_same_row_twice():
    x, y = np.array([0.0, 1.0, 4.0]), np.array([1.0, 2.0])
    weights = Weights(real=np.array([[1.0, 2.0, 0.0]]), generated=np.array([[2.0, 0.0]]))
    for distance in (kolmogorov_smirnov, wasserstein):
        assert distance(x, y, weights) == pytest.approx(distance(x[[0, 1, 1]], y[[0, 0]]))


# ---- words


def test_spectra_are_alike_at_0_and_disjoint_at_ln_2_in_nats_as_scipy_has_it():
    at, gc = word_counts(encode(["AATT", "TTAA"]), 2), word_counts(encode(["CCGG", "GCGC"]), 2)
    assert spectrum_distance(at, at)[0] == 0
    assert spectrum_distance(at, gc)[0] ** 2 * math.log(2) == pytest.approx(math.log(2))
    x, y = word_counts(random_codes(20, 30, 0), 3), word_counts(random_codes(20, 30, 1), 3)
    theirs = jensenshannon(*(np.asarray(each.sum(axis=0)).ravel() for each in (x, y)), base=2)
    assert spectrum_distance(x, y)[0] == pytest.approx(theirs)


def test_words_of_proteins_are_counted_and_correlate_with_themselves():
    counts = word_counts(encode(["MKVMK", "WWWX"], alphabet=PROTEIN), 2, alphabet=PROTEIN)
    assert counts.shape == (2, 400)
    assert counts.sum() == 4 + 2
    assert spectrum_correlation(counts, counts)[0] == pytest.approx(1)
    with pytest.raises(InputError, match="k is 6"):
        word_counts(encode(["MKVMKMK"], alphabet=PROTEIN), 6, alphabet=PROTEIN)


# ---- motifs


@pytest.fixture(scope="module")
def ctcf():
    return read_jaspar(matrix_id="MA0139.1") + read_jaspar(name="SP1") + read_jaspar(name="GATA1")


def test_a_hit_is_a_site_that_scan_finds(ctcf):
    codes = random_codes(300, 120, 0)
    codes[::3, 20:39] = encode(ctcf[0].consensus)
    sites = scan(codes, ctcf, p_value=1e-3)
    expected = np.zeros((300, len(ctcf)))
    for column, motif in enumerate(ctcf):
        expected[sites.loc[sites["matrix_id"] == motif.matrix_id, "sequence"], column] = 1
    found = MotifPanel.of(ctcf, p_value=1e-3).hits(codes)
    assert found.sum() > 100
    assert np.array_equal(found, expected)


def test_covariances_of_motifs_are_numpys():
    hits = (np.random.default_rng(0).random((50, 6)) < 0.4).astype(float)
    other = (np.random.default_rng(1).random((40, 6)) < 0.4).astype(float)
    pairs = np.triu_indices(6, k=1)
    theirs = np.corrcoef(np.cov(hits.T)[pairs], np.cov(other.T)[pairs])[0, 1]
    assert co_occurrence_correlation(hits, other)[0] == pytest.approx(theirs, abs=1e-5)
    assert rate_correlation(hits, other)[0] == pytest.approx(
        np.corrcoef(hits.mean(axis=0), other.mean(axis=0))[0, 1]
    )


def test_shuffling_keeps_gc_and_pairs_and_loses_motifs(ctcf):
    codes = random_codes(200, 100, 0)
    codes[:, 20:39] = encode(ctcf[0].consensus)
    real = SequenceCollection.of(codes)
    mixed = shuffled(real, generator=np.random.default_rng(0))
    assert kolmogorov_smirnov(gc_content(real.codes), gc_content(mixed.codes))[0] == pytest.approx(
        0, abs=1e-12
    )
    counts = [word_counts(each.codes, 2) for each in (real, mixed)]
    assert np.array_equal(*(found.toarray() for found in counts))
    panel = MotifPanel.of(ctcf[:1], p_value=1e-5)
    assert panel.hits(real.codes).mean() == 1
    assert panel.hits(mixed.codes).mean() < 0.1


def test_ragged_sequences_are_shuffled_each_by_itself():
    real = SequenceCollection.of(["ACGTACGGT", "AAC", "CCGTA"])
    mixed = shuffled(real, generator=np.random.default_rng(0))
    for k in (1, 2):
        assert np.array_equal(word_counts(real.codes, k).toarray(), word_counts(mixed.codes, k).toarray())


# ---- Frechet distance


def test_frechet_distance_is_the_closed_form_for_gaussians():
    generator = np.random.default_rng(0)
    spread, other, shift = np.array([1.0, 2.0, 0.5]), np.array([1.5, 1.0, 0.5]), np.array([0.5, 0.0, -1.0])
    x = generator.standard_normal((40_000, 3)) * spread
    y = generator.standard_normal((40_000, 3)) * other + shift
    rotation = np.linalg.qr(generator.standard_normal((3, 3)))[0]
    expected = (shift**2).sum() + ((spread - other) ** 2).sum()
    assert frechet_distance(x @ rotation, y @ rotation)[0] == pytest.approx(expected, rel=0.03)
    assert frechet_distance(x, x)[0] == pytest.approx(0, abs=1e-9)


def test_shrunk_to_the_identity_only_the_means_and_the_traces_count():
    x = np.random.default_rng(0).standard_normal((200, 4)) * np.array([1, 2, 3, 4])
    assert frechet_distance(x, x[:, ::-1] - x[:, ::-1].mean(0) + x.mean(0), shrinkage=1.0)[
        0
    ] == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + 1, shrinkage=0.3)[0] == pytest.approx(4)


def test_too_few_sequences_for_a_covariance_are_refused_and_few_warned_of():
    x = np.random.default_rng(0).standard_normal((30, 20))
    with pytest.raises(InputError, match="20 dimensions needs at least 40 sequences of either set, got 30"):
        frechet_distance(x, x)
    with pytest.warns(UserWarning, match="give at least 100"):
        frechet_distance(x[:, :10], x[:, :10])


# ---- copies and novelty


def test_a_copy_and_its_other_strand_are_copies_at_distance_0():
    train = collection(50, 30, 0)
    for codes in (train.codes, reverse_complement(train.codes)):
        again = SequenceCollection.of(codes)
        assert copied(again, train).mean() == 1
        assert nearest_training_distance(again, train).max() == 0
    assert copied(collection(50, 30, 1), train).mean() == 0


def test_the_nearest_distance_is_the_share_of_letters_changed_on_either_strand():
    train = collection(40, 50, 0)
    changed = train.codes.clone()
    changed[:, [3, 17, 31]] = (changed[:, [3, 17, 31]] + 1) % 4
    for codes in (changed, reverse_complement(changed)):
        assert nearest_training_distance(SequenceCollection.of(codes), train) == pytest.approx(3 / 50)


def test_sequences_of_other_lengths_are_measured_by_edits():
    train = SequenceCollection.of(["ACGTTGCAACGTTGACC", "TTTTGGGGCCCCAAAATA"])
    edited = SequenceCollection.of(["ACGTTGCACGTTGACC", "TTTTGGGGTCCCCAAAATA"])  # one lost, one put in
    assert nearest_training_distance(edited, train) == pytest.approx([1 / 17, 1 / 19])


def levenshtein(x: str, y: str) -> int:
    if not x or not y:
        return len(x) + len(y)
    return min(
        levenshtein(x[1:], y[1:]) + (x[0] != y[0]), levenshtein(x[1:], y) + 1, levenshtein(x, y[1:]) + 1
    )


@given(st.lists(st.tuples(st.text("ACG", max_size=5), st.text("ACG", max_size=5)), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_edit_distances_are_those_of_the_recursion(pairs):
    codes = [
        np.array([[*map(ord, text)] + [0] * (5 - len(text)) for text in side])
        for side in zip(*pairs, strict=True)
    ]
    lengths = [np.array([len(text) for text in side]) for side in zip(*pairs, strict=True)]
    found = edit_distances(codes[0], lengths[0], codes[1], lengths[1])
    assert found.tolist() == [levenshtein(x, y) for x, y in pairs]


def test_held_out_sequences_have_a_novelty_of_1():
    real = np.array([0.1, 0.2, 0.3])
    assert novelty_ratio(real, real)[0] == 1
    with pytest.raises(InputError, match="all 3 held-out"):
        novelty_ratio(np.zeros(3), real)


def test_diversity_falls_where_sequences_repeat_each_other():
    real = pairwise_distances(collection(60, 40, 0))
    repeated = SequenceCollection.of(random_codes(2, 40, 1).repeat(30, 1))
    assert diversity_ratio(real, pairwise_distances(collection(60, 40, 2)))[0] == pytest.approx(1, abs=0.03)
    assert diversity_ratio(real, pairwise_distances(repeated))[0] == pytest.approx(30 / 59, abs=0.1)
    assert first_of_kind(repeated).mean() == pytest.approx(2 / 60)


# ---- discriminators


def auroc_of(x: SequenceCollection, y: SequenceCollection, classifier) -> float:
    both = SequenceCollection.of(torch.cat([x.codes, y.codes]))
    features = discriminator_features(both, k=3, positions=True)
    origin = np.arange(len(both)) >= len(x)
    scores = out_of_fold_scores(features, origin, classifier=classifier, groups=related_groups(both), seed=0)
    return auroc(scores[~origin], scores[origin])[0]


@pytest.mark.parametrize("classifier", [logistic, forest(20)], ids=["logistic", "forest"])
def test_one_distribution_cannot_be_told_from_itself_but_from_another(classifier):
    x = collection(250, 30, 0)
    assert auroc_of(x, collection(250, 30, 1), classifier) == pytest.approx(0.5, abs=0.09)
    assert auroc_of(x, collection(250, 30, 2, (0.4, 0.1, 0.1, 0.4)), classifier) > 0.95


def test_generated_twins_in_other_folds_do_not_give_a_generator_away():
    # Twenty sequences, each made 10 times: a forest that has seen a twin would know the others by heart.
    x = collection(200, 30, 0)
    twins = SequenceCollection.of(random_codes(20, 30, 1).repeat(10, 1))
    together = auroc_of(x, twins, forest(20))
    both = SequenceCollection.of(torch.cat([x.codes, twins.codes]))
    origin = np.arange(400) >= 200
    apart = out_of_fold_scores(
        discriminator_features(both, k=3, positions=True),
        origin,
        classifier=forest(20),
        groups=np.arange(400),
        seed=0,
    )
    assert auroc(apart[~origin], apart[origin])[0] > 0.95
    assert together < 0.75


def test_near_copies_are_one_group_on_either_strand():
    base = random_codes(3, 40, 0)
    near = base.clone()
    near[:, :2] = (near[:, :2] + 1) % 4
    groups = related_groups(SequenceCollection.of(torch.cat([base, near, reverse_complement(base)])))
    assert np.array_equal(groups[:3], groups[3:6])
    assert np.array_equal(groups[:3], groups[6:])
    assert len(set(groups)) == 3


# ---- baselines


def test_a_markov_chain_finds_its_order_and_gives_its_transitions_back():
    rows = np.random.default_rng(0).dirichlet(np.ones(4), size=16)
    truth = MarkovSequences(
        order=2,
        tables=(np.full((1, 4), 0.25), np.full((4, 4), 0.25), rows),
        lengths=np.full(400, 80),
        alphabet=SequenceCollection.of(["AC", "GT"]).alphabet,
    )
    train = truth.sample(400, generator=np.random.default_rng(1))
    found = MarkovSequences.fit(train)
    assert found.order == 2
    assert np.abs(found.tables[2] - rows).max() < 0.06
    again = MarkovSequences.fit(found.sample(4000, generator=np.random.default_rng(2)), order=2)
    assert np.abs(again.tables[2] - found.tables[2]).max() < 0.03


def test_probabilities_of_all_sequences_of_a_length_sum_to_1():
    chain = MarkovSequences.fit(collection(30, 12, 0), order=2)
    letters = np.stack(np.meshgrid(*[np.arange(4)] * 4, indexing="ij")).reshape(4, -1).T.astype(np.uint8)
    every = SequenceCollection.of(torch.from_numpy(letters.copy()))
    assert np.exp(chain.log_likelihood(every)).sum() == pytest.approx(1)


def test_sequences_keep_the_lengths_and_positions_they_were_fitted_to():
    ragged = SequenceCollection.of(["ACGT", "ACGTACG", "CC"])
    drawn = MarkovSequences.fit(ragged, order=1).sample(50, generator=np.random.default_rng(0))
    assert set(drawn.lengths) == {2, 4, 7}
    with pytest.raises(InputError, match="2 to 7 letters"):
        PositionFrequencies.fit(ragged)
    fixed = encode(["ACGTAC"]).repeat(500, 1)
    drawn = PositionFrequencies.fit(SequenceCollection.of(fixed)).sample(
        20, generator=np.random.default_rng(0)
    )
    assert (drawn.codes == fixed[:20]).float().mean() > 0.98


# ---- reading frames and attributions


def test_a_coding_sequence_begins_ends_and_does_not_stop_within():
    found = coding_validity(
        SequenceCollection.of(["ATGGCATAA", "ATGGCATA", "CTGGCATAA", "ATGTAATAA", "ATGGCAGCA", "ATGTAG"])
    )
    assert found["whole_codons"].tolist() == [True, False, True, True, True, True]
    assert found["starts"].tolist() == [True, True, False, True, True, True]
    assert found["stops"].tolist() == [True, False, True, True, False, True]
    assert found["open"].tolist() == [True, True, True, False, True, True]
    assert found["valid"].tolist() == [True, False, False, False, False, True]


def test_the_translation_of_a_valid_coding_sequence_is_a_valid_protein():
    proteins = SequenceCollection.of(["MA*", "MA", "AM", "M*A", "MXA"], alphabet=PROTEIN)
    assert protein_validity(proteins)["valid"].tolist() == [True, True, False, False, False]
    with pytest.raises(InputError, match="DNA or RNA, got PROTEIN"):
        coding_validity(proteins)


def test_attributions_correlate_where_the_same_words_are_read_and_not_where_others_are():
    real, other = random_codes(200, 50, 0), random_codes(200, 50, 1)
    worth = np.random.default_rng(2).standard_normal((4, 4))

    def read(codes: torch.Tensor, values: np.ndarray) -> np.ndarray:
        found = codes.numpy()
        return np.pad(values[found[:, :-1], found[:, 1:]], ((0, 0), (0, 1)))

    same = attribution_correlation((real, read(real, worth)), (other, read(other, worth)), k=3)[0]
    opposite = attribution_correlation((real, read(real, worth)), (other, read(other, -worth)), k=3)[0]
    assert same > 0.9
    assert opposite < -0.9

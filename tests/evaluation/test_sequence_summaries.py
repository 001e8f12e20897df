"""Laws of whole-set summaries: counts by hand, distances by scipy, nothing where sets agree."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from genailab.data.sequences.encoding import encode
from genailab.data.sequences.kmers import kmer_names
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.simulate import Background
from genailab.errors import InputError
from genailab.evaluation.bootstrap import Weights, bootstrap_weights
from genailab.evaluation.kmer_features import canonical_of, kmer_features
from genailab.evaluation.sequence_summaries import (
    compare_sequences,
    gc_content,
    gc_distance,
    jensen_shannon_distance,
    kmer_spectrum,
    motif_hit_rates,
)

texts = st.lists(st.text("ACGTN", min_size=12, max_size=12), min_size=1, max_size=6)


def drawn(seed, n=300, length=50, **options) -> torch.Tensor:
    return torch.from_numpy(Background(**options).sample(n, length, generator=np.random.default_rng(seed)))


@given(rows=texts, k=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_kmers_are_counted_as_the_text_is_read(rows, k):
    counts = kmer_features(encode(rows), k).toarray()
    for text, row in zip(rows, counts, strict=True):
        words = [text[start : start + k] for start in range(12 - k + 1)]
        assert row.tolist() == [words.count(name) for name in kmer_names(k)]


@given(rows=texts, k=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_canonical_counts_know_no_strand_and_lose_none(rows, k):
    codes = encode(rows)
    counts = kmer_features(codes, k, canonical=True)
    assert counts.shape[1] == (4**k + (4 ** (k // 2) if k % 2 == 0 else 0)) // 2
    assert np.array_equal(
        counts.toarray(), kmer_features(reverse_complement(codes), k, canonical=True).toarray()
    )
    assert counts.sum() == kmer_features(codes, k).sum()
    for column, name in zip(canonical_of(k), kmer_names(k), strict=True):
        assert canonical_of(k)[kmer_names(k).index(reverse_complement(name))] == column


@given(seed=st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_the_jensen_shannon_distance_is_scipys_and_symmetric(seed):
    p, q = np.random.default_rng(seed).dirichlet(np.full(16, 0.3), size=2)
    assert jensen_shannon_distance(p, q).item() == pytest.approx(jensenshannon(p, q, base=2))
    assert jensen_shannon_distance(p, q) == pytest.approx(jensen_shannon_distance(q, p))
    assert jensen_shannon_distance(p, p) == pytest.approx(0, abs=1e-7)


@given(seed=st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_the_gc_distance_is_scipys_wasserstein_distance_in_every_resample(seed):
    generator = np.random.default_rng(seed)
    real, generated = generator.integers(9, size=20) / 8, generator.integers(5, size=30) / 8
    weights = Weights(
        real=bootstrap_weights(20, n_bootstrap=3, generator=generator),
        generated=bootstrap_weights(30, n_bootstrap=3, generator=generator),
    )
    expected = [
        wasserstein_distance(real, generated, u, v)
        for u, v in zip(weights.real, weights.generated, strict=True)
    ]
    np.testing.assert_allclose(gc_distance(real, generated, weights), expected, atol=1e-12)


def test_gc_content_counts_known_letters_only():
    assert gc_content(encode(["GCGC", "ATNN", "GTNR"])).tolist() == [1.0, 0.0, 0.5]
    with pytest.raises(InputError, match="sequence 1 has no known letter"):
        gc_content(encode(["AC", "NN"]))


def test_the_same_set_scores_zero_and_other_draws_score_little():
    real = drawn(0)
    same = compare_sequences(real, real, subject="copy", hits=lambda codes: codes[:, :3] == 0)
    assert [score.value for score in same] == pytest.approx([0.0] * 4, abs=1e-6)
    other = {s.metric: s.value for s in compare_sequences(real, drawn(1), subject="ceiling", k=[3])}
    wrong = {
        s.metric: s.value
        for s in compare_sequences(real, drawn(2, composition=(0.2, 0.3, 0.3, 0.2)), subject="gc", k=[3])
    }
    assert wrong["3-mer distance"] > 2.5 * other["3-mer distance"]
    assert wrong["GC distance"] > 0.08 > 0.02 > other["GC distance"]


def test_dinucleotides_that_differ_at_the_same_composition_are_seen_by_kmers_only():
    real, shuffled = drawn(0, n=800), drawn(1, n=800)
    depleted = Background.cpg_depleted(gc=0.5, kept=0.1)
    chain = torch.from_numpy(depleted.sample(800, 50, generator=np.random.default_rng(2)))
    same_letters = Background(composition=tuple(depleted.stationary.tolist()))
    flat = torch.from_numpy(same_letters.sample(800, 50, generator=np.random.default_rng(3)))
    apart = {s.metric: s for s in compare_sequences(flat, chain, subject="chain", k=[2])}
    alike = {s.metric: s for s in compare_sequences(real, shuffled, subject="ceiling", k=[2])}
    assert apart["2-mer distance"].ci_low > 5 * alike["2-mer distance"].ci_high
    assert apart["GC distance"].value < 0.05


def test_hit_rates_are_sorted_by_difference_and_their_mean_is_scored():
    real, generated = torch.zeros(4, 9, dtype=torch.uint8), torch.ones(5, 9, dtype=torch.uint8)
    table = {0: [[1, 0], [1, 0], [1, 1], [1, 1]], 1: [[1, 0], [1, 0], [1, 0], [1, 0], [0, 0]]}
    rates = motif_hit_rates(table[0], table[1], names=["SP1", "CTCF"])
    assert rates["motif"].tolist() == ["CTCF", "SP1"]
    assert rates["difference"].tolist() == pytest.approx([-0.5, -0.2])
    scores = compare_sequences(
        real, generated, subject="m", k=[1], hits=lambda codes: table[int(codes[0, 0])]
    )
    assert scores[-1].metric == "motif rate difference"
    assert scores[-1].value == pytest.approx(0.35)
    assert all(s.better == "lower" and s.ci_low <= s.value <= s.ci_high for s in scores)


def test_the_spectrum_sums_to_one_over_known_words():
    spectrum = kmer_spectrum(encode(["ACGTN", "NNACG"]), 2)
    assert spectrum.sum() == pytest.approx(1)
    assert spectrum["AC"] == pytest.approx(2 / 5)


@pytest.mark.parametrize(
    ("real", "generated", "message"),
    [
        (
            torch.zeros(0, 9, dtype=torch.uint8),
            torch.zeros(3, 9, dtype=torch.uint8),
            "real sequences have shape",
        ),
        (torch.zeros(3, 9, dtype=torch.uint8), torch.zeros(9, dtype=torch.uint8), "generated sequences have"),
        (torch.zeros(3, 5, dtype=torch.uint8), torch.zeros(3, 9, dtype=torch.uint8), "k is 6: words have"),
        (
            torch.zeros(3, 9, dtype=torch.uint8),
            torch.tensor([[0, 4] * 5]).byte(),
            "no 3-mer without an unknown",
        ),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(real, generated, message):
    with pytest.raises(InputError, match=message):
        compare_sequences(real, generated, subject="m")


def test_hits_of_other_motifs_are_refused():
    with pytest.raises(InputError, match=r"shapes \(1, 2\) and \(1, 3\)"):
        motif_hit_rates([[1, 0]], [[1, 0, 1]])

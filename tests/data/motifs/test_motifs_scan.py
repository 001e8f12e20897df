"""Laws of the scan: exact p-values, both strands alike, nothing found where a letter is unknown."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.motifs import motif_scan
from genailab.data.motifs.motif import Motif
from genailab.data.motifs.motif_scan import best_motif_scores, motif_scores, scan
from genailab.data.motifs.score_distribution import STEP, round_log_odds, score_tail
from genailab.data.sequences.encoding import encode, one_hot
from genailab.errors import InputError

UNIFORM = np.full(4, 0.25)
SKEWED = np.array([0.4, 0.15, 0.1, 0.35])


def random_motif(length: int, seed: int, name: str = "m") -> Motif:
    return Motif(name=name, counts=np.random.default_rng(seed).gamma(0.4, 10, (4, length)).round())


def random_codes(batch: int, length: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 4, (batch, length), generator=generator, dtype=torch.uint8)


def every_word(length: int) -> np.ndarray:
    return np.array(list(product(range(4), repeat=length)))


@given(st.integers(1, 6), st.integers(0, 99), st.sampled_from([UNIFORM, SKEWED]))
@settings(max_examples=25, deadline=None)
def test_p_values_are_those_of_all_words_counted(length, seed, background):
    weights = round_log_odds(random_motif(length, seed).log_odds(background=background))
    words = every_word(length)
    scores = weights[words, np.arange(length)].sum(axis=1)
    probability = background[words].prod(axis=1)
    counted = np.array([probability[scores >= score].sum() for score in scores])
    tail = score_tail(weights, background)
    np.testing.assert_allclose(tail.p_values(scores), counted, rtol=1e-9)


@given(st.integers(4, 7), st.integers(0, 99), st.sampled_from([1e-3, 0.01, 0.1]))
@settings(max_examples=25, deadline=None)
def test_the_threshold_is_the_lowest_score_that_is_rare_enough(length, seed, p_value):
    weights = round_log_odds(random_motif(length, seed).log_odds())
    scores = np.sort(weights[every_word(length), np.arange(length)].sum(axis=1))[::-1]
    threshold = score_tail(weights, UNIFORM, up_to=p_value).threshold(p_value)
    passing = (scores >= threshold).mean()
    assert passing <= p_value
    next_lower = scores.max() if np.isinf(threshold) else threshold - STEP
    assert (scores >= next_lower).mean() > p_value


def test_a_probability_that_the_best_word_has_exactly_is_met():
    sure = Motif(name="x", counts=9 * np.eye(4)[[0, 1, 2, 3, 2]].T)
    tail = score_tail(sure.log_odds(), UNIFORM)
    assert tail.p_values(tail.threshold(4.0**-5)) == 4.0**-5
    assert tail.threshold(4.0**-5 * (1 - 1e-9)) == np.inf


def test_a_longer_reach_changes_nothing_of_the_tail():
    weights = random_motif(15, 3).log_odds()
    short, whole = score_tail(weights, UNIFORM, up_to=1e-5), score_tail(weights, UNIFORM)
    assert len(short.at_least) < len(whole.at_least) / 3
    np.testing.assert_array_equal(short.at_least, whole.at_least[: len(short.at_least)])
    assert whole.at_least[-1] == pytest.approx(1)


def test_impossible_letters_never_count():
    sure = Motif(name="x", counts=np.array([[9, 0], [0, 9], [0, 0], [0, 0]]))
    tail = score_tail(sure.log_odds(pseudocount=0), UNIFORM)
    assert tail.at_least[-1] == 1 / 16
    scores = motif_scores(encode(["ACAA"]), [sure], pseudocount=0)
    assert scores[0, 0, 0].tolist() == [4.0, -torch.inf, -torch.inf]


def test_scores_are_the_sums_of_the_weights_whatever_the_batch():
    motifs = [random_motif(length, length) for length in (5, 9, 12)]
    codes = random_codes(3, 40)
    scores = motif_scores(codes, motifs, background=SKEWED)  # (3, 3, 2, 36)
    assert scores.shape == (3, 3, 2, 36)
    for index, motif in enumerate(motifs):
        for strand, one in enumerate((motif, motif.reverse_complement())):
            weights = one.log_odds(background=SKEWED)
            places = 40 - len(motif) + 1
            for position in (0, 7, places - 1):
                word = codes[1, position : position + len(motif)].numpy()
                expected = weights[word, np.arange(len(motif))].sum()
                assert scores[1, index, strand, position] == pytest.approx(expected, abs=len(motif) * STEP)
            assert scores[:, index, :, places:].isneginf().all()


def test_the_reverse_complement_has_the_same_sites_mirrored():
    motifs, codes = [random_motif(8, 1), random_motif(11, 2)], random_codes(4, 300)
    mirrored = (3 - codes).flip(1)
    here, there = (scan(x, motifs, p_value=1e-3) for x in (codes, mirrored))
    assert len(here) > 5
    there = there.assign(
        start=300 - there["end"], end=300 - there["start"], strand=there["strand"].map({"+": "-", "-": "+"})
    )
    keys = ["sequence", "start", "end", "strand", "score", "p_value"]
    np.testing.assert_array_equal(
        here[keys].sort_values(keys).to_numpy(), there[keys].sort_values(keys).to_numpy()
    )


def test_random_sequences_have_as_many_sites_as_the_p_value_says():
    motif = random_motif(10, 5)
    codes = random_codes(200, 1000, seed=1)
    expected = 2 * 200 * 991 * 1e-3
    assert len(scan(codes, [motif], p_value=1e-3)) == pytest.approx(expected, rel=0.2)


def test_a_planted_site_is_found_on_its_strand_and_an_unknown_letter_hides_it():
    motif = Motif(name="GATA", matrix_id="X1.1", counts=100 * np.eye(4)[[2, 0, 3, 0, 0, 2, 2, 0]].T)
    text = "C" * 20 + "GATAAGGA" + "C" * 20 + "TCCTTATC" + "C" * 10
    hits = scan(encode([text, text.replace("GATAAGGA", "GATNAGGA")]), [motif])
    found = hits[["sequence", "start", "end", "strand", "motif", "matrix_id"]].values.tolist()
    assert found == [
        [0, 20, 28, "+", "GATA", "X1.1"],
        [0, 48, 56, "-", "GATA", "X1.1"],
        [1, 48, 56, "-", "GATA", "X1.1"],
    ]
    assert hits["p_value"].tolist() == [4.0**-8] * 3


def test_parts_and_one_hot_and_best_scores_agree(monkeypatch):
    motifs, codes = [random_motif(6, 1), random_motif(9, 2)], random_codes(20, 60)
    whole = scan(codes, motifs, p_value=0.01)
    best = best_motif_scores(codes, motifs)
    monkeypatch.setattr(motif_scan, "SCORES_AT_ONCE", 500)
    assert scan(one_hot(codes), motifs, p_value=0.01).equals(whole)
    assert torch.equal(best_motif_scores(codes, motifs), best)
    assert torch.equal(best, motif_scores(codes, motifs).amax(dim=(2, 3)))


def test_what_cannot_be_scanned_is_said():
    codes, motif = random_codes(2, 30), random_motif(6, 0)
    with pytest.warns(UserWarning, match="1 of 1 motifs can't have a site with p-value 1e-06"):
        assert scan(codes, [motif], p_value=1e-6).empty
    with pytest.raises(InputError, match="no motifs"):
        scan(codes, [])
    with pytest.raises(InputError, match="shorter than the shortest motif"):
        scan(codes[:, :3], [motif], p_value=0.1)
    with pytest.raises(InputError, match="p-value 0 is not in"):
        scan(codes, [motif], p_value=0)
    with pytest.raises(InputError, match=r"shape \(2, 5, 30\)"):
        motif_scores(torch.zeros(2, 5, 30), [motif])


def test_no_sequences_have_no_sites():
    table = scan(random_codes(0, 30), [random_motif(6, 0)], p_value=0.01)
    assert len(table) == 0
    assert table["start"].dtype == np.int64


@pytest.mark.parametrize("search", [motif_scan.scan, motif_scan.motif_scores, motif_scan.best_motif_scores])
def test_text_and_a_single_motif_are_told(search):
    motif = Motif(name="GATA", counts=np.eye(4)[:, [2, 0, 3, 0]] * 9)
    with pytest.raises(InputError, match=r"got a list: encode\(\) text first"):
        search(["ACGTGATA"], [motif])
    with pytest.raises(InputError, match=r"'GATA': give a list"):
        search(encode(["ACGTGATA"]), motif)

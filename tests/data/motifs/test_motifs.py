"""Laws of motifs: probabilities sum to 1, both strands read alike, weights are what the definitions say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.motifs.motif import Motif
from genailab.errors import InputError

count_matrices = st.integers(1, 12).flatmap(
    lambda length: st.lists(
        st.lists(st.integers(0, 50), min_size=length, max_size=length), min_size=4, max_size=4
    )
)


@given(count_matrices, st.floats(0.01, 5))
@settings(max_examples=40, deadline=None)
def test_probabilities_sum_to_one_and_the_background_has_no_log_odds(counts, pseudocount):
    motif = Motif(name="x", counts=counts)
    background = np.array([0.3, 0.2, 0.1, 0.4])
    probabilities = motif.probabilities(pseudocount=pseudocount, background=background)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1)
    expected_odds = background[:, None] * 2 ** motif.log_odds(pseudocount=pseudocount, background=background)
    np.testing.assert_allclose(expected_odds.sum(axis=0), 1)


@given(count_matrices)
@settings(max_examples=40, deadline=None)
def test_the_other_strand_is_its_own_inverse_and_as_informative(counts):
    motif = Motif(name="x", counts=counts)
    other = motif.reverse_complement()
    np.testing.assert_array_equal(other.reverse_complement().counts, motif.counts)
    np.testing.assert_allclose(other.information(), motif.information()[::-1])
    np.testing.assert_allclose(other.log_odds(), motif.log_odds()[::-1, ::-1])


def test_one_certain_letter_is_worth_two_bits_and_equal_letters_none():
    motif = Motif(name="x", counts=[[9, 2], [0, 2], [0, 2], [0, 2]])
    np.testing.assert_allclose(motif.information(pseudocount=0), [2, 0])
    np.testing.assert_allclose(motif.log_odds(pseudocount=0)[:, 0], [2, -np.inf, -np.inf, -np.inf])
    assert motif.consensus == "AA"


def test_more_sites_need_less_of_the_pseudocount():
    few, many = (Motif(name="x", counts=np.array([[1], [0], [0], [0]]) * n) for n in (1, 1000))
    assert few.probabilities()[0, 0] == pytest.approx((1 + 0.2) / 1.8)
    assert many.probabilities()[0, 0] > 0.999


def test_the_counts_of_a_motif_cannot_change_under_it():
    given_counts = np.ones((4, 3))
    motif = Motif(name="x", counts=given_counts)
    given_counts[0, 0] = 7
    assert motif.counts[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        motif.counts[0, 0] = 7


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.ones((3, 5)), r"shape \(3, 5\): expected \(4, length\)"),
        (np.ones((4, 0)), "shape"),
        ([[1, 1], [1, -2], [1, 1], [1, 1]], "counts -2.0 of C at position 1"),
        ([[1, 1], [1, 2], [1, np.nan], [1, 1]], "counts nan of G at position 1"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts, message):
    with pytest.raises(InputError, match=message):
        Motif(name="x", counts=counts)


def test_probabilities_of_nothing_need_a_pseudocount_and_a_background_must_be_shares():
    nothing = Motif(name="x", counts=np.zeros((4, 2)))
    np.testing.assert_allclose(nothing.probabilities(), 0.25)
    with pytest.raises(InputError, match="pseudocount of 0"):
        nothing.probabilities(pseudocount=0)
    for wrong in ([0.5, 0.5, 0, 0], [1, 1, 1, 1], [0.5, 0.5]):
        with pytest.raises(InputError, match="four positive shares"):
            nothing.log_odds(background=wrong)


def test_trimming_cuts_only_the_ends_that_say_nothing():
    flat, sure = [5.0, 5, 5, 5], [20.0, 0, 0, 0]
    motif = Motif(name="x", counts=np.array([flat, flat, sure, flat, sure, flat]).T)
    assert np.array_equal(motif.trimmed().counts, np.array([sure, flat, sure]).T)
    assert np.array_equal(motif.trimmed(min_bits=0).counts, motif.counts)
    assert motif.reverse_complement().trimmed().consensus == motif.trimmed().reverse_complement().consensus
    with pytest.raises(InputError, match=r"no column with 0\.25 bits"):
        Motif(name="x", counts=np.array([flat]).T).trimmed()

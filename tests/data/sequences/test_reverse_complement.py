"""Laws of the other strand: twice is once, and it does not matter in which form a sequence is turned."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.alphabet import DNA, PROTEIN, RNA
from genailab.data.sequences.encoding import encode, one_hot
from genailab.data.sequences.reverse_complement import reverse_complement, reverse_predictions
from genailab.errors import InputError

few = settings(max_examples=50, deadline=None)
dna = st.text(DNA.symbols + DNA.symbols.lower(), min_size=1, max_size=40)


@given(dna)
@few
def test_twice_is_the_sequence_itself_in_every_form(text):
    assert reverse_complement(reverse_complement(text)) == text
    for form in (encode([text]), encode(text).long(), one_hot(text), one_hot(text, dtype=torch.bool)):
        before = form.clone()
        other = reverse_complement(form)
        assert other.shape == form.shape
        assert other.dtype == form.dtype
        assert torch.equal(reverse_complement(other), form)
        other.fill_(1)
        assert torch.equal(form, before)


@given(dna, st.sampled_from(["zero", "uniform"]))
@few
def test_turning_commutes_with_encoding(text, unknown):
    other = reverse_complement(text)
    assert torch.equal(encode(other), reverse_complement(encode(text)))
    assert torch.equal(one_hot(other, unknown=unknown), reverse_complement(one_hot(text, unknown=unknown)))


@given(dna, dna)
@few
def test_the_other_strand_of_two_pieces_is_that_of_the_second_then_that_of_the_first(first, second):
    assert reverse_complement(first + second) == reverse_complement(second) + reverse_complement(first)
    assert reverse_complement([first, second]) == [reverse_complement(first), reverse_complement(second)]


def test_known_answers():
    assert reverse_complement("AACGTTTNRYSWKMBDHV") == "BDHVKMWSRYNAAACGTT"
    assert reverse_complement("AACGU", alphabet=RNA) == "ACGUU"
    assert reverse_complement(torch.tensor([0, 0, 1])).tolist() == [2, 3, 3]


def test_attributions_go_with_their_letters():
    hot = one_hot("GATTACA")
    scores = torch.randn(hot.shape, generator=torch.Generator().manual_seed(0)) * hot
    turned = reverse_complement(scores)
    assert torch.equal(turned != 0, reverse_complement(hot) != 0)
    assert torch.equal(turned.sum(dim=1), scores.sum(dim=1).flip(-1))


def test_a_symmetrised_model_gives_both_strands_the_same_predictions():
    layer = torch.nn.Conv1d(4, 3, 5, padding=2)
    partner = [1, 0, 2]  # plus, minus, unstranded

    def both(x):
        return (layer(x) + reverse_predictions(layer(reverse_complement(x)), partner=partner)) / 2

    x = one_hot(["GATTACAGGCT", "CCCGTATATGA"])
    with torch.no_grad():
        turned = reverse_predictions(both(reverse_complement(x)), partner=partner)
        assert torch.allclose(both(x), turned, atol=1e-6)
        assert not torch.allclose(layer(x), both(x), atol=1e-3)


@given(st.integers(1, 3), st.permutations(range(3)))
@few
def test_predictions_turned_twice_are_themselves_where_tracks_are_paired(batch, partner):
    predictions = torch.arange(batch * 3 * 5).reshape(batch, 3, 5)
    if [partner[other] for other in partner] == [0, 1, 2]:
        turned = reverse_predictions(predictions, partner=partner)
        assert torch.equal(reverse_predictions(turned, partner=partner), predictions)
        assert torch.equal(turned[:, partner[0]], predictions[:, 0].flip(-1))
    else:
        with pytest.raises(InputError, match="does not pair 3 tracks"):
            reverse_predictions(predictions, partner=partner)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reverse_complement("MK", alphabet=PROTEIN), "PROTEIN has no second strand"),
        (lambda: reverse_complement(["ACG", "ACX"]), "'X' at position 2 of sequence 1"),
        (lambda: reverse_complement("ACU"), "if the sequence is RNA"),
        (lambda: reverse_complement(torch.zeros(2, 3, 4)), r"must be \(batch, 4, length\), got \(2, 3, 4\)"),
        (lambda: reverse_complement(one_hot("ACGTA", dtype=torch.int8)), "looks like a one-hot"),
        (lambda: reverse_predictions(torch.zeros(2, 3)), r"\(batch, tracks, length\), got \(2, 3\)"),
        (lambda: reverse_predictions(torch.zeros(1, 2, 3), partner=[1]), "does not pair 2 tracks"),
    ],
)
def test_what_has_no_other_strand_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()

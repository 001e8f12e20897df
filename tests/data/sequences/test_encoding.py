"""Laws of encoding: text, codes and one-hot hold the same sequence, and what is none is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences import encoding
from genailab.data.sequences.alphabet import ALPHABETS, DNA, PROTEIN, RNA
from genailab.data.sequences.encoding import decode, encode, lowercase_mask, one_hot
from genailab.errors import InputError

dna = st.text(DNA.symbols + DNA.symbols.lower(), min_size=1, max_size=40)
dnas = st.lists(dna, min_size=1, max_size=5)
few = settings(max_examples=50, deadline=None)


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
def test_decode_undoes_encode(alphabet):
    @given(st.lists(st.text(alphabet.symbols, min_size=1, max_size=30), min_size=1, max_size=4))
    @few
    def law(texts):
        longest = max(map(len, texts))
        codes = encode(texts, alphabet=alphabet)
        assert codes.dtype == torch.uint8
        assert decode(codes, alphabet=alphabet) == [text.ljust(longest, alphabet.unknown) for text in texts]
        assert decode(encode(texts[0], alphabet=alphabet), alphabet=alphabet) == texts[0]

    law()


@given(dnas)
@few
def test_case_is_folded_and_the_mask_restores_it(texts):
    codes, lower = encode(texts), lowercase_mask(texts)
    assert torch.equal(codes, encode([text.upper() for text in texts]))
    for text, capitals, is_lower in zip(texts, decode(codes), lower.tolist(), strict=True):
        written = [c.lower() if low else c for c, low in zip(capitals, is_lower, strict=True)]
        assert "".join(written[: len(text)]) == text
        assert not any(is_lower[len(text) :])


@given(dnas)
@few
def test_decode_undoes_a_uniform_one_hot_even_of_ambiguous_letters(texts):
    hot = one_hot(texts, unknown="uniform")
    assert decode(hot) == decode(encode(texts))
    assert torch.allclose(hot.sum(dim=1), torch.ones(hot.shape[0], hot.shape[2]))


@given(dnas, st.sampled_from(["zero", "uniform"]))
@few
def test_text_and_codes_give_the_same_one_hot(texts, unknown):
    assert torch.equal(one_hot(texts, unknown=unknown), one_hot(encode(texts), unknown=unknown))


@given(dnas)
@few
def test_zero_keeps_letters_and_blanks_the_rest(texts):
    codes, hot = encode(texts), one_hot(texts)
    assert torch.equal(hot.sum(dim=1) == 1, codes < DNA.size)
    assert torch.equal(hot.argmax(dim=1)[codes < DNA.size], codes[codes < DNA.size].long())
    assert decode(hot) == ["".join(c if c in "ACGT" else "N" for c in text) for text in decode(codes)]


@pytest.mark.parametrize("source", ["text", "codes"])
def test_every_type_holds_the_same_values(source):
    text = "ACGTNRacgtn" * 3
    given_as = text if source == "text" else encode(text)
    expected = one_hot(text, dtype=torch.float64)
    for dtype in (
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.int64,
        torch.float16,
        torch.bfloat16,
        torch.float32,
    ):
        hot = one_hot(given_as, dtype=dtype)
        assert hot.dtype == dtype
        assert hot.is_contiguous()
        assert torch.equal(hot.double(), expected)
    assert torch.equal(one_hot(encode(text).long()).double(), expected)


def test_blocks_do_not_show(monkeypatch):
    text = "".join(np.random.default_rng(0).choice(list("ACGTNacgtR"), 1000))
    whole = one_hot(text)
    monkeypatch.setattr(encoding, "_BLOCK", 7)
    assert torch.equal(one_hot(text), whole)
    with pytest.raises(InputError, match="'!' at position 1000 of sequence 0"):
        one_hot(text + "!")


def test_proteins_keep_stops_and_rare_residues_apart():
    codes = encode("MKU*X", alphabet=PROTEIN)
    assert decode(codes, alphabet=PROTEIN) == "MKU*X"
    hot = one_hot("CUKO*X", alphabet=PROTEIN, unknown="uniform")[0]
    assert torch.equal(hot[:, 0], hot[:, 1])
    assert torch.equal(hot[:, 2], hot[:, 3])
    assert hot[:, 4].sum() == 0
    assert hot[:, 5].tolist() == pytest.approx([0.05] * 20)


def test_decode_takes_the_largest_value_of_a_soft_one_hot():
    soft = torch.tensor([[[0.7, 0.1, -1.0], [0.1, 0.4, -2.0], [0.1, 0.4, -1.0], [0.1, 0.1, -1.0]]])
    assert decode(soft) == ["ASN"]  # C and G share the second; nothing is above 0 in the third


def test_a_letter_of_any_script_is_one_position_of_the_mask():
    assert lowercase_mask("é\u4e2d\U0001f9eca").tolist() == [False, False, False, True]


def test_nothing_of_the_callers_changes():
    codes = encode(["ACGTN", "RRRRR"])
    before = codes.clone()
    one_hot(codes, unknown="uniform").zero_()
    decode(codes)
    assert torch.equal(codes, before)
    fresh = encode("ACGT")
    fresh[0] = 3
    assert encode("ACGT").tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("texts", "alphabet", "message"),
    [
        (
            ["ACGT", "AC!T"],
            DNA,
            r"'!' at position 2 of sequence 1 \(both from 0\) is no letter of DNA: expected",
        ),
        ("ACGU", DNA, "'U' at position 3 of sequence 0 .* if the sequence is RNA, pass alphabet=RNA"),
        ("acgu", DNA, "'u' at position 3 .* pass alphabet=RNA"),
        ("ACGT", RNA, "'T' at position 3 .* if the sequence is DNA, pass alphabet=DNA"),
        ("MKELFQPWIE", DNA, "'E' at position 2 .* 100% of the letters are amino acids, .* alphabet=PROTEIN"),
        ("ACGT\n", DNA, r"'\\n' at position 4 .* strip white space"),
        ("AC-GT", DNA, "'-' at position 2 .* remove gaps, or write N"),
        ("ACé", DNA, "'é' at position 2"),
        ("AC\u4e2dG!", DNA, "'\u4e2d' at position 2"),
        ("AC\U0001f9ecG", DNA, "'\U0001f9ec' at position 2"),
        ("", DNA, r"sequence 0 \(from 0\) is empty"),
        (["A", ""], DNA, r"sequence 1 \(from 0\) is empty"),
        ([], DNA, "the list is empty"),
        (["A", float("nan")], DNA, r"sequence 1 \(from 0\) is nan, a float: give text"),
        ([b"ACGT"], DNA, "is b'ACGT', a bytes"),
        ("MK1", PROTEIN, "'1' at position 2 .* no letter of PROTEIN"),
    ],
)
@pytest.mark.parametrize("function", [encode, one_hot])
def test_what_is_no_sequence_is_refused_with_its_place(function, texts, alphabet, message):
    with pytest.raises(InputError, match=message):
        function(texts, alphabet=alphabet)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: one_hot(["AC", "GN"], unknown="error"), "'N' at position 1 of sequence 1 .* unknown='zero'"),
        (lambda: one_hot(encode("ARA"), unknown="error"), "'R' at position 1 of sequence 0"),
        (lambda: one_hot("A", unknown="zeros"), "did you mean 'zero'"),
        (
            lambda: one_hot("A", unknown="uniform", dtype=torch.uint8),
            "needs fractions, which torch.uint8 cannot",
        ),
        (lambda: one_hot(torch.zeros(1, 4)), "codes must be integers"),
        (lambda: one_hot(torch.zeros(1, 4, 3, dtype=torch.uint8)), r"codes must be integers .* \(1, 4, 3\)"),
        (lambda: decode(torch.zeros(4, 3)), "cannot read torch.float32"),
        (lambda: decode(torch.zeros(1, 3, 4)), r"a one-hot of DNA is \(batch, 4, length\), got \(1, 3, 4\)"),
    ],
)
def test_what_cannot_be_read_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_error_lets_pass_what_has_no_unknown_letter():
    assert torch.equal(one_hot(["ACGT", "TTTT"], unknown="error"), one_hot(["ACGT", "TTTT"]))
    with pytest.raises(
        InputError, match="'N' at position 2 of sequence 1"
    ):  # the filling is no letter either
        one_hot(["ACGT", "TT"], unknown="error")


def test_codes_beyond_the_last_are_unknown():
    codes = torch.tensor([0, 200, 3])
    assert decode(codes) == "ANT"
    assert one_hot(codes)[0, :, 1].tolist() == [0.0] * 4
    assert one_hot(codes, unknown="uniform")[0, :, 1].tolist() == [0.25] * 4
    assert decode(torch.tensor([256, 0])) == "NA"


@pytest.mark.parametrize("codes", [[0, 1], np.array([0, 1])])
def test_decode_takes_tensors_alone(codes):
    with pytest.raises(InputError, match="as_tensor"):
        decode(codes)
    assert decode(torch.as_tensor(codes)) == "AC"

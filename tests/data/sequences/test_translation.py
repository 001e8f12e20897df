"""Laws of translation: codon by codon, the same in every form, and frames that are where they say."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.alphabet import DNA, PROTEIN, RNA
from genailab.data.sequences.encoding import decode, encode
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.sequences.translation import (
    STANDARD,
    VERTEBRATE_MITOCHONDRIAL,
    open_reading_frames,
    translate,
)
from genailab.errors import InputError

few = settings(max_examples=50, deadline=None)
TABLES = (STANDARD, VERTEBRATE_MITOCHONDRIAL)


@given(
    st.text("ACGTNRY", min_size=1, max_size=60), st.text("ACGT", min_size=1, max_size=60), st.integers(0, 2)
)
@few
def test_translation_goes_codon_by_codon(first, second, frame):
    first = first[: len(first) // 3 * 3]
    joined = translate(first + second)
    assert joined == (translate(first) if first else "") + translate(second)
    assert translate(second, frame=frame) == (translate(second[frame:]) if second[frame:] else "")


@given(st.lists(st.text("ACGTN", min_size=9, max_size=9), min_size=1, max_size=4), st.booleans())
@few
def test_codes_text_and_rna_agree(texts, to_stop):
    proteins = translate(texts, to_stop=to_stop)
    codes = translate(encode(texts), to_stop=to_stop)
    assert codes.shape == (len(texts), 3)
    assert decode(codes, alphabet=PROTEIN) == [protein.ljust(3, "X") for protein in proteins]
    as_rna = [text.replace("T", "U") for text in texts]
    assert translate(as_rna, to_stop=to_stop, alphabet=RNA) == proteins


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_ambiguous_codon_means_what_all_its_spellings_share(table):
    meant = {letter: DNA.ambiguous.get(letter, "ACGT") for letter in DNA.symbols} | {x: x for x in "ACGT"}
    shared = {frozenset("DN"): "B", frozenset("EQ"): "Z", frozenset("IL"): "J"}
    for codon in product(DNA.symbols, repeat=3):
        spelt = {table.by_codon["".join(bases)] for bases in product(*(meant[letter] for letter in codon))}
        expected = spelt.pop() if len(spelt) == 1 else shared.get(frozenset(spelt), "X")
        assert translate("".join(codon), table=table) == expected


def test_known_answers():
    assert translate("GGNCTNTAYTARATHNNN") == "GLY*IX"
    assert translate("ATATGAAGA") == "I*R"
    assert translate("ATATGAAGA", table=VERTEBRATE_MITOCHONDRIAL) == "MW*"
    assert translate("AT") == ""
    assert translate("TAAATG", to_stop=True) == ""
    assert translate(encode("AT")).shape == (0,)


@given(st.text("ACGT", min_size=3, max_size=120))
@few
def test_open_frames_are_where_they_say_and_swap_strands_with_the_sequence(text):
    found = open_reading_frames(text, shortest=1)
    for one in found:
        piece = text[one.start : one.end]
        piece = piece if one.strand == "+" else reverse_complement(piece)
        assert translate(piece) == one.protein + "*"
        assert one.protein[0] == "M"
    turned = [
        (len(text) - one.end, len(text) - one.start, "+-"[one.strand == "+"], one.protein) for one in found
    ]
    others = open_reading_frames(reverse_complement(text), shortest=1)
    assert sorted(turned) == sorted((one.start, one.end, one.strand, one.protein) for one in others)
    assert open_reading_frames(text, shortest=5) == [one for one in found if len(one.protein) >= 5]


def test_an_open_frame_begins_at_its_first_methionine_and_needs_a_stop():
    (only,) = open_reading_frames("CATGAAAATGCCCTAGG", shortest=1)
    assert (only.start, only.end, only.strand, only.protein) == (1, 16, "+", "MKMP")
    assert open_reading_frames("ATGAAAAAA", shortest=1) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: translate("ATG", frame=3), "frame must be 0, 1 or 2 letters, got 3"),
        (lambda: translate("AUG"), "pass alphabet=RNA"),
        (lambda: translate(""), "sequence 0 .* is empty"),
        (lambda: translate(torch.zeros(1, 4, 3)), "integer codes, got torch.float32"),
    ],
)
def test_what_cannot_be_translated_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()

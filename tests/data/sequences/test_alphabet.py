"""Laws of the alphabets: every sign one code, complements undo themselves, shares sum to one."""

import numpy as np
import pytest

from genailab.data.sequences.alphabet import ALPHABETS, DNA, INVALID, PROTEIN, RNA, Alphabet
from genailab.errors import InputError


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
def test_tables_are_inverses_and_letters_come_first(alphabet):
    codes = alphabet.encode_table[np.frombuffer(alphabet.symbols.encode(), np.uint8)]
    assert codes.tolist() == list(range(len(alphabet.symbols)))
    assert alphabet.decode_table[codes].tobytes().decode() == alphabet.symbols
    assert (alphabet.encode_table != INVALID).sum() == len(set(alphabet.symbols + alphabet.symbols.lower()))
    assert alphabet.codes_of[alphabet.unknown] == alphabet.size


def test_channels_are_in_the_order_of_the_contract():
    assert (DNA.letters, RNA.letters) == ("ACGT", "ACGU")
    assert "".join(sorted(PROTEIN.letters)) == PROTEIN.letters
    assert len(PROTEIN.letters) == 20


@pytest.mark.parametrize("alphabet", [DNA, RNA], ids=["DNA", "RNA"])
def test_a_complement_undoes_itself_and_stands_for_the_complements_of_what_the_sign_stands_for(alphabet):
    table = alphabet.complement_table
    assert (table[table] == np.arange(256)).all()
    # A flip of the channels complements A, C, G, T; it must do the same to every set of them.
    n = len(alphabet.symbols)
    np.testing.assert_array_equal(alphabet.shares[table[:n]], alphabet.shares[:, ::-1])


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
def test_shares_sum_to_one_but_for_a_stop(alphabet):
    sums = dict(zip(alphabet.symbols, alphabet.shares.sum(axis=1).tolist(), strict=True))
    assert sums.pop("*", 0.0) == 0.0
    assert list(sums.values()) == pytest.approx([1.0] * len(sums))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"letters": "ACCG", "unknown": "N"}, "'C' occurs twice in odd"),
        ({"letters": "ACG", "unknown": "A"}, "'A' occurs twice"),
        ({"letters": "AC1", "unknown": "N"}, "must be capitals A to Z, got 'AC1'"),
        ({"letters": "acg", "unknown": "N"}, "must be capitals A to Z, got 'acg'"),
        ({"letters": "", "unknown": "N"}, "must be capitals"),
    ],
)
def test_an_alphabet_checks_itself(parts, message):
    with pytest.raises(InputError, match=message):
        Alphabet(name="odd", **parts)

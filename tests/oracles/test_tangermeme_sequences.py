"""Sequence operations against tangermeme and Biopython."""

import warnings

import numpy as np
import pytest
import torch

from genailab.data.sequences.alphabet import DNA, RNA
from genailab.data.sequences.encoding import encode, one_hot
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.sequences.shuffle import shuffle
from genailab.data.sequences.translation import STANDARD, VERTEBRATE_MITOCHONDRIAL, translate


def random_text(letters: str, length: int, seed: int = 0) -> str:
    return "".join(np.random.default_rng(seed).choice(list(letters), length))


@pytest.mark.parametrize("length", [1, 7, 1000, 300_001])
def test_one_hot_is_tangermemes(length):
    utils = pytest.importorskip("tangermeme.utils")
    text = random_text("ACGTN", length)
    assert torch.equal(one_hot(text, dtype=torch.int8)[0], utils.one_hot_encode(text))


def test_one_hot_is_seqpros():
    seqpro = pytest.importorskip("seqpro")
    text = random_text("ACGTN", 1000)
    assert np.array_equal(one_hot(text, dtype=torch.uint8)[0].numpy().T, seqpro.ohe(text, seqpro.DNA))


def test_reverse_complement_is_tangermemes():
    utils = pytest.importorskip("tangermeme.utils")
    text = random_text("ACGT", 200)
    assert reverse_complement(text) == utils.reverse_complement(text)
    hot = one_hot([text, text[::-1]])
    assert torch.equal(reverse_complement(hot), torch.stack([utils.reverse_complement(one) for one in hot]))


def test_both_shuffles_keep_the_same_dinucleotides():
    ersatz = pytest.importorskip("tangermeme.ersatz")
    codes = torch.from_numpy(np.random.default_rng(0).integers(0, 4, (6, 300), dtype=np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ersatz.dinucleotide_shuffle(one_hot(codes), n=3, random_state=0).argmax(dim=2)
    ours = shuffle(codes, n=3, generator=np.random.default_rng(0))
    for one in range(3):
        for row in range(6):
            kept = [
                np.bincount(x[:-1] * 4 + x[1:], minlength=16)
                for x in (ours[row, one].long(), theirs[row, one])
            ]
            np.testing.assert_array_equal(*kept)


@pytest.mark.parametrize("alphabet", [DNA, RNA], ids=["DNA", "RNA"])
def test_reverse_complement_is_biopythons_with_every_iupac_letter_in_either_case(alphabet):
    seq = pytest.importorskip("Bio.Seq")
    text = random_text(alphabet.symbols + alphabet.symbols.lower(), 500)
    function = seq.reverse_complement if alphabet is DNA else seq.reverse_complement_rna
    assert reverse_complement(text, alphabet=alphabet) == function(text)


@pytest.mark.parametrize("table", [STANDARD, VERTEBRATE_MITOCHONDRIAL], ids=lambda table: table.name)
@pytest.mark.parametrize("letters", ["ACGT", "ACGTN", DNA.symbols])
@pytest.mark.parametrize("to_stop", [False, True])
def test_translation_is_biopythons(table, letters, to_stop):
    seq = pytest.importorskip("Bio.Seq")
    for seed in range(40):
        text = random_text(letters, 300, seed)
        expected = seq.translate(text, table=table.number, to_stop=to_stop)
        assert translate(text, table=table, to_stop=to_stop) == expected
        assert translate(encode(text), table=table).shape == (100,)

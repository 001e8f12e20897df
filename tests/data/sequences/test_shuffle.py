"""Laws of shuffles: what is kept is kept exactly, and all else is as likely as it can be."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from genailab.data.sequences.encoding import decode, encode
from genailab.data.sequences.shuffle import shuffle
from genailab.errors import InputError

few = settings(max_examples=50, deadline=None)
text = st.text("ACGTN", min_size=1, max_size=60)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def pairs(codes: torch.Tensor) -> torch.Tensor:
    """Count each pair of neighbours, ``(batch, 256)``."""
    numbers = codes[:, :-1].long() * 16 + codes[:, 1:]
    return torch.zeros(len(codes), 256, dtype=torch.long).scatter_add_(1, numbers, torch.ones_like(numbers))


@given(st.lists(text, min_size=1, max_size=4), st.integers(0, 99))
@few
def test_dinucleotide_counts_and_both_ends_are_kept(texts, seed):
    codes = encode(texts)
    before = codes.clone()
    shuffled = shuffle(codes, generator=rng(seed))
    assert shuffled.shape == codes.shape
    assert shuffled.dtype == torch.uint8
    assert torch.equal(pairs(shuffled), pairs(codes))
    assert torch.equal(shuffled[:, [0, -1]], codes[:, [0, -1]])
    assert torch.equal(codes, before)


@given(st.lists(text, min_size=1, max_size=4), st.integers(0, 99))
@few
def test_mononucleotide_shuffles_keep_the_letters(texts, seed):
    codes = encode(texts)
    shuffled = shuffle(codes, kind="mononucleotide", generator=rng(seed))
    assert torch.equal(shuffled.sort(dim=1).values, codes.sort(dim=1).values)


def arrangements(sequence: str, kind: str) -> set[str]:
    """Find by enumeration every sequence that a shuffle may give."""
    everything = {"".join(letters) for letters in permutations(sequence)}
    if kind == "mononucleotide":
        return everything
    kept = {name: encode(name)[None] for name in everything}
    wanted = pairs(encode(sequence)[None])
    return {name for name, codes in kept.items() if torch.equal(pairs(codes), wanted)}


@pytest.mark.parametrize(
    ("sequence", "kind"),
    [
        ("ACAGACCA", "dinucleotide"),
        ("AACATCAGC", "dinucleotide"),
        ("AAAAAAAC", "dinucleotide"),  # one exit among many loops
        ("TCATACGT", "dinucleotide"),
        ("AACGT", "mononucleotide"),
    ],
)
def test_every_arrangement_is_as_likely_as_the_others(sequence, kind):
    possible = arrangements(sequence, kind)
    draws = 400 * len(possible)
    drawn = decode(shuffle(encode([sequence]), kind=kind, n=draws, generator=rng(1))[0])
    names, counts = np.unique(drawn, return_counts=True)
    assert set(names) == possible
    assert len(possible) == 1 or chisquare(counts).pvalue > 1e-3


def test_a_long_sequence_is_really_shuffled():
    codes = torch.from_numpy(rng().integers(0, 4, (3, 2000), dtype=np.uint8))
    shuffled = shuffle(codes, n=2, generator=rng())
    assert shuffled.shape == (3, 2, 2000)
    same = (shuffled == codes[:, None]).float().mean(dim=2)
    assert ((same - 0.25).abs() < 0.05).all()
    assert not torch.equal(shuffled[:, 0], shuffled[:, 1])


@pytest.mark.parametrize("kind", ["dinucleotide", "mononucleotide"])
def test_the_same_state_gives_the_same_shuffles_and_the_global_one_has_no_say(kind):
    codes = encode(["ACGTTGCAACGTGCGC"] * 3)
    first = shuffle(codes, kind=kind, n=4, generator=rng(7))
    np.random.seed(3)  # noqa: NPY002
    assert torch.equal(shuffle(codes, kind=kind, n=4, generator=rng(7)), first)
    assert not torch.equal(shuffle(codes, kind=kind, n=4, generator=rng(8)), first)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda codes: shuffle(codes.float(), generator=rng()), "takes uint8 codes .* got torch.float32"),
        (lambda codes: shuffle(codes[0], generator=rng()), r"\(batch, length\), got torch.uint8 \(4,\)"),
        (lambda codes: shuffle(codes, kind="dinucleotid", generator=rng()), "did you mean 'dinucleotide'"),
        (lambda codes: shuffle(codes, n=0, generator=rng()), "at least 1 shuffle of each sequence, got 0"),
    ],
)
def test_what_cannot_be_shuffled_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(encode(["ACGT"]))


@pytest.mark.parametrize("kind", ["dinucleotide", "mononucleotide"])
def test_text_and_generators_of_torch_are_refused(kind):
    with pytest.raises(InputError, match="got a str"):
        shuffle("ACGT", kind=kind, generator=rng())
    with pytest.raises(InputError, match="default_rng"):
        shuffle(encode(["ACGT"]), kind=kind, generator=torch.Generator())

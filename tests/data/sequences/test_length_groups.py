"""Laws of grouping by length: every sequence once, with its own labels, little padding."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.length_groups import LengthGroups
from genailab.errors import InputError


def numbered(lengths):
    """Sequences that can be told apart, and labels that can be told from them."""
    codes = [torch.full((n,), i % 250, dtype=torch.uint8) for i, n in enumerate(lengths)]
    return codes, [row.long() * 1000 + torch.arange(len(row)) for row in codes]


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=40),
    positions=st.integers(1, 200),
    seed=st.none() | st.integers(0, 99),
)
@settings(max_examples=50, deadline=None)
def test_every_sequence_is_in_one_group_whole_and_with_its_labels(lengths, positions, seed):
    codes, labels = numbered(lengths)
    generator = None if seed is None else np.random.default_rng(seed)
    groups = LengthGroups(codes=codes, labels=labels, positions=positions, generator=generator)
    seen = []
    for index in range(len(groups)):
        batch = groups.__getitems__([index])
        assert batch["codes"].numel() <= positions or len(batch["codes"]) == 1
        assert batch["codes"].shape == batch["label"].shape
        assert batch["codes"].shape[1] == batch["length"].max()
        for row, label, n in zip(batch["codes"], batch["label"], batch["length"].tolist(), strict=True):
            number = int(row[0])
            assert torch.equal(row[:n], codes[number])
            assert torch.equal(label[:n], labels[number])
            assert (label[n:] == -100).all()
            seen.append(number)
    assert sorted(seen) == list(range(len(lengths)))


def test_wastes_little_where_there_are_many_sequences():
    lengths = np.random.default_rng(0).integers(20, 800, 500)
    codes, labels = numbered(lengths)
    for generator, least in ((None, 0.93), (np.random.default_rng(0), 0.8)):
        groups = LengthGroups(codes=codes, labels=labels, positions=8192, generator=generator)
        sizes = [groups.__getitems__([i])["codes"].numel() for i in range(len(groups))]
        assert least < lengths.sum() / sum(sizes) <= 1


def test_several_groups_make_one_batch():
    codes, labels = numbered([3, 9, 4, 10])
    groups = LengthGroups(codes=codes, labels=labels, positions=20)
    assert groups.__getitems__([1, 0])["length"].tolist() == [10, 9, 4, 3]


def test_the_same_generator_groups_the_same():
    codes, labels = numbered(range(5, 60))
    first, again, other = (
        LengthGroups(codes=codes, labels=labels, positions=200, generator=np.random.default_rng(seed)).groups
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_says_what_cannot_be():
    codes, labels = numbered([3, 4])
    with pytest.raises(InputError, match="differ in number or in length"):
        LengthGroups(codes=codes, labels=labels[:1])
    with pytest.raises(InputError, match="differ in number or in length"):
        LengthGroups(codes=codes, labels=[labels[0], labels[1][:3]])
    with pytest.raises(InputError, match="one is empty"):
        LengthGroups(codes=[codes[0][:0]], labels=[labels[0][:0]])
    with pytest.raises(InputError, match="no sequences"):
        LengthGroups(codes=[], labels=[])

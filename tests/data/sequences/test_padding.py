"""Laws of padding and packing: what goes in comes out, and the mask marks just that."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.padding import attention_mask, pack, pad, unpack, unpad
from genailab.errors import InputError

few = settings(max_examples=50, deadline=None)
lengths_strategy = st.lists(st.integers(0, 12), min_size=1, max_size=6)


def sequences_of(lengths, *features) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(0, 4, (n, *features), generator=generator, dtype=torch.uint8) for n in lengths]


@pytest.mark.parametrize("features", [(), (3,)])
@given(lengths_strategy)
@few
def test_round_trips(features, lengths):
    sequences = sequences_of(lengths, *features)
    filled, found = pad(sequences)
    flat, offsets = pack(sequences)
    assert found.tolist() == lengths
    assert filled.shape == (len(lengths), max(lengths), *features)
    assert flat.shape == (sum(lengths), *features)
    for restored in (unpad(filled, found), unpack(flat, offsets)):
        assert all(torch.equal(a, b) for a, b in zip(sequences, restored, strict=True))


@given(lengths_strategy)
@few
def test_the_mask_marks_what_is_not_filling(lengths):
    filled, found = pad(sequences_of(lengths), value=9)
    mask = attention_mask(found)
    assert torch.equal(mask, filled != 9)
    # Boolean selection goes row by row, which is the order of packing.
    assert torch.equal(filled[mask], pack(sequences_of(lengths))[0])


@given(lengths_strategy)
@few
def test_offsets_are_the_running_sum_that_attention_kernels_take(lengths):
    offsets = pack(sequences_of(lengths))[1]
    assert offsets.dtype == torch.int32
    assert offsets.diff().tolist() == lengths
    assert offsets[0] == 0


def test_unpacking_gives_views():
    flat, offsets = pack(sequences_of([3, 2]))
    unpack(flat, offsets)[1].fill_(7)
    assert flat.tolist()[3:] == [7, 7]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pad([]), "the list is empty"),
        (lambda: pack([]), "the list is empty"),
        (
            lambda: pad([torch.zeros(2), torch.zeros(2, 3)]),
            r"sequence 1 \(from 0\) is torch.float32 \(2, 3\), but",
        ),
        (lambda: pack([torch.zeros(2), torch.zeros(2).long()]), "sequence 1 .* is torch.int64"),
        (lambda: unpad(torch.zeros(2, 3), torch.tensor([1])), "1 lengths for 2 rows"),
        (
            lambda: unpad(torch.zeros(2, 3), torch.tensor([1, 4])),
            r"row 1 .* has length 4, but .* within 0 and 3",
        ),
        (lambda: attention_mask(torch.tensor([1, -1])), "row 1 .* has length -1"),
        (
            lambda: unpack(torch.zeros(5), torch.tensor([0, 3])),
            r"rise from 0 to the 5 packed .* got \[0, 3\]",
        ),
        (lambda: unpack(torch.zeros(5), torch.tensor([0, 4, 3, 5])), "offsets must rise"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()

"""Laws of masks, masked means and lengths."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.nn.padding import checked_lengths, masked_mean, position_mask

lengths_strategy = st.lists(st.integers(1, 12), min_size=1, max_size=6)


@given(lengths=lengths_strategy, extra=st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_a_mask_counts_its_row_and_a_masked_mean_is_the_mean_of_the_row_alone(lengths, extra):
    length = torch.tensor(lengths)
    width = max(lengths) + extra
    mask = position_mask(length, width)
    assert mask.sum(dim=1).tolist() == lengths
    assert (mask.int().diff(dim=1) <= 0).all()  # what counts comes first
    x = torch.randn(len(lengths), width, 3, generator=torch.Generator().manual_seed(width))
    x[~mask] = torch.nan
    means = torch.stack([row[:n].mean(dim=0) for row, n in zip(x, lengths, strict=True)])
    torch.testing.assert_close(masked_mean(x, mask), means)


def test_without_lengths_every_row_is_as_long_as_the_batch():
    assert checked_lengths(None, n_rows=3, n_positions=7).tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("length", "message"),
    [
        (torch.tensor([3, 0]), "sequence 1 of the batch has length 0: expected 1 to 5"),
        (torch.tensor([6, 1]), "sequence 0 of the batch has length 6: expected 1 to 5"),
        (torch.tensor([3]), r"shape \(1,\) for 2 sequences"),
        (torch.tensor([3.0, 2.0]), "float32 of shape"),
    ],
)
def test_says_which_length_cannot_be(length, message):
    with pytest.raises(InputError, match=message):
        checked_lengths(length, n_rows=2, n_positions=5)

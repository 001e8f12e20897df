"""Laws of windows: each is the slice that it says it is, and none is a copy."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.encoding import encode, one_hot
from genailab.data.sequences.windows import windows
from genailab.errors import InputError


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 7))
@settings(max_examples=50, deadline=None)
def test_window_i_is_the_slice_from_i_strides(total, length, stride):
    codes = torch.arange(2 * total).reshape(2, total)
    if length > total:
        with pytest.raises(
            InputError, match=f"a window of {length} positions does not fit into sequences of {total}"
        ):
            windows(codes, length, stride=stride)
        return
    seen = windows(codes, length, stride=stride)
    slices = [codes[:, start : start + length] for start in range(0, total - length + 1, stride)]
    assert torch.equal(seen, torch.stack(slices, dim=1))


def test_it_is_a_view():
    codes = encode(["ACGTACGT"])
    seen = windows(codes, 3)
    assert seen.untyped_storage().data_ptr() == codes.untyped_storage().data_ptr()
    codes[0, 4] = 3
    assert seen[0, 2, 2] == seen[0, 3, 1] == seen[0, 4, 0] == 3


def test_windows_of_a_one_hot_are_the_one_hot_of_windows():
    text = "GATTACAGATTACA"
    of_codes = one_hot(windows(encode(text), 5, stride=2))  # (n, 4, 5)
    assert torch.equal(windows(one_hot(text), 5, stride=2)[0].transpose(0, 1), of_codes)


def test_windows_as_long_as_their_stride_tile_the_sequence():
    codes = torch.arange(12)
    assert torch.equal(windows(codes, 4, stride=4).flatten(), codes)


@pytest.mark.parametrize(
    ("options", "message"), [((0, 1), "length must be at least 1"), ((2, 0), "stride must be")]
)
def test_impossible_windows_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        windows(torch.zeros(5), options[0], stride=options[1])


def test_text_is_refused():
    with pytest.raises(InputError, match="got a str"):
        windows("ACGT", 2)

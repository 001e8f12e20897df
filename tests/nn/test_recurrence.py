"""Laws of the recurrent layers: padding has no say, both directions are each other's mirror, torch agrees."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from genailab.nn.recurrence import Bidirectional, LockedDropout, reverse_within

CELLS = [nn.LSTM, nn.GRU]


def rows(lengths, width, n=3, seed=0):
    return torch.randn(len(lengths), width, n, generator=torch.Generator().manual_seed(seed))


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5), extra=st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_reversing_within_the_length_is_flip_of_each_row_and_its_own_inverse(lengths, extra):
    x = rows(lengths, max(lengths) + extra)
    turned = reverse_within(x, torch.tensor(lengths))
    for row, got, n in zip(x, turned, lengths, strict=True):
        assert torch.equal(got[:n], row[:n].flip(0))
        assert torch.equal(got[n:], row[n:])
    assert torch.equal(reverse_within(turned, torch.tensor(lengths)), x)


def as_torch(layer: Bidirectional, cell, n_in: int, n_hidden: int) -> nn.Module:
    """Torch's own layer with the same weights."""
    reference = cell(n_in, n_hidden, len(layer.forwards), batch_first=True, bidirectional=True)
    for i, (ahead, back) in enumerate(zip(layer.forwards, layer.backwards, strict=True)):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(reference, f"{name}_l{i}").data = getattr(ahead, f"{name}_l0").data
            getattr(reference, f"{name}_l{i}_reverse").data = getattr(back, f"{name}_l0").data
    return reference


@pytest.mark.parametrize("cell", CELLS)
def test_agrees_with_torch_on_packed_rows_in_values_and_gradients(cell):
    lengths = torch.tensor([7, 2, 5, 1])
    layer = Bidirectional(cell, 3, 4, n_layers=2)
    reference = as_torch(layer, cell, 3, 4)
    x, y = rows(lengths, 9).requires_grad_(), rows(lengths, 9).requires_grad_()
    found = layer(x, lengths)
    packed = pack_padded_sequence(y, lengths, batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(reference(packed)[0], batch_first=True, total_length=9)[0]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(x.grad, y.grad, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_what_stands_in_the_padding_has_no_say(cell):
    lengths = torch.tensor([4, 2])
    layer = Bidirectional(cell, 3, 4, n_layers=2)
    x = rows(lengths, 6)
    other = x.clone()
    other[0, 4:], other[1, 2:] = 100.0, -100.0
    assert torch.equal(layer(x, lengths), layer(other, lengths))
    assert not layer(x, lengths)[1, 2:].any()


@pytest.mark.parametrize("cell", CELLS)
def test_a_mirrored_sequence_read_by_mirrored_weights_gives_the_mirrored_states(cell):
    layer = Bidirectional(cell, 3, 4)
    mirror = Bidirectional(cell, 3, 4)
    mirror.forwards.load_state_dict(layer.backwards.state_dict())
    mirror.backwards.load_state_dict(layer.forwards.state_dict())
    lengths = torch.tensor([5, 3])
    x = rows(lengths, 5)
    from_start, from_end = layer(x, lengths).chunk(2, dim=2)
    turned = reverse_within(mirror(reverse_within(x, lengths), lengths), lengths)
    torch.testing.assert_close(turned, torch.cat([from_end, from_start], dim=2))


def test_locked_dropout_drops_a_feature_everywhere_or_nowhere_and_keeps_the_mean():
    layer = LockedDropout(0.25)
    torch.manual_seed(0)
    x = torch.ones(200, 7, 50)
    dropped = layer(x)
    assert (dropped == dropped[:, :1]).all()  # the same at every position
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.03)
    assert layer.eval()(x) is x

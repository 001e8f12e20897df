"""Laws of attention: torch agrees, weights sum to 1, padding gets none, order counts only with positions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genailab.errors import InputError
from genailab.nn.attention import (
    AdditiveAttention,
    Attention,
    DotAttention,
    TransformerBlock,
    TransformerEncoder,
)


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def mask_of(lengths, width):
    return torch.arange(width) < torch.tensor(lengths)[:, None]


def as_torch(layer: Attention, n: int, n_keys: int) -> nn.MultiheadAttention:
    """Torch's own layer with the same weights."""
    reference = nn.MultiheadAttention(n, layer.n_heads, kdim=n_keys, vdim=n_keys, batch_first=True)
    parts = (layer.query, layer.key, layer.value)
    if n == n_keys:
        reference.in_proj_weight.data = torch.cat([part.weight.data for part in parts])
    else:
        for name, part in zip("qkv", parts, strict=True):
            getattr(reference, f"{name}_proj_weight").data = part.weight.data
    reference.in_proj_bias.data = torch.cat([part.bias.data for part in parts])
    reference.out_proj.load_state_dict(layer.out.state_dict())
    return reference


@pytest.mark.parametrize("n_keys", [12, 5])
@pytest.mark.parametrize("masked", [True, False])
def test_agrees_with_torch_given_the_same_weights(n_keys, masked):
    layer = Attention(12, 3, n_keys=n_keys)
    queries, keys = draw(2, 4, 12), draw(2, 7, n_keys, seed=1)
    mask = mask_of([7, 3], 7) if masked else None
    out, weights = as_torch(layer, 12, n_keys)(
        queries, keys, keys, key_padding_mask=~mask if masked else None, average_attn_weights=False
    )
    torch.testing.assert_close(layer(queries, keys, mask=mask), out, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(layer.weights(queries, keys, mask=mask), weights, atol=1e-6, rtol=1e-5)


@given(lengths=st.lists(st.integers(1, 8), min_size=1, max_size=4), rotary=st.booleans())
@settings(max_examples=25, deadline=None)
def test_weights_sum_to_one_padding_gets_none_and_they_make_the_output(lengths, rotary):
    torch.manual_seed(0)
    layer = Attention(8, 2, rotary=rotary)
    x, mask = draw(len(lengths), 8, 8), mask_of(lengths, 8)
    weights = layer.weights(x, mask=mask)
    torch.testing.assert_close(weights.sum(dim=3), torch.ones(len(lengths), 2, 8))
    assert not weights.masked_select(~mask[:, None, None, :]).any()
    values = layer.value(x).unflatten(2, (2, 4)).transpose(1, 2)
    by_hand = layer.out((weights @ values).transpose(1, 2).flatten(2))
    torch.testing.assert_close(layer(x, mask=mask), by_hand, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("rotary", [True, False])
def test_an_encoder_gives_a_row_the_same_features_alone_as_padded_beside_others(rotary):
    encoder = TransformerEncoder(8, 2, 2, rotary=rotary).eval()
    x = draw(2, 9, 8)
    together = encoder(x, mask_of([9, 4], 9))
    torch.testing.assert_close(together[1, :4], encoder(x[1:, :4])[0], atol=1e-6, rtol=1e-5)


def test_without_positions_a_permutation_goes_through_and_with_rotary_ones_it_does_not():
    x, order = draw(1, 10, 8), torch.randperm(10, generator=torch.Generator().manual_seed(3))
    for rotary in (False, True):
        encoder = TransformerEncoder(8, 2, 2, rotary=rotary).eval()
        same = torch.allclose(encoder(x[:, order]), encoder(x)[:, order], atol=1e-5)
        assert same is not rotary


def test_the_encoder_s_maps_are_those_of_its_blocks():
    encoder = TransformerEncoder(8, 2, 3, rotary=True).eval()
    x, mask = draw(2, 6, 8), mask_of([6, 2], 6)
    maps = encoder.weights(x, mask)
    assert maps.shape == (2, 3, 2, 6, 6)
    torch.testing.assert_close(maps[:, 0], encoder.blocks[0].weights(x, mask))
    torch.testing.assert_close(maps[:, 1], encoder.blocks[1].weights(encoder.blocks[0](x, mask), mask))


def test_a_block_whose_outputs_are_zero_is_the_identity():
    block = TransformerBlock(8, 2)
    for layer in (block.attention.out, block.feedforward[-1]):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    x = draw(2, 5, 8)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("make", [lambda: AdditiveAttention(6, 4), lambda: DotAttention(6)])
def test_pooling_is_a_weighted_mean_that_ignores_padding_and_order(make):
    pool = make()
    x, mask = draw(3, 7, 6), mask_of([7, 4, 1], 7)
    weights = pool.weights(x, mask)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))
    assert not weights[~mask].any()
    torch.testing.assert_close(pool(x, mask)[2], x[2, 0])  # one letter: all the weight
    torch.testing.assert_close(pool(x, mask)[1], pool(x[1:2, :4].flip(1))[0])
    same = x[:, :1].expand(3, 7, 6)
    torch.testing.assert_close(pool.weights(same), torch.full((3, 7), 1 / 7))
    assert weights[0].std() > 1e-4  # and elsewhere it does choose


def test_says_that_heads_must_divide_the_features():
    with pytest.raises(InputError, match="10 features do not divide among 3 heads"):
        Attention(10, 3)
    with pytest.raises(InputError, match="a head has 3: make it even"):
        Attention(6, 2, rotary=True)

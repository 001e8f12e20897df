"""Attention maps: rows sum to 1, every layer is there, and the model predicts as before."""

import pytest
import torch
from torch import nn

from genailab.errors import InputError
from genailab.interpret import attention_maps
from genailab.nn.attention import AdditiveAttention, TransformerEncoder


def tokens(seed: int = 0) -> torch.Tensor:
    return torch.randn(3, 7, 8, generator=torch.Generator().manual_seed(seed))


def torch_encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def our_encoder() -> nn.Module:
    return TransformerEncoder(8, 2, 2, rotary=True, dropout=0.1)


@pytest.mark.parametrize("make", [torch_encoder, our_encoder])
def test_each_layer_has_a_map_whose_rows_sum_to_one(make):
    model = make()
    maps = attention_maps(model, tokens())
    stacked = torch.stack(list(maps.values()))  # (layers, batch, heads, queries, keys)
    assert stacked.shape == (2, 3, 2, 7, 7)
    torch.testing.assert_close(stacked.sum(dim=-1), torch.ones(2, 3, 2, 7))
    assert not torch.allclose(stacked[0], stacked[1])


@pytest.mark.parametrize("make", [torch_encoder, our_encoder])
def test_the_model_is_left_as_it_was(make):
    model = make().train()
    before = [module.training for module in model.modules()]
    attention_maps(model, tokens())
    assert [module.training for module in model.modules()] == before
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_maps_are_those_that_the_output_is_made_of():
    layer = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    x = tokens()
    found = attention_maps(layer, x, x, x, need_weights=False)[""]
    _, expected = layer(x, x, x, need_weights=True, average_attn_weights=False)
    torch.testing.assert_close(found, expected)
    positional = attention_maps(layer, x, x, x, None, False)[""]
    torch.testing.assert_close(positional, expected)


def test_ours_agree_with_the_layers_own_weights_and_padding_gets_none():
    model, x = our_encoder().eval(), tokens()
    mask = torch.arange(7)[None] < torch.tensor([7, 4, 2])[:, None]
    stacked = torch.stack(list(attention_maps(model, x, mask).values()), dim=1)
    torch.testing.assert_close(stacked, model.weights(x, mask))
    assert (stacked[1, ..., 4:] == 0).all()


def test_a_layer_used_twice_has_two_maps_and_a_pool_one_row():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.look = nn.MultiheadAttention(8, 2, batch_first=True)
            self.pool = AdditiveAttention(8, 4)

        def forward(self, x):
            x = self.look(x, x, x)[0]
            return self.pool(self.look(x, x, x)[0])

    maps = attention_maps(Twice(), tokens())
    assert list(maps) == ["look", "look (2)", "pool"]
    assert maps["pool"].shape == (3, 7)


def test_a_model_without_attention_is_refused():
    with pytest.raises(InputError, match="Linear used no attention"):
        attention_maps(nn.Linear(8, 2), tokens())

"""Laws of convolutional pieces: what each position can see, what padding changes, what pooling forgets."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genailab.nn.convolution import (
    AttentionPool,
    Centre,
    Exponential,
    MaxAndMean,
    ParallelConv,
    ResidualDilatedBlock,
)
from genailab.nn.strands import over_strands


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def reached(module: nn.Module, n_channels: int, length: int, at: int) -> torch.Tensor:
    """Which input positions the output at one position depends on."""
    x = noise(1, n_channels, length).requires_grad_()
    module(x)[0, :, at].sum().backward()
    return x.grad[0].abs().sum(dim=0).nonzero().squeeze(1)


@given(kernel=st.sampled_from([3, 5, 11]), dilation=st.sampled_from([1, 2, 4]))
@settings(max_examples=9, deadline=None)
def test_a_residual_block_sees_exactly_its_receptive_field_around_each_position(kernel, dilation):
    torch.manual_seed(0)
    block = ResidualDilatedBlock(3, kernel, dilation=dilation).double().eval()
    # Without rectification in the way, every position within reach has a gradient.
    block.norm1.bias.data.fill_(10.0)
    block.norm2.bias.data.fill_(100.0)
    assert block.receptive_field == 1 + 2 * dilation * (kernel - 1)
    half = block.receptive_field // 2
    seen = reached(block, 3, block.receptive_field + 20, at=half + 10)
    assert (seen.min().item(), seen.max().item()) == (10, 10 + 2 * half)


def test_without_its_convolutions_a_residual_block_is_the_identity():
    block = ResidualDilatedBlock(4, 5, dilation=3).double().eval()
    for convolution in (block.conv1, block.conv2):
        nn.init.zeros_(convolution.weight)
        nn.init.zeros_(convolution.bias)
    x = noise(2, 4, 31)
    assert torch.equal(block(x), x)


def test_zeros_beyond_the_ends_change_nothing_further_in_than_half_the_field():
    block = ResidualDilatedBlock(3, 5, dilation=2).double().eval()
    half = block.receptive_field // 2
    x = noise(2, 3, 80)
    cut = block(x[:, :, 10:70])
    inside = slice(half, 60 - half)
    torch.testing.assert_close(cut[:, :, inside], block(x)[:, :, 10:70][:, :, inside], rtol=1e-12, atol=1e-12)
    assert not torch.allclose(cut[:, :, 0], block(x)[:, :, 10])  # and nearer than that they do


def test_parallel_kernels_keep_the_length_and_lie_side_by_side():
    parallel = ParallelConv(4, 2, (3, 7, 15)).double()
    x = noise(3, 4, 20)
    together = parallel(x)  # (3, 6, 20)
    assert together.shape == (3, parallel.n_out, 20)
    for number, branch in enumerate(parallel.branches):
        assert torch.equal(together[:, 2 * number : 2 * number + 2], branch(x))
        reach = branch.kernel_size[0] // 2
        seen = reached(branch, 4, 41, at=20)
        assert (seen.min().item(), seen.max().item()) == (20 - reach, 20 + reach)


@given(st.permutations(range(9)))
@settings(max_examples=10, deadline=None)
def test_global_and_attention_pooling_forget_the_order_of_positions(order):
    torch.manual_seed(0)
    x = noise(2, 3, 9)
    for pool in (MaxAndMean(), AttentionPool(3).double()):
        torch.testing.assert_close(pool(x[:, :, list(order)]), pool(x), rtol=1e-12, atol=1e-12)


def test_attention_weights_sum_to_one_and_equal_scores_give_the_mean():
    pool = AttentionPool(3).double()
    x = noise(4, 3, 12)
    torch.testing.assert_close(pool.weights(x).sum(dim=1), torch.ones(4, dtype=torch.float64))
    nn.init.zeros_(pool.score.weight)
    torch.testing.assert_close(pool(x), x.mean(dim=2))


def test_max_and_mean_are_torchs_own():
    x = noise(2, 3, 8)
    assert torch.equal(MaxAndMean()(x), torch.cat([x.max(dim=2).values, x.mean(dim=2)], dim=1))


@pytest.mark.parametrize(("length", "middle"), [(5, [2]), (6, [2, 3]), (1, [0]), (2, [0, 1])])
def test_the_centre_of_a_sequence_is_its_own_mirror_image(length, middle):
    x = torch.arange(length).double().expand(1, 1, length)
    assert Centre()(x).tolist() == [middle]


def test_the_exponential_turns_sums_of_matches_into_products():
    x, y = noise(2, 3, 4), noise(2, 3, 4, seed=1)
    torch.testing.assert_close(Exponential()(x + y), Exponential()(x) * Exponential()(y))


@pytest.mark.parametrize("strands", ["mean", "max"])
def test_over_both_strands_any_function_forgets_the_strand(strands):
    weight = noise(4, 11)
    x = noise(5, 4, 11, seed=1)

    def model(x):
        return torch.einsum("bcl,cl->b", x, weight)

    assert not torch.allclose(model(x), model(x.flip(1, 2)))
    assert torch.equal(over_strands(model, x, strands), over_strands(model, x.flip(1, 2), strands))
    assert torch.equal(over_strands(model, x, "given"), model(x))

"""Laws of the networks for sequences: any length, padding without a say, a start that predicts nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.generative.diffusion.networks import (
    SequenceNetwork,
    SequenceTransformer,
    UNet1d,
    make_sequence_network,
)

CATEGORIES = {"cell.line": ("K562", "HepG2"), "strand": ("plus", "minus", "both")}


def unet(**options: int) -> SequenceNetwork:
    return UNet1d(6, 4, CATEGORIES, **{"width": 8, "depth": 2, **options})


def transformer(**options: str) -> SequenceNetwork:
    return SequenceTransformer(6, 4, CATEGORIES, width=16, depth=2, n_heads=2, **options)


def rotary() -> SequenceNetwork:
    return transformer(positions="rotary")


EACH = pytest.mark.parametrize("make", [unet, transformer, rotary])


def scrambled(make: Callable[[], SequenceNetwork]) -> SequenceNetwork:
    """A network as training might leave it: nothing is zero, and float64 leaves no room for rounding."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = make().double().eval()
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.3)
    return network


def noisy(n: int, length: int, *, seed: int = 0) -> Tensor:
    return torch.randn(n, 6, length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def asked(n: int) -> dict[str, Tensor]:
    return {"cell.line": torch.arange(n) % 2, "strand": torch.arange(n) % 3}


def times(n: int) -> Tensor:
    return torch.linspace(0, 1, n, dtype=torch.float64)


@EACH
@pytest.mark.parametrize("length", [1, 7, 61, 200, 333])
def test_any_length_comes_back_and_an_untrained_network_predicts_nothing(make, length):
    found = make()(noisy(3, length).float(), times(3).float(), asked(3))
    assert found.shape == (3, 4, length)
    assert found.abs().max() == 0


@EACH
@pytest.mark.parametrize("length", [9, 61])
def test_a_row_gives_in_a_padded_batch_what_it_gives_alone(make, length):
    network, n_positions = scrambled(make), 90
    x = noisy(2, n_positions)
    mask = torch.ones(2, n_positions, dtype=torch.bool)
    mask[0, length:] = False
    together = network(x, times(2), asked(2), mask)
    alone = network(x[:1, :, :length], times(2)[:1], {key: code[:1] for key, code in asked(2).items()})
    torch.testing.assert_close(together[:1, :, :length], alone)
    assert together[0, :, length:].abs().max() == 0


@pytest.mark.parametrize(("make", "shift"), [(unet, 4), (unet, 12), (rotary, 1), (rotary, 7)])
def test_a_sequence_is_read_alike_wherever_it_stands(make, shift):
    network, x = scrambled(make), noisy(1, 40)
    moved = torch.cat([noisy(1, shift, seed=1), x], dim=2)
    mask = (torch.arange(40 + shift) >= shift)[None]
    found = network(moved, times(1), None, mask)[:, :, shift:]
    # The angles of rotary positions are float32.
    torch.testing.assert_close(found, network(x, times(1)), atol=1e-5, rtol=1e-5)


def test_a_transformer_with_sinusoids_knows_the_place_and_with_rotations_only_the_distance():
    alike = noisy(1, 1).expand(1, 6, 20)  # the same letter everywhere
    assert scrambled(transformer)(alike, times(1)).std(dim=2).min() > 1e-3
    assert scrambled(rotary)(alike, times(1)).std(dim=2).max() < 1e-9


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_letter_reaches_no_further_in_a_u_net_than_is_said(depth):
    network = scrambled(lambda: unet(depth=depth))
    length, place = 4 * network.reach + 1, 2 * network.reach
    x = noisy(1, length)
    other = x.clone()
    other[:, :, place] += 1
    changed = (network(x, times(1)) != network(other, times(1))).any(dim=1)[0].nonzero()[:, 0]
    assert (changed - place).abs().max() <= network.reach
    assert (changed - place).abs().max() > network.reach // 2  # or the bound says nothing


@EACH
def test_rows_know_nothing_of_each_other_and_one_time_stands_for_all(make):
    network, x, codes = scrambled(make), noisy(6, 33), asked(6)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    found = network(x, times(6), codes)
    again = network(x[order], times(6)[order], {key: code[order] for key, code in codes.items()})
    torch.testing.assert_close(again, found[order])
    half = torch.tensor(0.5, dtype=torch.float64)
    torch.testing.assert_close(network(x, half, codes), network(x, half.expand(6), codes))


@EACH
def test_time_and_each_condition_matter_after_training_and_a_hidden_one_is_none(make):
    network, x, t, codes = scrambled(make), noisy(4, 21), times(4), asked(4)
    found = network(x, t, codes)
    assert not torch.allclose(found, network(x, t.flip(0), codes))
    for key in CATEGORIES:
        assert not torch.allclose(found, network(x, t, {**codes, key: codes[key].flip(0)}))
    torch.testing.assert_close(network(x, t, network.drop(codes, 1.0)), network(x, t))
    torch.testing.assert_close(network(x, t, network.drop(codes, 0.0)), found)


@EACH
def test_the_first_steps_of_training_reach_the_condition_although_it_starts_at_zero(make):
    torch.manual_seed(0)
    network, x = make(), noisy(4, 16).float()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(3):
        optimiser.zero_grad()
        (network(x, times(4).float(), asked(4)) - x[:, :4]).square().mean().backward()
        optimiser.step()
    embeddings = [*network.conditions.parameters()]
    assert all(embedding.grad.abs().max() > 0 for embedding in embeddings)


def test_an_untrained_block_of_the_transformer_is_the_identity():
    network, hidden = transformer(), torch.randn(2, 9, 16)
    for block in network.blocks:
        assert torch.equal(block(hidden, torch.randn(2, 16)), hidden)


@pytest.mark.parametrize("width", [16, 64])
def test_a_block_of_the_transformer_has_18_width_squared_weights(width):
    # 6 of the modulation, 4 of attention, 8 of the feed-forward layer; and a bias for each feature made.
    sizes = [
        sum(p.numel() for p in SequenceTransformer(4, 4, {}, width=width, depth=depth).parameters())
        for depth in (1, 3)
    ]
    assert (sizes[1] - sizes[0]) / 2 == 18 * width**2 + 15 * width


def test_dropout_acts_in_training_alone():
    for network in (unet(dropout=0.5), transformer(dropout=0.5)):
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.3)
        x, t = noisy(2, 20).float(), times(2).float()
        assert not torch.equal(network(x, t), network(x, t))
        network.eval()
        assert torch.equal(network(x, t), network(x, t))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: unet()(torch.zeros(2, 20, 6), torch.tensor(0.5)), r"\(batch, 6, length\), got \(2, 20, 6\)"),
        (lambda: unet()(torch.zeros(2, 6, 0), torch.tensor(0.5)), "leave empty sequences out"),
        (
            lambda: unet()(torch.zeros(2, 6, 20), torch.tensor(0.5), None, torch.ones(2, 20)),
            r"the mask is torch.float32 \(2, 20\): give bool \(2, 20\)",
        ),
        (
            lambda: unet()(torch.zeros(2, 6, 20), torch.tensor(0.5), {"strand": torch.zeros(2).long()}),
            r"told 'cell.line', but the batch holds only \['strand'\]",
        ),
        (lambda: transformer(positions="learned"), "positions is 'learned': choose sinusoidal or rotary"),
        (
            lambda: SequenceTransformer(4, 4, {}, width=20, n_heads=4),
            "width is 20 for 4 heads: choose a multiple of 8",
        ),
        (
            lambda: make_sequence_network("unet1d", 4, 4, {}, width=8, depth=1),
            "no network 'unet1d' for sequences: did you mean 'unet'",
        ),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(InputError, match=message):
        call()

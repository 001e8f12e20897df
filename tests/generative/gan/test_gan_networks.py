"""Laws of the players' networks."""

import math

import torch
from torch import nn

from genailab.generative.gan import spectrally_normalised
from genailab.generative.gan.networks import ProjectionHead, VectorCritic, VectorGenerator
from genailab.generative.gan.sequence_networks import SequenceCritic, SequenceGenerator
from genailab.training import seeded

CELL_TYPES = {"cell_type": ("B", "NK", "T"), "donor.of": ("1", "2")}


def codes(n):
    return {"cell_type": torch.arange(n) % 3, "donor.of": torch.arange(n) % 2}


def spectrally_normalised_after_iterations(module, x, *more):
    spectrally_normalised(module).train()
    for _ in range(100):  # of the power method, one a forward pass
        module(x, *more)
    return module.eval()


def test_spectral_norm_makes_every_layers_largest_singular_value_one():
    with seeded(0):
        critic = VectorCritic(5, CELL_TYPES, width=16, depth=2)
    spectrally_normalised_after_iterations(critic, torch.randn(6, 5), codes(6))
    layers = [layer for layer in critic.modules() if isinstance(layer, nn.Linear | nn.Embedding)]
    assert len(layers) == 2 + 1 + 2
    for layer in layers:
        assert abs(torch.linalg.matrix_norm(layer.weight, 2).item() - 1) < 1e-3


def test_a_spectrally_normalised_critic_stretches_no_distance():
    with seeded(0):
        critic = VectorCritic(5, {}, width=16, depth=3)
        for layer in critic.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=3.0)
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 500, 5, generator=generator)
    assert ((critic(x, {}) - critic(y, {})).abs() / (x - y).norm(dim=1)).max() > 10
    spectrally_normalised_after_iterations(critic, x, {})
    assert ((critic(x, {}) - critic(y, {})).abs() / (x - y).norm(dim=1)).max() <= 1.001


def test_a_normalised_convolution_stretches_by_no_more_than_the_root_of_its_kernel():
    with seeded(0):
        layer = nn.Conv1d(4, 8, 5, padding=2)
        wrapped = spectrally_normalised_after_iterations(nn.Sequential(layer), torch.randn(2, 4, 30))
    x = torch.randn(200, 4, 30, generator=torch.Generator().manual_seed(0))
    stretch = (wrapped(x) - wrapped(torch.zeros_like(x))).flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)
    assert stretch.max() <= math.sqrt(5) + 1e-3


def test_the_projection_is_linear_in_the_features_given_the_condition():
    with seeded(0):
        head = ProjectionHead(7, CELL_TYPES)
    x, y = torch.randn(2, 6, 7, generator=torch.Generator().manual_seed(0))
    zero = head(torch.zeros(6, 7), codes(6))
    torch.testing.assert_close(
        head(x + 2 * y, codes(6)) - zero, head(x, codes(6)) + 2 * head(y, codes(6)) - 3 * zero
    )
    # The condition alone, without features, says nothing about real or generated.
    assert torch.equal(zero, zero[:1].expand(6))


def test_players_treat_each_row_by_itself():
    with seeded(0):
        players = [
            VectorGenerator(4, CELL_TYPES, 3, width=8, depth=2),
            VectorCritic(4, CELL_TYPES, width=8, depth=2),
            SequenceGenerator(4, CELL_TYPES, size=4, length=9, n_channels=8, depth=2),
        ]
        sequence_critic = SequenceCritic(CELL_TYPES, size=4, length=9, n_channels=8, depth=2, width=8)
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    cases = [(player, x) for player in players] + [(sequence_critic, x[:, :, None].expand(6, 4, 9))]
    for player, rows in cases:
        together = player.train()(rows, codes(6))
        alone = player(rows[2:3], {name: code[2:3] for name, code in codes(6).items()})
        torch.testing.assert_close(together[2:3], alone)

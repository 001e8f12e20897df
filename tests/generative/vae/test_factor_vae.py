"""Laws of FactorVAE: two players in one loss, each with its own gradient, and a ratio that is the TC."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genailab.generative.vae import VAE, LatentDiscriminator, VAEConfig, permute_dimensions


def build(**options: object) -> VAE:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VAE(VAEConfig(n_dims=5, n_latent=2, n_hidden=16, n_layers=1, objective="factor", **options))


def batch(n: int = 32) -> dict[str, Tensor]:
    return {"x": torch.randn(n, 5, generator=torch.Generator().manual_seed(0))}


def gradients(total: Tensor, model: VAE) -> dict[str, Tensor | None]:
    names = [name for name, value in model.named_parameters() if value.requires_grad]
    values = [value for value in model.parameters() if value.requires_grad]
    found = torch.autograd.grad(total, values, allow_unused=True, retain_graph=True)
    return dict(zip(names, found, strict=True))


def test_each_player_gets_its_gradient_from_its_own_term_alone():
    model = build().train()
    loss = model.loss(batch())
    own = gradients(loss.terms["discriminator"], model)
    everything = gradients(loss.total, model)
    correlation = gradients(loss.terms["total_correlation"], model)
    for name, gradient in everything.items():
        if name.startswith("discriminator."):
            torch.testing.assert_close(gradient, own[name])
            assert correlation[name] is None
            assert gradient.abs().sum() > 0
        else:
            assert own[name] is None
    assert correlation["to_posterior.weight"].abs().sum() > 0


def test_the_loss_is_that_of_the_elbo_plus_gamma_times_the_total_correlation():
    model = build(gamma=3.0).eval()
    loss = model.loss(batch())
    terms = loss.terms
    expected = terms["reconstruction"] + terms["kl"] + 3 * terms["total_correlation"]
    torch.testing.assert_close(loss.total, expected)
    model.train()
    loss = model.loss(batch())
    terms = loss.terms
    expected = terms["reconstruction"] + terms["kl"] + 3 * terms["total_correlation"] + terms["discriminator"]
    torch.testing.assert_close(loss.total, expected)


def test_the_players_learn_with_their_own_momentum_and_none_is_forgotten():
    model = build()
    groups = model.parameter_groups(1e-3)
    ours = {id(parameter) for parameter in groups[0]["params"]}
    theirs = {id(parameter) for parameter in groups[1]["params"]}
    assert theirs == {id(parameter) for parameter in model.discriminator.parameters()}
    assert ours | theirs == {id(p) for p in model.parameters() if p.requires_grad}
    assert not ours & theirs
    assert groups[1]["betas"] == (0.5, 0.9)


def test_shuffled_dimensions_keep_their_values_and_lose_their_dependence():
    state = torch.randn(5000, 1, generator=torch.Generator().manual_seed(0)).expand(-1, 3).contiguous()
    shuffled = permute_dimensions(state, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(shuffled.sort(dim=0).values, state.sort(dim=0).values)
    correlations = torch.corrcoef(shuffled.T) - torch.eye(3)
    assert correlations.abs().max() < 0.06


def test_a_trained_discriminator_gives_the_total_correlation_of_gaussians():
    correlation = 0.8
    generator = torch.Generator().manual_seed(0)

    def draw(n: int) -> Tensor:
        z = torch.randn(n, 2, generator=generator)
        mixed = correlation * z[:, :1] + math.sqrt(1 - correlation**2) * z[:, 1:]
        return torch.cat([z[:, :1], mixed], dim=1)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        discriminator = LatentDiscriminator(2, n_hidden=32, n_layers=2)
        assert discriminator.loss(draw(500)).item() == pytest.approx(math.log(2), abs=0.05)
        optimiser = torch.optim.Adam(discriminator.parameters(), lr=5e-3)
        for _ in range(250):
            optimiser.zero_grad()
            discriminator.loss(draw(512)).backward()
            optimiser.step()
    found = discriminator.total_correlation(draw(20_000)).item()
    assert found == pytest.approx(-0.5 * math.log(1 - correlation**2), abs=0.08)

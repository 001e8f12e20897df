"""The bounds on log p(x), on a model whose log p(x) is known: z ~ N(0, 1), x | z ~ N(a z, s^2)."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from genailab.generative.vae import elbo, gaussian_log_prob, importance_weighted_bound
from genailab.generative.vae.count_vae import Gaussian

SLOPE, NOISE = 1.5, 0.7
X = torch.tensor([-2.0, 0.1, 1.0, 4.0], dtype=torch.float64)  # four "cells"
EVIDENCE = gaussian_log_prob(X, torch.zeros_like(X), torch.full_like(X, 0.5 * math.log(SLOPE**2 + NOISE**2)))


def exact_posterior() -> Gaussian:
    precision = 1 + SLOPE**2 / NOISE**2
    mean = SLOPE * X / NOISE**2 / precision
    return Gaussian(mean[:, None], torch.full_like(mean, precision**-0.5)[:, None])


def log_weights(posterior: Gaussian, n_draws: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    z = torch.stack([posterior.draw(generator) for _ in range(n_draws)])  # (draws, cells, 1)
    prior = Gaussian(torch.zeros_like(z), torch.ones_like(z))
    likelihood = Gaussian(SLOPE * z, torch.full_like(z, NOISE))
    return prior.log_prob(z) + likelihood.log_prob(X[:, None]) - posterior.log_prob(z)


def test_with_the_exact_posterior_one_draw_gives_the_evidence():
    weights = log_weights(exact_posterior(), 3)
    torch.testing.assert_close(weights, EVIDENCE.expand(3, -1))
    torch.testing.assert_close(elbo(weights), EVIDENCE)
    torch.testing.assert_close(importance_weighted_bound(weights), EVIDENCE)


def test_with_a_wrong_posterior_the_elbo_falls_short_by_the_kl_and_the_iwae_does_not():
    exact = exact_posterior()
    wrong = Gaussian(exact.mean + 0.2, 1.5 * exact.std)
    weights = log_weights(wrong, 20_000)
    ratio = 1.5
    shortfall = (
        -math.log(ratio) + (ratio**2 + (0.2 / exact.std[0].item()) ** 2) / 2 - 0.5
    )  # KL(wrong || exact)
    torch.testing.assert_close(elbo(weights), EVIDENCE - shortfall, atol=0.03, rtol=0)
    torch.testing.assert_close(importance_weighted_bound(weights), EVIDENCE, atol=0.02, rtol=0)


def test_the_bound_does_not_fall_when_draws_are_pooled():
    # Jensen: the log of a mean is at least the mean of the logs of its parts, for any weights.
    weights = log_weights(Gaussian(torch.zeros(4, 1).double(), torch.ones(4, 1).double()), 1024)
    bounds = [
        torch.stack([importance_weighted_bound(part) for part in weights.split(k)]).mean(dim=0)
        for k in (1, 4, 32, 1024)
    ]
    torch.testing.assert_close(bounds[0], elbo(weights))
    for fewer, more in pairwise(bounds):
        assert (more >= fewer - 1e-12).all()
    assert (bounds[-1] > bounds[0] + 0.05).all()


def test_very_small_weights_do_not_underflow():
    weights = torch.full((10, 2), -5_000.0)
    assert importance_weighted_bound(weights).tolist() == pytest.approx([-5_000.0] * 2)


def test_kl_of_gaussians_is_what_torch_says():
    mean, std = torch.tensor([[0.3, -2.0]]), torch.tensor([[0.2, 3.0]])
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, std), torch.distributions.Normal(0.5, 1.7)
    ).sum(dim=1)
    torch.testing.assert_close(Gaussian(mean, std).kl(0.5, 1.7), expected)

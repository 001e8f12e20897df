"""Laws of scores: mixtures in closed form, divergences, information, Stein's discrepancy, Tweedie."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy import (
    GaussianMixture,
    energy_and_score,
    fisher_divergence,
    fisher_information,
    kernel_stein_discrepancy,
    median_distance,
    tweedie,
)

MIXTURE = GaussianMixture(
    weights=torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64),
    means=torch.tensor([[-1.0, 0.0], [1.5, 0.5], [0.0, -2.0]], dtype=torch.float64),
    stds=torch.tensor([0.5, 0.8, 0.3], dtype=torch.float64),
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(n: int, dims: int, seed: int = 0) -> Tensor:
    return torch.randn(n, dims, generator=seeded(seed), dtype=torch.float64)


def test_a_mixture_s_score_is_the_gradient_and_its_density_sums_to_one():
    x = 2 * normal(40, 2)
    torch.testing.assert_close(energy_and_score(MIXTURE.energy, x)[1], MIXTURE.score(x))
    grid = torch.linspace(-6, 6, 601, dtype=torch.float64)
    mass = MIXTURE.log_prob(torch.cartesian_prod(grid, grid)).exp().sum() * 0.02**2
    assert mass.item() == pytest.approx(1, abs=1e-6)


def test_far_from_everything_a_mixture_s_score_stays_finite_and_points_home():
    x = torch.tensor([[1e4, 0.0], [0.0, -1e4]], dtype=torch.float64)
    score = MIXTURE.score(x)
    assert torch.isfinite(score).all()
    assert ((score * x).sum(dim=1) < 0).all()


def test_draws_of_a_mixture_have_its_moments_and_blurred_ones_those_of_noisy_draws():
    n = 100_000
    weights = MIXTURE.weights / MIXTURE.weights.sum()
    mean = weights @ MIXTURE.means
    second = weights @ (MIXTURE.means.square() + MIXTURE.stds.square()[:, None])
    for sigma, mixture in ((0.0, MIXTURE), (0.7, MIXTURE.blurred(0.7))):
        x = mixture.sample(n, generator=seeded())
        torch.testing.assert_close(x.mean(dim=0), mean, atol=0.02, rtol=0)
        torch.testing.assert_close(x.square().mean(dim=0), second + sigma**2, atol=0.05, rtol=0)


def test_tweedie_gives_the_expected_data_of_a_gaussian_at_any_alpha_and_sigma():
    mean, std, alpha, sigma = 1.3, 0.6, 0.7, 0.9
    x = normal(30, 2)
    variance = alpha**2 * std**2 + sigma**2
    posterior = mean + alpha * std**2 / variance * (x - alpha * mean)
    found = tweedie(x, -(x - alpha * mean) / variance, sigma=sigma, alpha=alpha)
    torch.testing.assert_close(found, posterior)


def test_tweedie_averages_the_data_that_a_noisy_draw_came_from():
    x0 = MIXTURE.sample(200_000, generator=seeded())
    x = x0 + 0.5 * normal(200_000, 2, seed=1)
    denoised = tweedie(x, MIXTURE.blurred(0.5).score(x), sigma=0.5)
    # E[(x0 - E[x0 | x]) g(x)] = 0 for every g: the errors are uncorrelated with whatever is known of x.
    for function in (torch.sin, torch.tanh, lambda x: x):
        assert ((x0 - denoised) * function(x)).mean().item() == pytest.approx(0, abs=0.005)


@given(st.floats(-2, 2), st.floats(0.5, 2), st.floats(-2, 2), st.floats(0.5, 2))
@settings(max_examples=20, deadline=None)
def test_fisher_divergence_of_two_gaussians_has_its_closed_form(m, s, other_m, other_s):
    x = m + s * normal(100_000, 1)
    found = fisher_divergence(lambda x: (m - x) / s**2, lambda x: (other_m - x) / other_s**2, x)
    exact = (1 / other_s**2 - 1 / s**2) ** 2 * s**2 + (m - other_m) ** 2 / other_s**4
    assert found.item() == pytest.approx(exact, rel=0.05, abs=1e-9)


def test_fisher_divergence_ignores_normalisers_and_is_zero_for_the_same_density():
    x = MIXTURE.sample(50, generator=seeded())
    shifted = lambda x: energy_and_score(lambda y: MIXTURE.energy(y) + 7, x)[1]  # noqa: E731
    assert fisher_divergence(MIXTURE.score, shifted, x).item() == pytest.approx(0, abs=1e-20)


def test_fisher_information_of_a_gaussian_is_the_textbook_s():
    mean, std = 0.7, 1.6

    def log_prob(theta: Tensor, x: Tensor) -> Tensor:
        return -0.5 * ((x[:, 0] - theta[0]) / theta[1]).square() - theta[1].log()

    theta = torch.tensor([mean, std], dtype=torch.float64)
    found = fisher_information(log_prob, theta, mean + std * normal(200_000, 1))
    exact = torch.diag(torch.tensor([1.0, 2.0], dtype=torch.float64)) / std**2
    torch.testing.assert_close(found, exact, atol=0.01, rtol=0)


def test_fisher_information_changes_with_the_parameters_like_a_metric():
    # In log s instead of s: multiplied by (ds / dlog s)^2 = s^2.
    x = 1.6 * normal(1000, 1)
    in_std = fisher_information(
        lambda t, x: -0.5 * (x[:, 0] / t[0]).square() - t[0].log(), torch.tensor([1.6]).double(), x
    )
    in_log = fisher_information(
        lambda t, x: -0.5 * (x[:, 0] / t[0].exp()).square() - t[0], torch.tensor([1.6]).double().log(), x
    )
    torch.testing.assert_close(in_log, in_std * 1.6**2)


@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_stein_s_discrepancy_averages_to_zero_for_the_right_density(kernel):
    draws = torch.stack(
        [
            kernel_stein_discrepancy(
                MIXTURE.sample(60, generator=seeded(seed)), MIXTURE.score, kernel=kernel, bandwidth=1.0
            )
            for seed in range(150)
        ]
    )
    assert abs(draws.mean()) < 3.5 * draws.std() / math.sqrt(len(draws))
    assert draws.min() < 0 < draws.max()  # unbiased: it must be able to fall below


@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_stein_s_discrepancy_grows_with_a_shift(kernel):
    x = normal(600, 2)
    found = [
        kernel_stein_discrepancy(x + shift, lambda x: -x, kernel=kernel, bandwidth=1.0).item()
        for shift in (0.0, 0.3, 0.6, 1.2)
    ]
    assert abs(found[0]) < 0.05
    assert found == sorted(found)
    assert found[-1] > 0.5


@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_stein_s_discrepancy_is_the_kernel_s_derivatives_by_autograd(kernel):
    x, h = normal(6, 3), 1.3

    def k(a: Tensor, b: Tensor) -> Tensor:
        square = (a - b).square().sum() / h**2
        return (-0.5 * square).exp() if kernel == "rbf" else (1 + square) ** -0.5

    def pair(a: Tensor, b: Tensor) -> Tensor:
        da, db = torch.func.grad(k, 0)(a, b), torch.func.grad(k, 1)(a, b)
        mixed = torch.func.jacrev(torch.func.grad(k, 0), 1)(a, b)
        sa, sb = MIXTURE3(a), MIXTURE3(b)
        return (sa @ sb) * k(a, b) + sa @ db + sb @ da + mixed.diagonal().sum()

    def MIXTURE3(a: Tensor) -> Tensor:
        return -(a**3) + 0.2

    total = sum(pair(x[i], x[j]) for i in range(6) for j in range(6) if i != j)
    found = kernel_stein_discrepancy(x, MIXTURE3, kernel=kernel, bandwidth=h)
    torch.testing.assert_close(found, total / 30)


def test_the_default_bandwidth_is_the_median_distance():
    x = normal(30, 2)
    by_default = kernel_stein_discrepancy(x, lambda x: -x)
    given_one = kernel_stein_discrepancy(x, lambda x: -x, bandwidth=float(median_distance(x)))
    torch.testing.assert_close(by_default, given_one)
    assert median_distance(torch.tensor([[0.0], [1.0], [5.0]])).item() == 4.0


def test_what_cannot_be_compared_is_refused():
    x = normal(5, 2)
    with pytest.raises(InputError, match="got 1 draws: at least 2 are needed"):
        kernel_stein_discrepancy(x[:1], lambda x: -x)
    with pytest.raises(InputError, match="kernel is 'gauss': choose imq or rbf"):
        kernel_stein_discrepancy(x, lambda x: -x, kernel="gauss")
    with pytest.raises(InputError, match=r"bandwidth is 0\.0: it must be positive"):
        kernel_stein_discrepancy(torch.zeros(4, 2), lambda x: -x)
    with pytest.raises(InputError, match="got 0 draws"):
        fisher_divergence(lambda x: -x, lambda x: -x, x[:0])
    with pytest.raises(InputError, match=r"weights \(2,\), means \(3, 2\) and stds \(3,\) are no mixture"):
        GaussianMixture(weights=torch.ones(2), means=torch.ones(3, 2), stds=torch.ones(3))
    with pytest.raises(InputError, match=r"stds are \[1.0, 0.0\]: all must be positive"):
        GaussianMixture(weights=torch.ones(2), means=torch.ones(2, 1), stds=torch.tensor([1.0, 0.0]))
    with pytest.raises(InputError, match="asked for 0 samples"):
        MIXTURE.sample(0)

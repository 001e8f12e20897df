"""Likelihoods by the probability-flow ODE against densities that are known exactly."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from genailab.errors import InputError
from genailab.generative.diffusion.likelihood import log_likelihood
from genailab.generative.diffusion.schedules import CosineSchedule, Schedule, VESchedule, make_schedule

KINDS = ["cosine", "linear", "sigmoid", "cond_ot", "ve", "edm"]
WEIGHTS = torch.tensor([0.3, 0.7], dtype=torch.float64)
MEANS = torch.tensor([[-1.05, 0.35], [0.45, -0.15]], dtype=torch.float64)  # about 0 together
COVARIANCES = torch.tensor([[[0.1, 0.05], [0.05, 0.2]], [[0.3, -0.2], [-0.2, 0.4]]], dtype=torch.float64)


def schedule_of(kind: str) -> Schedule:
    # Noise far beyond these data, whatever the default is.
    return VESchedule(sigma_min=0.01, sigma_max=50.0) if kind == "ve" else make_schedule(kind)


def mixture(alpha: float | Tensor = 1.0, sigma: float | Tensor = 0.0) -> MixtureSameFamily:
    """Return the distribution of x_t: a mixture of two correlated Gaussians in the plane."""
    covariances = alpha**2 * COVARIANCES + sigma**2 * torch.eye(2, dtype=torch.float64)
    return MixtureSameFamily(Categorical(WEIGHTS), MultivariateNormal(alpha * MEANS, covariances))


def denoiser(schedule: Schedule) -> Callable[[Tensor, Tensor], Tensor]:
    """Return E[x_0 | x_t] from the score by Tweedie's formula, differentiable by x_t."""

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.alpha(t), schedule.sigma(t)
        with torch.enable_grad():
            x = x if x.requires_grad else x.detach().requires_grad_()
            log_density = mixture(alpha, sigma).log_prob(x).sum()
            (score,) = torch.autograd.grad(log_density, x, create_graph=True)
        return (x + sigma**2 * score) / alpha

    return denoise


@pytest.mark.parametrize("kind", KINDS)
def test_matches_the_density_of_a_mixture_to_a_hundredth_of_a_nat(kind):
    schedule = schedule_of(kind)
    x = torch.cat(
        [MEANS, torch.tensor([[0.0, 0.0], [1.6, -0.6], [-1.7, 0.8], [0.3, 0.9]], dtype=torch.float64)]
    )
    found = log_likelihood(denoiser(schedule), x, schedule)
    torch.testing.assert_close(found, mixture().log_prob(x), atol=0.01, rtol=0)
    assert not found.requires_grad


@pytest.mark.parametrize("kind", ["cosine", "cond_ot"])
def test_the_density_integrates_to_one(kind):
    schedule = schedule_of(kind)
    x = torch.linspace(-6, 6, 601, dtype=torch.float64)[:, None]

    def tanh(x: Tensor, t: Tensor) -> Tensor:  # any network is a flow, and a flow has a density
        return torch.tanh(schedule.alpha(t) * x)

    density = log_likelihood(tanh, x, schedule).exp()
    # Where sigma ends, tanh has not flowed to a normal; the law holds for whatever it does.
    assert torch.trapezoid(density, x[:, 0]).item() == pytest.approx(1, abs=1e-3)


def correlated(schedule: Schedule, correlation: float) -> Callable[[Tensor, Tensor], Tensor]:
    covariance = torch.tensor([[1, correlation], [correlation, 1]], dtype=torch.float64)

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.alpha(t), schedule.sigma(t)
        noisy = alpha**2 * covariance + sigma**2 * torch.eye(2, dtype=torch.float64)
        return x @ torch.linalg.solve(noisy, alpha * covariance)

    return denoise


def test_hutchinsons_estimate_has_the_errors_that_it_must_have():
    # e^T J e is tr J + 2 e_1 e_2 J_12 with J_12 known: the error is +- log((1 + c) / (1 - c)) / 2.
    schedule, c = CosineSchedule(), 0.5
    x = torch.zeros(400, 2, dtype=torch.float64)
    exact = log_likelihood(correlated(schedule, c), x[:1], schedule)
    one = log_likelihood(
        correlated(schedule, c),
        x,
        schedule,
        divergence="hutchinson",
        generator=torch.Generator().manual_seed(0),
    )
    size = 0.5 * math.log((1 + c) / (1 - c))
    torch.testing.assert_close((one - exact).abs(), torch.full_like(one, size), atol=1e-3, rtol=0)
    assert abs((one - exact).mean().item()) < 4 * size / math.sqrt(400)
    many = log_likelihood(
        correlated(schedule, c),
        x[:50],
        schedule,
        divergence="hutchinson",
        n_probes=64,
        generator=torch.Generator().manual_seed(0),
    )
    assert (many - exact).std().item() == pytest.approx(size / 8, rel=0.3)


def test_in_one_dimension_hutchinsons_estimate_is_exact_and_needs_no_chance():
    schedule = CosineSchedule()
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None]
    found = [
        log_likelihood(lambda x, t: torch.tanh(x), x, schedule, divergence=kind)
        for kind in ("exact", "hutchinson")
    ]
    torch.testing.assert_close(found[0], found[1])


def test_independent_entries_of_any_shape_add_up():
    schedule = schedule_of("cond_ot")

    def shrink(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.alpha(t), schedule.sigma(t)
        return alpha * 0.25 / (alpha**2 * 0.25 + sigma**2) * x

    x = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))
    expected = torch.distributions.Normal(0.0, 0.5).log_prob(x).sum(dim=(1, 2))
    found = log_likelihood(shrink, x, schedule)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=0.01, rtol=0)


def test_leaves_the_random_state_and_its_input():
    x, state = torch.ones(2, 2), torch.get_rng_state()
    generator = torch.Generator().manual_seed(0)
    log_likelihood(lambda x, t: x / 2, x, CosineSchedule(), divergence="hutchinson", generator=generator)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(x, torch.ones(2, 2))


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (torch.ones(3), {}, r"expected samples \(batch, dims\), got the shape \(3,\)"),
        (torch.ones(0, 2), {}, r"got the shape \(0, 2\)"),
        (torch.tensor([[1.0], [math.nan]]), {}, "sample 1 holds a value that is not finite"),
        (torch.ones(2, 2), {"divergence": "trace"}, "divergence is 'trace': choose exact or hutchinson"),
        (torch.ones(2, 2), {"n_probes": 0}, "n_probes is 0: give at least 1"),
    ],
)
def test_what_has_no_likelihood_is_refused(x, options, message):
    with pytest.raises(InputError, match=message):
        log_likelihood(lambda x, t: x, x, CosineSchedule(), **options)

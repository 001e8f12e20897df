"""Denoising objectives on Gaussian data, where the best network and its loss are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from genailab.generative.diffusion import (
    CondOTSchedule,
    CosineSchedule,
    DenoisingObjective,
    GaussianProcess,
    LearnedSchedule,
    Schedule,
    VESchedule,
    convert,
    loss_weight,
)
from genailab.generative.diffusion.prediction import PREDICTIONS, error_scale
from genailab.generative.diffusion.schedules.learned import VarianceGradient

MEAN, STD, N = 0.5, 0.8, 40_000
SCHEDULES = [CosineSchedule(), CondOTSchedule(), VESchedule(sigma_max=10.0)]


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def best_x0(x: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """Return E[x_0 | x_t] of data N(MEAN, STD^2), for x of shape (batch, 1)."""
    alpha, sigma = schedule.alpha(t)[:, None], schedule.sigma(t)[:, None]
    gain = alpha * STD**2 / ((alpha * STD).square() + sigma.square())
    return MEAN + gain * (x - alpha * MEAN)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_the_true_prediction_has_the_least_loss_and_it_is_the_variance_that_is_left(kind, schedule):
    x0, noise = MEAN + STD * draw(N, 1, seed=0), draw(N, 1, seed=1)
    t = torch.linspace(0.1, 0.9, N, dtype=torch.float64)
    objective = DenoisingObjective(GaussianProcess(schedule), kind, weighting="eps")

    def loss(change: float) -> Tensor:
        def network(x: Tensor, t: Tensor) -> Tensor:
            best = convert(best_x0(x, t, schedule), x, t, schedule, kind="x0", to=kind)
            return best * (1 + change)

        return objective(network, x0, t=t, noise=noise).mean()

    variance = 1 / (STD**-2 + schedule.log_snr(t).exp())  # of x_0 given x_t
    weight = loss_weight("eps", t, schedule, prediction=kind) * error_scale(t, schedule, kind=kind).square()
    assert loss(0.0).item() == pytest.approx((weight * variance).mean().item(), rel=0.05)
    assert loss(0.0) < min(loss(0.1), loss(-0.1))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_the_best_score_is_the_gradient_of_the_log_density(schedule):
    x, t = draw(20, 1, seed=2).requires_grad_(), torch.linspace(0.1, 0.9, 20, dtype=torch.float64)
    alpha, sigma = schedule.alpha(t)[:, None], schedule.sigma(t)[:, None]
    spread = ((alpha * STD).square() + sigma.square()).sqrt()
    log_density = torch.distributions.Normal(alpha * MEAN, spread).log_prob(x)
    (expected,) = torch.autograd.grad(log_density.sum(), x)
    found = convert(best_x0(x, t, schedule), x, t, schedule, kind="x0", to="score")
    torch.testing.assert_close(found.detach(), expected)


def test_given_times_and_noise_draw_nothing():
    objective = DenoisingObjective(GaussianProcess(CosineSchedule()))
    random_state = torch.get_rng_state()
    x0 = draw(5, 2, seed=0)
    found = objective(lambda x, t: x, x0, t=torch.linspace(0, 1, 5).double(), noise=draw(5, 2, seed=1))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert found.shape == (5,)


class Guess(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.3, dtype=torch.float64))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.gain * x * (1 + t[:, None])


def test_a_learned_schedule_gets_the_gradient_of_the_squared_loss_and_the_network_its_own():
    x0, noise, t = draw(30, 2, seed=0), draw(30, 2, seed=1), torch.linspace(0.01, 0.99, 30).double()
    network, schedule = Guess(), LearnedSchedule(n_hidden=8).double()

    def losses(used: Schedule) -> Tensor:
        return DenoisingObjective(GaussianProcess(used), "eps", weighting="elbo")(
            network, x0, t=t, noise=noise
        )

    weights = list(schedule.parameters())
    squared = torch.autograd.grad(losses(schedule).square().mean(), weights)
    (own,) = torch.autograd.grad(losses(schedule).mean(), [network.gain])
    watched = VarianceGradient(schedule)
    found = losses(watched)
    watched.learn_from(found)
    *of_schedule, of_network = torch.autograd.grad(found.mean(), [*weights, network.gain])
    torch.testing.assert_close(of_schedule, list(squared))
    torch.testing.assert_close(of_network, own)

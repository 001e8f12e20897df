"""Laws of the games: their best critics, and penalties worked out by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genailab.errors import InputError
from genailab.generative.gan import critic_loss, generator_loss, gradient_penalty, r1_penalty
from genailab.generative.gan.networks import VectorCritic
from genailab.training import seeded


def gaussian_quantiles(n, mean, std):
    """Points whose mean of any smooth function is the Gaussian's expectation."""
    levels = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return mean + std * math.sqrt(2) * torch.erfinv(2 * levels - 1)[:, None]


@pytest.fixture(scope="module")
def best_critic():
    """A critic trained on N(0, 1) as real rows and N(1, 1.5^2) as generated ones."""
    real, fake = gaussian_quantiles(1000, 0.0, 1.0), gaussian_quantiles(1000, 1.0, 1.5)
    with seeded(0):
        critic = VectorCritic(1, {}, width=32, depth=2).double()
    optimizer = torch.optim.LBFGS(critic.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = critic_loss(critic(real, {}), critic(fake, {}), game="non_saturating")
        loss.backward()
        return loss

    optimizer.step(closure)
    return critic, closure().item()


def log_ratio(x):
    return -(x**2) / 2 + ((x - 1) / 1.5) ** 2 / 2 + math.log(1.5)


def test_the_best_critic_of_the_standard_game_scores_the_log_ratio_of_the_densities(best_critic):
    critic, _ = best_critic
    x = torch.linspace(-1.5, 2, 30, dtype=torch.float64)[:, None]
    torch.testing.assert_close(critic(x, {}), log_ratio(x)[:, 0], atol=0.05, rtol=0)


def test_the_standard_game_measures_the_jensen_shannon_divergence(best_critic):
    _, loss = best_critic
    x = torch.linspace(-12, 14, 200_001, dtype=torch.float64)
    real = torch.distributions.Normal(0.0, 1.0).log_prob(x).exp()
    fake = torch.distributions.Normal(1.0, 1.5).log_prob(x).exp()
    middle = (real + fake) / 2
    divergence = torch.trapezoid(
        torch.xlogy(real, real / middle) + torch.xlogy(fake, fake / middle), x
    ).item()
    assert loss == pytest.approx(2 * math.log(2) - divergence, abs=1e-3)


def test_a_critic_of_slope_one_measures_how_far_a_distribution_was_moved():
    x = torch.randn(50, generator=torch.Generator().manual_seed(0))
    assert critic_loss(x + 3, x, game="wasserstein").item() == pytest.approx(-3)


@given(scores=st.lists(st.floats(-20, 20), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_generators_want_higher_scores_and_no_game_saturates_where_the_critic_is_sure(scores):
    for game in ("non_saturating", "hinge", "wasserstein"):
        fake = torch.tensor(scores, requires_grad=True)
        (slope,) = torch.autograd.grad(generator_loss(fake, game=game), fake)
        assert (slope < 0).all()
        sure_of_fake = fake.detach() < 0
        assert (slope[sure_of_fake] * len(scores) <= -0.5).all()


def test_the_hinge_ignores_rows_beyond_the_margin():
    real = torch.tensor([1.5, 0.5], requires_grad=True)
    fake = torch.tensor([-2.0, 0.0], requires_grad=True)
    loss = critic_loss(real, fake, game="hinge")
    loss.backward()
    assert loss.item() == pytest.approx(0.25 + 0.5)
    assert real.grad.tolist() == [0, -0.5]
    assert fake.grad.tolist() == [0, 0.5]


def test_penalties_of_a_linear_critic():
    weights = torch.tensor([3.0, 4.0], requires_grad=True)  # slope 5 everywhere
    real, fake = torch.randn(6, 2), torch.randn(6, 2)
    penalty = gradient_penalty(lambda x: x @ weights, real, fake)
    assert penalty.item() == pytest.approx((5 - 1) ** 2)
    assert r1_penalty(lambda x: x @ weights, real).item() == pytest.approx(25 / 2)
    # d (|w| - 1)^2 / dw = 2 (|w| - 1) w / |w|
    assert torch.autograd.grad(penalty, weights)[0].tolist() == pytest.approx([4.8, 6.4])


def test_penalties_of_a_quadratic_critic():
    # D = a |x|^2 / 2 has the slope a |x|. Between x = (r, 0) and 0 lies (u r, 0), and the mean of
    # (a u r - 1)^2 over u in [0, 1] is (a r)^2 / 3 - a r + 1.
    a, r = 1.5, 2.0
    real = torch.tensor([[r, 0.0]]).repeat(200_000, 1)
    penalty = gradient_penalty(
        lambda x: a * x.square().sum(dim=1) / 2,
        real,
        torch.zeros_like(real),
        generator=torch.Generator().manual_seed(0),
    )
    assert penalty.item() == pytest.approx((a * r) ** 2 / 3 - a * r + 1, abs=0.01)
    half = r1_penalty(lambda x: a * x.square().sum(dim=1) / 2, real[:3])
    assert half.item() == pytest.approx((a * r) ** 2 / 2)


def test_the_norm_is_over_all_of_a_sequence_and_each_row_has_its_own_share():
    shape = (5, 4, 7)
    penalty = gradient_penalty(lambda x: x.sum(dim=(1, 2)), torch.rand(shape), torch.rand(shape))
    assert penalty.item() == pytest.approx((math.sqrt(4 * 7) - 1) ** 2, rel=1e-5)
    seen = []
    gradient_penalty(lambda x: (seen.append(x), x.sum(dim=1))[1], torch.ones(9, 3), torch.zeros(9, 3))
    assert torch.equal(seen[0][:, 0], seen[0][:, 2])
    assert len(seen[0][:, 0].unique()) == 9


def test_a_flat_critic_has_a_penalty_with_a_finite_slope():
    layer = nn.Linear(2, 1)
    nn.init.zeros_(layer.weight)
    penalty = gradient_penalty(lambda x: layer(x)[:, 0], torch.ones(4, 2), torch.zeros(4, 2))
    penalty.backward()
    assert penalty.item() == pytest.approx(1, abs=1e-5)
    assert layer.weight.grad.isfinite().all()


def test_the_penalty_leaves_the_rows_it_was_given_alone():
    real, fake = torch.ones(4, 2), torch.zeros(4, 2)
    r1_penalty(lambda x: x.square().sum(dim=1), real)
    gradient_penalty(lambda x: x.square().sum(dim=1), real, fake)
    assert not real.requires_grad
    assert not fake.requires_grad


def test_an_unknown_game_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"no game 'hings': did you mean 'hinge'\?"):
        critic_loss(torch.zeros(2), torch.zeros(2), game="hings")

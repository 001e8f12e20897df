"""Laws of the Langevin samplers: what stays, what is biased and by how much, what is refused."""

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
    annealed_langevin,
    energy_and_score,
    mala,
    noise_levels,
    score_of,
    ula,
)

N = 20_000
TWO = GaussianMixture(
    weights=torch.tensor([0.3, 0.7], dtype=torch.float64),
    means=torch.tensor([[-1.0, 0.0], [1.0, 0.5]], dtype=torch.float64),
    stds=torch.tensor([0.5, 0.4], dtype=torch.float64),
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(n: int, dims: int = 1, seed: int = 9) -> Tensor:
    return torch.randn(n, dims, generator=seeded(seed), dtype=torch.float64)


def gaussian(x: Tensor) -> Tensor:
    return 0.5 * x.square().sum(dim=1)


def test_the_score_is_the_gradient_of_the_log_density_even_under_no_grad():
    x = normal(6, 2)
    with torch.no_grad():
        values, score = energy_and_score(TWO.energy, x)
    torch.testing.assert_close(score, TWO.score(x))
    torch.testing.assert_close(values, -TWO.log_prob(x))
    assert not values.requires_grad
    assert not x.requires_grad


@given(st.floats(0.02, 1.2), st.floats(0.3, 3.0))
@settings(max_examples=12, deadline=None)
def test_ula_has_the_biased_variance_that_theory_gives_it(h, std):
    # x' = (1 - h / s^2) x + sqrt(2 h) z has the variance s^2 / (1 - h / (2 s^2)).
    h = h * std**2
    found = ula(lambda x: -x / std**2, std * normal(N), step_size=h, n_steps=200, generator=seeded())
    expected = std**2 / (1 - h / (2 * std**2))
    slow = 1 if h > 0.1 * std**2 else 3  # few steps in units of the relaxation time: the start still shows
    assert found.var().item() == pytest.approx(expected, rel=slow * 5 * math.sqrt(2 / N))


def test_ula_at_a_temperature_samples_a_power_of_the_density_and_at_zero_finds_the_mode():
    hot = ula(lambda x: -x, 2 * normal(N), step_size=0.1, n_steps=100, temperature=4.0, generator=seeded())
    assert hot.var().item() == pytest.approx(4 / (1 - 0.05), rel=0.05)
    cold = ula(lambda x: 3 - x, normal(5), step_size=0.1, n_steps=300, temperature=0.0)
    torch.testing.assert_close(cold, torch.full((5, 1), 3.0, dtype=torch.float64))


def test_mala_leaves_its_target_as_it_is():
    x = TWO.sample(N, generator=seeded())
    moved, acceptance = mala(TWO.energy, x, step_size=0.15, n_steps=30, generator=seeded(1))
    assert 0.3 < acceptance.mean() < 0.95
    assert (moved != x).all(dim=1).double().mean() > 0.99
    exact = TWO.sample(400_000, generator=seeded(2))
    for function in (lambda x: x[:, 0], lambda x: x[:, 1], lambda x: x[:, 0] ** 2, lambda x: x.prod(dim=1)):
        error = function(exact).std().item() / math.sqrt(N) * 4
        assert function(moved).mean().item() == pytest.approx(function(exact).mean().item(), abs=error)
    levels = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], dtype=torch.float64)
    at = exact[:, 0].quantile(levels)
    shares = (moved[:, :1] < at).double().mean(dim=0)
    torch.testing.assert_close(shares, levels, atol=4 * 0.5 / math.sqrt(N), rtol=0)


def test_ula_with_mala_s_step_is_visibly_biased():
    # What the Metropolis test is for: with the same step the unadjusted chain leaves the target.
    moved = ula(TWO.score, TWO.sample(N, generator=seeded()), step_size=0.15, n_steps=30, generator=seeded(1))
    assert moved[:, 1].var() > 1.3 * TWO.sample(N, generator=seeded())[:, 1].var()


def test_mala_is_reversible():
    # In detailed balance as many chains go from one region to another as come back.
    x = TWO.sample(60_000, generator=seeded())
    moved = mala(TWO.energy, x, step_size=0.3, n_steps=1, generator=seeded(1)).states
    edges = torch.tensor([-1.0, 0.0, 0.7, 1.2], dtype=torch.float64)
    start, end = (
        torch.bucketize(x[:, 0].contiguous(), edges),
        torch.bucketize(moved[:, 0].contiguous(), edges),
    )
    flow = torch.zeros(5, 5).index_put_((start, end), torch.ones(len(x)), accumulate=True)
    assert ((flow - flow.T).abs() <= 4 * (flow + flow.T + 1).sqrt()).all()
    assert flow.fill_diagonal_(0).sum() > 3000


def test_a_wall_of_infinite_energy_is_never_crossed():
    def half_normal(x: Tensor) -> Tensor:
        return torch.where(x[:, 0] > 0, gaussian(x), torch.inf)

    moved = mala(half_normal, normal(N).abs(), step_size=0.3, n_steps=20, generator=seeded()).states
    assert (moved > 0).all()
    assert moved.mean().item() == pytest.approx(math.sqrt(2 / math.pi), abs=0.03)


def test_annealing_finds_the_weights_of_modes_that_plain_langevin_cannot_reach():
    far = GaussianMixture(
        weights=torch.tensor([0.2, 0.8], dtype=torch.float64),
        means=torch.tensor([[-5.0], [5.0]], dtype=torch.float64),
        stds=torch.full((2,), 0.3, dtype=torch.float64),
    )
    levels = noise_levels(10.0, 0.1, 20)
    found = annealed_langevin(
        lambda x, sigma: far.blurred(sigma).score(x),
        10 * normal(4000),
        levels,
        step_size=0.1 * 0.1**2,
        n_steps=60,
        generator=seeded(),
    )
    assert (found < 0).double().mean().item() == pytest.approx(0.2, abs=0.04)
    assert found[found > 0].mean().item() == pytest.approx(5.0, abs=0.05)
    assert found[found > 0].std().item() == pytest.approx(math.hypot(0.3, 0.1), rel=0.1)
    stuck = ula(far.score, 0.1 + 0 * normal(200), step_size=0.01, n_steps=200, generator=seeded())
    assert (stuck < 0).double().mean() < 0.05  # started on the right, it stays there


def test_the_last_step_of_annealing_can_be_the_expected_data():
    def score(x: Tensor, sigma: float) -> Tensor:
        return (2.0 - x) / sigma**2  # all data are the point 2

    found = annealed_langevin(
        score, normal(50), (1.0, 0.5), step_size=0.02, n_steps=5, denoise=True, generator=seeded()
    )
    torch.testing.assert_close(found, torch.full_like(found, 2.0))


@pytest.mark.parametrize("sampler", ["ula", "mala"])
def test_chains_follow_their_generator_and_leave_start_and_global_state(sampler):
    x, state = normal(5, 3), torch.get_rng_state()
    before = x.clone()

    def run() -> Tensor:
        if sampler == "ula":
            return ula(score_of(gaussian), x, step_size=0.1, n_steps=4, generator=seeded(3))
        return mala(gaussian, x, step_size=0.1, n_steps=4, generator=seeded(3)).states

    assert torch.equal(run(), run())
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(run(), x)


def test_what_cannot_be_sampled_is_refused_with_the_step_and_the_remedy():
    x = normal(4)
    with pytest.raises(InputError, match=r"ula met .*inf at step \d+, in chain \d of 4: lower the step size"):
        ula(lambda x: x**3, x + 5, step_size=1.0, n_steps=50)
    with pytest.raises(InputError, match="mala met nan at step 1, in chain 0 of 4: lower the step size"):
        mala(lambda y: torch.where((y == x).all(dim=1), gaussian(y), torch.nan), x, step_size=0.1, n_steps=3)
    with pytest.raises(
        InputError, match="mala met inf at the start, in chain 0 of 4: start the chains where"
    ):
        mala(lambda x: x[:, 0] * 0 + torch.inf, x, step_size=0.1, n_steps=3)
    with pytest.raises(InputError, match=r"returned \(4, 1\) for 4 rows: it must return one number a row"):
        mala(lambda x: x, x, step_size=0.1, n_steps=3)
    with pytest.raises(InputError, match="step size of ula is -1: it must be positive"):
        ula(lambda x: -x, x, step_size=-1, n_steps=3)
    with pytest.raises(InputError, match="mala was asked for -2 steps"):
        mala(gaussian, x, step_size=0.1, n_steps=-2)
    with pytest.raises(InputError, match="temperature is -1: it must be 0 or more"):
        ula(lambda x: -x, x, step_size=0.1, n_steps=3, temperature=-1)
    with pytest.raises(InputError, match=r"noise levels must fall and stay above 0, got \(1.0, 2.0\)"):
        annealed_langevin(lambda x, s: -x, x, (1.0, 2.0), step_size=0.1, n_steps=1)
    with pytest.raises(InputError, match=r"3 noise levels from 1\.0 down to 2.0 cannot be made"):
        noise_levels(1.0, 2.0, 3)

"""Laws of Hamiltonian Monte Carlo: reversible, volume preserving, second order, and its target stays."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy import hmc, leapfrog


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 9) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def double_well(x: Tensor) -> Tensor:
    return (x.square() - 1).square().sum(dim=1) + 0.3 * x[:, 0] * x[:, 1]


def double_well_score(x: Tensor) -> Tensor:
    return -4 * x * (x.square() - 1) - 0.3 * x.flip(1)


@given(st.integers(1, 30), st.floats(0.01, 0.15), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_leapfrog_goes_back_the_way_it_came(n_leapfrog, step_size, seed):
    x, momentum = normal(5, 2, seed=seed), normal(5, 2, seed=seed + 100)
    options = {"step_size": step_size, "n_leapfrog": n_leapfrog}
    there, end = leapfrog(double_well_score, x, momentum, **options)
    back, start = leapfrog(double_well_score, there, -end, **options)
    torch.testing.assert_close(back, x, atol=1e-8, rtol=1e-8)
    torch.testing.assert_close(-start, momentum, atol=1e-8, rtol=1e-8)
    assert not torch.allclose(there, x)


@pytest.mark.parametrize("n_leapfrog", [1, 2, 7])
def test_leapfrog_keeps_volumes(n_leapfrog):
    def step(point: Tensor) -> Tensor:
        x, momentum = point[:2][None], point[2:][None]
        return torch.cat(
            leapfrog(double_well_score, x, momentum, step_size=0.2, n_leapfrog=n_leapfrog), dim=1
        )[0]

    jacobian = torch.autograd.functional.jacobian(step, normal(4))
    assert torch.linalg.det(jacobian).item() == pytest.approx(1.0, abs=1e-10)
    assert not torch.allclose(jacobian, torch.eye(4, dtype=torch.float64), atol=0.1)


def test_halving_the_step_of_leapfrog_quarters_the_error_of_the_energy():
    x, momentum = normal(1, 2), normal(1, 2, seed=3)

    def error(n: int) -> float:
        y, end = leapfrog(double_well_score, x, momentum, step_size=1 / n, n_leapfrog=n)
        change = double_well(y) - double_well(x) + 0.5 * (end.square() - momentum.square()).sum(dim=1)
        return change.abs().item()

    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(error(n) for n in (64, 128, 256, 512))]
    assert orders == pytest.approx([2, 2, 2], abs=0.1)


def exact_double_well(n: int) -> Tensor:
    """Draw from exp(-double_well) by its values on a fine grid, spread within the cells."""
    grid = torch.linspace(-3, 3, 601, dtype=torch.float64)
    points = torch.cartesian_prod(grid, grid)
    cell = torch.multinomial((-double_well(points)).exp(), n, replacement=True, generator=seeded(4))
    return points[cell] + 0.01 * (torch.rand(n, 2, generator=seeded(5), dtype=torch.float64) - 0.5)


def test_hmc_leaves_its_target_as_it_is():
    n = 20_000
    x, other = exact_double_well(n), exact_double_well(n).roll(1, 0)
    moved, acceptance = hmc(double_well, x, step_size=0.35, n_steps=10, n_leapfrog=4, generator=seeded(1))
    assert 0.4 < acceptance.mean() < 0.97  # so coarse that without the test it would be wrong
    for function in (lambda x: x[:, 0], lambda x: x.square()[:, 1], lambda x: x.prod(dim=1), double_well):
        expected, error = function(other).mean().item(), function(other).std().item() * math.sqrt(2 / n)
        assert function(moved).mean().item() == pytest.approx(expected, abs=4 * error)


def test_hmc_is_reversible():
    x = exact_double_well(60_000)
    moved = hmc(double_well, x, step_size=0.35, n_steps=1, n_leapfrog=4, generator=seeded(1)).states
    edges = torch.tensor([-1.0, -0.3, 0.3, 1.0], dtype=torch.float64)
    start, end = (torch.bucketize(states[:, 0].contiguous(), edges) for states in (x, moved))
    flow = torch.zeros(5, 5).index_put_((start, end), torch.ones(len(x)), accumulate=True)
    assert ((flow - flow.T).abs() <= 4 * (flow + flow.T + 1).sqrt()).all()


def test_hmc_forgets_where_it_started_and_follows_its_generator():
    def energy(x: Tensor) -> Tensor:  # of rows of any shape
        return 0.5 * (x - 2).square().flatten(1).sum(dim=1)

    x, state = normal(3000, 2, 2) - 10, torch.get_rng_state()
    before = x.clone()
    one, two = (
        hmc(energy, x, step_size=0.3, n_steps=30, n_leapfrog=5, generator=seeded(2)) for _ in range(2)
    )
    assert torch.equal(one.states, two.states)
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert one.states.mean().item() == pytest.approx(2.0, abs=0.04)
    assert one.states.var().item() == pytest.approx(1.0, rel=0.06)
    assert one.acceptance.shape == (3000,)


def test_a_diverging_trajectory_is_rejected_or_refused_but_never_kept():
    x = normal(6, 2)
    with pytest.raises(InputError, match=r"hmc met nan at step 1, in chain \d of 6: lower the step size"):
        hmc(double_well, x, step_size=1e4, n_steps=3, n_leapfrog=20, generator=seeded())
    far = hmc(double_well, x, step_size=3.0, n_steps=1, n_leapfrog=3, generator=seeded())
    assert torch.equal(far.states, x)
    assert not far.acceptance.any()
    with pytest.raises(InputError, match="n_leapfrog is 0: it must be at least 1"):
        hmc(double_well, x, step_size=0.1, n_steps=1, n_leapfrog=0)

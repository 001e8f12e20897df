"""Each prediction is converted to any other and back, and a perfect network has no loss."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.generative.diffusion import (
    CosineSchedule,
    DenoisingObjective,
    GaussianProcess,
    from_x0,
    to_eps,
    to_x0,
)
from genailab.generative.diffusion.objective import low_discrepancy_times

KINDS = ["eps", "x0", "v"]


@pytest.mark.parametrize("kind", KINDS)
@given(angle=st.floats(0.02, math.pi / 2 - 0.02), seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_every_conversion_undoes_every_other(kind, angle, seed):
    generator = torch.Generator().manual_seed(seed)
    x0, eps = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64)
    alpha, sigma = torch.tensor(math.cos(angle)).double(), torch.tensor(math.sin(angle)).double()
    x_t = alpha * x0 + sigma * eps
    output = from_x0(x0, eps, alpha, sigma, kind=kind)
    found_x0 = to_x0(output, x_t, alpha, sigma, kind=kind)
    found_eps = to_eps(output, x_t, alpha, sigma, kind=kind)
    torch.testing.assert_close(found_x0, x0, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found_eps, eps, rtol=1e-5, atol=1e-5)
    for other in KINDS:
        converted = from_x0(found_x0, found_eps, alpha, sigma, kind=other)
        torch.testing.assert_close(to_x0(converted, x_t, alpha, sigma, kind=other), x0, rtol=1e-5, atol=1e-5)


def test_v_is_the_velocity_along_the_angle():
    # With alpha = cos a and sigma = sin a, v = d x_t / d a.
    angle = torch.tensor(0.7, dtype=torch.float64)
    x0, eps = torch.tensor(1.3).double(), torch.tensor(-0.4).double()
    velocity = torch.func.jacrev(lambda a: torch.cos(a) * x0 + torch.sin(a) * eps)(angle)
    torch.testing.assert_close(from_x0(x0, eps, angle.cos(), angle.sin(), kind="v"), velocity)


@pytest.mark.parametrize("shape", [(5000,), (5000, 3), (5000, 2, 2)])
def test_noised_data_have_the_processs_mean_and_variance(shape):
    process = GaussianProcess(CosineSchedule())
    t = torch.full((5000,), 0.4)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    x_t = process.add_noise(torch.full(shape, 2.0), t, noise)
    assert x_t.shape == shape
    assert x_t.mean().item() == pytest.approx(2 * process.schedule.alpha(t[0]).item(), abs=0.05)
    assert x_t.std().item() == pytest.approx(process.schedule.sigma(t[0]).item(), rel=0.05)


@pytest.mark.parametrize("time", [-0.01, 1.01])
def test_times_outside_of_0_to_1_are_refused(time):
    with pytest.raises(InputError, match=rf"time {time} is outside \[0, 1\]"):
        GaussianProcess(CosineSchedule()).add_noise(torch.zeros(2), torch.tensor([0.5, time]), torch.zeros(2))


@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_network_has_no_loss_and_a_silent_one_that_of_the_target(kind):
    # Where all data are one point, the noise can be read off the noisy sample.
    schedule, point = CosineSchedule(), torch.tensor([1.0, -2.0], dtype=torch.float64)
    objective = DenoisingObjective(GaussianProcess(schedule), kind)

    def perfect(x, t):
        alpha, sigma = schedule.alpha(t)[:, None], schedule.sigma(t)[:, None]
        return from_x0(point.expand_as(x), (x - alpha * point) / sigma, alpha, sigma, kind=kind)

    x0 = point.expand(4000, 2)
    assert objective(perfect, x0, generator=torch.Generator().manual_seed(0)).max() < 1e-4
    silent = objective(lambda x, t: torch.zeros_like(x), x0, generator=torch.Generator().manual_seed(0))
    assert silent.shape == (4000,)
    # E eps^2 = 1, x0^2 averages 2.5; for v their mean, as a cosine schedule's sigma^2 averages a half.
    assert silent.mean().item() == pytest.approx({"eps": 1.0, "x0": 2.5, "v": 1.75}[kind], rel=0.05)


@given(n=st.integers(1, 300), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_times_of_a_batch_are_one_in_each_stretch_of_it(n, seed):
    times = low_discrepancy_times(n, generator=torch.Generator().manual_seed(seed))
    assert times.min() >= 0
    assert times.max() < 1
    torch.testing.assert_close(times.sort().values.diff(), torch.full((n - 1,), 1 / n), atol=1e-5, rtol=0)


def test_times_follow_their_generator_and_come_in_random_order():
    one, two = (low_discrepancy_times(50, generator=torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two)
    assert (one.diff() < 0).sum() > 10

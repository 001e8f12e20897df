"""Each prediction is converted to any other and back, and a perfect network has no loss."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.generative.diffusion import (
    CondOTSchedule,
    CosineSchedule,
    DenoisingObjective,
    EDMSchedule,
    GaussianProcess,
    VESchedule,
    convert,
    from_x0,
    to_eps,
    to_x0,
)
from genailab.generative.diffusion.prediction import PREDICTIONS, error_scale

KINDS = ["eps", "x0", "v"]
SCHEDULES = [CosineSchedule(), CondOTSchedule(), VESchedule(sigma_max=5.0), EDMSchedule(sigma_max=5.0)]
NAMES = ["cosine", "cond_ot", "ve", "edm"]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=NAMES)
@pytest.mark.parametrize("kind", PREDICTIONS)
@given(t=st.floats(0.2, 0.9), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_every_conversion_undoes_every_other(kind, schedule, t, seed):
    generator = torch.Generator().manual_seed(seed)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        x0, eps = torch.randn(2, 4, 3, generator=generator, dtype=dtype)
        time = torch.full((4,), t, dtype=dtype)
        x_t = GaussianProcess(schedule).add_noise(x0, time, eps)
        objective = {to: DenoisingObjective(GaussianProcess(schedule), to) for to in PREDICTIONS}
        truth = {to: objective[to].target(x0, time, eps) for to in PREDICTIONS}
        for to in PREDICTIONS:
            found = convert(truth[kind], x_t, time, schedule, kind=kind, to=to)
            # Against the size of what is converted: a score near data is large.
            scale = max(truth[to].abs().max().item(), 1.0)
            torch.testing.assert_close(found / scale, truth[to] / scale, rtol=0, atol=tolerance)
            back = convert(found, x_t, time, schedule, kind=to, to=kind)
            scale = max(truth[kind].abs().max().item(), 1.0)
            torch.testing.assert_close(back / scale, truth[kind] / scale, rtol=0, atol=2 * tolerance)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=NAMES)
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_an_error_of_x0_is_an_error_of_each_prediction_in_proportion(kind, schedule):
    x_t, t = noise(5, 3), torch.linspace(0.1, 0.9, 5).double()
    x0, wrong = noise(5, 3, seed=1), noise(5, 3, seed=2)
    one, other = (convert(x, x_t, t, schedule, kind="x0", to=kind) for x in (x0, x0 + wrong))
    expected = error_scale(t, schedule, kind=kind)[:, None] * wrong.abs()
    torch.testing.assert_close((other - one).abs(), expected)


def test_the_velocity_is_the_derivative_of_the_noisy_sample_by_time():
    x0, eps = noise(3), noise(3, seed=1)
    for schedule in SCHEDULES:
        process, t = GaussianProcess(schedule), torch.tensor(0.4, dtype=torch.float64)
        derivative = torch.func.jacrev(lambda time, p=process: p.add_noise(x0, time, eps))(t)
        torch.testing.assert_close(process.velocity(x0, t, eps), derivative)


def test_what_cannot_be_converted_is_refused():
    x, one = torch.zeros(2, 1), torch.ones(())
    with pytest.raises(InputError, match="a velocity cannot be converted without rates: give rates="):
        to_x0(x, x, one, one, kind="velocity")
    with pytest.raises(InputError, match="no prediction 'noise': known: 'eps', 'x0'"):
        to_eps(x, x, one, one, kind="noise")
    with pytest.raises(InputError, match="no prediction 'velocty': did you mean 'velocity'"):
        error_scale(one, CosineSchedule(), kind="velocty")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


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


@pytest.mark.parametrize("time", [-0.01, 1.01, math.nan])
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

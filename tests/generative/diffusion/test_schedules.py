"""Laws of the noise schedules."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.generative.diffusion import CosineSchedule, LinearSchedule, Schedule
from genailab.generative.diffusion.schedules import make_schedule

SCHEDULES = [
    CosineSchedule(),
    LinearSchedule(),
    LinearSchedule(beta_min=3.0, beta_max=3.0),
    LinearSchedule(beta_max=80),
]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
TIMES = torch.linspace(0, 1, 501, dtype=torch.float64)


@every_schedule
def test_preserves_variance(schedule: Schedule):
    for times in (TIMES, TIMES.float()):
        total = schedule.alpha(times).square() + schedule.sigma(times).square()
        torch.testing.assert_close(total, torch.ones_like(times))


@every_schedule
def test_runs_from_the_largest_to_the_smallest_log_snr_without_rest(schedule: Schedule):
    log_snr = schedule.log_snr(TIMES)
    assert (log_snr.diff() < 0).all()
    assert log_snr[0].item() == pytest.approx(schedule.log_snr_max, rel=1e-6)
    assert log_snr[-1].item() == pytest.approx(schedule.log_snr_min, rel=1e-6)


@every_schedule
@given(t=st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_time_is_the_inverse_of_log_snr(schedule: Schedule, t: float):
    time = torch.tensor(t, dtype=torch.float64)
    assert schedule.time(schedule.log_snr(time)).item() == pytest.approx(t, abs=1e-9)
    assert schedule.time(schedule.log_snr(time.float())).item() == pytest.approx(t, abs=1e-4)


@every_schedule
@pytest.mark.parametrize("name", ["log_snr", "alpha", "sigma"])
def test_derivatives_are_those_of_autograd(schedule: Schedule, name: str):
    times = TIMES.clone().requires_grad_()
    (expected,) = torch.autograd.grad(getattr(schedule, name)(times).sum(), times)
    torch.testing.assert_close(getattr(schedule, f"{name}_derivative")(TIMES), expected, rtol=1e-6, atol=1e-9)


@every_schedule
def test_keeps_the_shape_of_its_times(schedule: Schedule):
    for shape in [(), (3,), (2, 5)]:
        assert schedule.alpha(torch.full(shape, 0.3)).shape == shape


def test_linear_is_the_integral_of_its_betas():
    # d log alpha / ds = -beta(s) / 2, integrated by the trapezium rule, which is exact for a line.
    schedule = LinearSchedule(beta_min=0.1, beta_max=20.0)
    start, end = schedule._ends()
    s = start + (end - start) * TIMES
    beta = 0.1 + 19.9 * s
    integral = torch.cat([torch.zeros(1).double(), torch.cumulative_trapezoid(beta, s)])
    log_alpha = schedule.alpha(TIMES).log()
    torch.testing.assert_close(log_alpha - log_alpha[0], -0.5 * integral)
    assert 0 < start < 1e-3
    assert 0.99 < end < 1  # the usual betas end within half a percent of where DDPM's do


def test_cosine_turns_by_the_same_angle_in_the_same_time():
    schedule = CosineSchedule()
    angles = torch.atan2(schedule.sigma(TIMES), schedule.alpha(TIMES))
    torch.testing.assert_close(angles.diff(), (angles[-1] - angles[0]).expand(500) / 500)


def test_what_cannot_be_a_schedule_is_refused():
    with pytest.raises(InputError, match=r"betas are 2\.0 to 1\.0: they must be positive and not fall"):
        LinearSchedule(beta_min=2.0, beta_max=1.0)
    with pytest.raises(InputError, match="no noise schedule 'cosin': did you mean 'cosine'"):
        make_schedule("cosin")

"""Laws of the noise schedules."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.generative.diffusion import (
    CondOTSchedule,
    CosineSchedule,
    EDMSchedule,
    LearnedSchedule,
    LinearSchedule,
    LogLinearSchedule,
    Schedule,
    SigmoidSchedule,
    TabulatedSchedule,
    VariancePreserving,
    VESchedule,
    check_schedule,
)
from genailab.generative.diffusion.schedules import SCHEDULES as NAMED
from genailab.generative.diffusion.schedules import make_schedule


def learned() -> LearnedSchedule:
    schedule = LearnedSchedule(n_hidden=16)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in schedule.parameters():
            weight.add_(3 * torch.randn(weight.shape, generator=generator))
    return schedule.requires_grad_(False)


SCHEDULES = [
    CosineSchedule(),
    CosineSchedule(log_snr_max=9.0, log_snr_min=-9.0),
    LinearSchedule(),
    LinearSchedule(beta_min=3.0, beta_max=3.0),
    LinearSchedule(beta_max=80),
    SigmoidSchedule(),
    SigmoidSchedule(start=0.0, end=3.0, temperature=0.7),
    TabulatedSchedule([12.0, 5.0, 4.0, -3.0, -9.0]),
    LearnedSchedule().requires_grad_(False),
    learned(),
    CondOTSchedule(),
    VESchedule(),
    EDMSchedule(),
]
NAMES = [f"{i}-{type(schedule).__name__}" for i, schedule in enumerate(SCHEDULES)]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=NAMES)
TIMES = torch.linspace(0, 1, 501, dtype=torch.float64)


@pytest.mark.parametrize(
    "schedule", [s for s in SCHEDULES if isinstance(s, VariancePreserving)], ids=lambda s: type(s).__name__
)
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
@settings(max_examples=25, deadline=None)
def test_time_is_the_inverse_of_log_snr(schedule: Schedule, t: float):
    time = torch.tensor(t, dtype=torch.float64)
    assert schedule.time(schedule.log_snr(time)).item() == pytest.approx(t, abs=1e-9)
    # float32 holds the log-SNR of a line's end, where the noise or the data are 1e-4, to no more than 1e-3.
    assert schedule.time(schedule.log_snr(time.float())).item() == pytest.approx(t, abs=2e-4)


@every_schedule
@pytest.mark.parametrize("name", ["log_snr", "alpha", "sigma"])
def test_derivatives_are_those_of_autograd(schedule: Schedule, name: str):
    times = (TIMES[:-1] + 1e-4).requires_grad_()  # not at a table's corners
    (expected,) = torch.autograd.grad((getattr(schedule, name)(times) + 0 * times).sum(), times)
    found = getattr(schedule, f"{name}_derivative")(times.detach())
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


@every_schedule
def test_the_log_snr_is_that_of_alpha_and_sigma(schedule: Schedule):
    expected = 2 * (schedule.alpha(TIMES).log() - schedule.sigma(TIMES).log())
    torch.testing.assert_close(schedule.log_snr(TIMES), expected, rtol=1e-7, atol=1e-7)


@every_schedule
def test_passes_the_check_that_any_schedule_has_to(schedule: Schedule):
    check_schedule(schedule)


@every_schedule
def test_keeps_the_shape_of_its_times(schedule: Schedule):
    for shape in [(), (3,), (2, 5)]:
        for name in ("alpha", "sigma", "log_snr", "alpha_derivative", "log_snr_derivative"):
            assert getattr(schedule, name)(torch.full(shape, 0.3)).shape == shape
        assert schedule.time(torch.full(shape, 0.3)).shape == shape


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
    with pytest.raises(InputError, match=r"sigma runs from 0.01 to 0.001: it must start above 0 and grow"):
        VESchedule(sigma_max=0.001)
    with pytest.raises(InputError, match=r"the sigmoid runs from 3.0 to 3.0 at temperature 1.0"):
        SigmoidSchedule(start=3.0)
    with pytest.raises(InputError, match=r"log-SNR would run from -3.0 at t = 0 to 3.0 at t = 1"):
        CondOTSchedule(log_snr_max=-3.0, log_snr_min=3.0)
    with pytest.raises(InputError, match="a schedule of 1 log-SNRs has no ends: give at least 2"):
        TabulatedSchedule([3.0])
    with pytest.raises(InputError, match=r"smallest is 1.0: the share kept"):
        LogLinearSchedule(smallest=1.0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([5.0, 1.0, 1.0, -5.0], "does not fall from t = 0.3333 to 0.6667: it goes from 1 to 1"),
        ([5.0, 1.0, 2.0, 3.0, -5.0], "does not fall from t = 0.25 to 0.5: it goes from 1 to 2"),
        ([5.0, float("nan"), -5.0], "does not fall from t = 0 to 0.5: it goes from 5 to nan"),
    ],
)
def test_a_schedule_that_does_not_fall_is_refused_where_it_rises(values, message):
    with pytest.raises(InputError, match=message):
        TabulatedSchedule(values)


def test_a_schedule_of_ones_own_that_comes_back_is_refused():
    class Wave(CosineSchedule):
        def log_snr(self, t):
            return 5 * torch.cos(1.5 * torch.pi * t)  # least at t = 2/3

    with pytest.raises(InputError, match=r"log-SNR of Wave does not fall from t = 0\.66[67]"):
        check_schedule(Wave())


def test_the_sigmoid_is_a_sigmoid():
    schedule = SigmoidSchedule(log_snr_max=30.0, log_snr_min=-30.0)  # nearly the whole curve
    start, end = torch.tensor(-3.0).sigmoid().item(), torch.tensor(3.0).sigmoid().item()
    expected = (end - (-3 + 6 * TIMES).sigmoid()) / (end - start)
    torch.testing.assert_close(schedule.alpha(TIMES).square(), expected, atol=1e-6, rtol=0)


def test_a_straight_line_with_infinite_ends_is_time_itself():
    schedule = CondOTSchedule(log_snr_max=float("inf"), log_snr_min=float("-inf"))
    assert torch.equal(schedule.sigma(TIMES), TIMES)
    assert torch.equal(schedule.alpha(TIMES), 1 - TIMES)


def test_exploding_noise_grows_by_a_factor_and_edms_by_a_difference():
    ve, edm = VESchedule().sigma(TIMES), EDMSchedule().sigma(TIMES)
    torch.testing.assert_close((ve[1:] / ve[:-1]).log(), (ve[-1] / ve[0]).log().expand(500) / 500)
    torch.testing.assert_close(edm.diff(), (edm[-1] - edm[0]).expand(500) / 500)
    torch.testing.assert_close(edm[[0, -1]], torch.tensor([0.002, 80.0]).double())


def test_two_names_of_one_curve():
    assert NAMED["vp"] is NAMED["linear"]
    assert NAMED["trigonometric"] is NAMED["cosine"]


def test_letters_are_masked_in_a_straight_line():
    for schedule in (LogLinearSchedule(), LogLinearSchedule(smallest=0.1)):
        times = TIMES.clone()[1:].requires_grad_()
        (slope,) = torch.autograd.grad(schedule.alpha(times).sum(), times)
        torch.testing.assert_close(schedule.alpha_derivative(TIMES[1:]), slope)
        torch.testing.assert_close(schedule.time(schedule.alpha(TIMES)), TIMES)
        torch.testing.assert_close(schedule.weight(TIMES[1:]), 1 / TIMES[1:])

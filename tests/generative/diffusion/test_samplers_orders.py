"""How fast each sampler's error falls with its step: against closed forms of a Gaussian and scipy."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import RK45, solve_ivp
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.samplers import (
    adaptive_ode,
    ddim,
    ddpm,
    dpm_solver_2m,
    euler,
    euler_maruyama,
    heun,
    predictor_corrector,
)
from genailab.generative.diffusion.samplers.dormand_prince import integrate
from genailab.generative.diffusion.schedules import Schedule, VESchedule, make_schedule

MEAN, STD = 1.0, 0.6
KINDS = ["cosine", "linear", "cond_ot", "ve"]
# Their last step returns the estimated data, not a sample at the last time.
ENDS_WITH_ESTIMATE = (ddim, euler, euler_maruyama, predictor_corrector)


def schedule_of(kind: str) -> Schedule:
    # Noise far beyond these data, whatever the default is.
    return VESchedule(sigma_min=0.01, sigma_max=50.0) if kind == "ve" else make_schedule(kind)


def gaussian(schedule: Schedule) -> Callable[[Tensor, Tensor], Tensor]:
    """Return E[x_0 | x_t] of N(1, 0.6^2)."""

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, scale = schedule.alpha(t), marginal_std(schedule, t)
        return MEAN + alpha * STD**2 / scale.square() * (x - alpha * MEAN)

    return denoise


def marginal_std(schedule: Schedule, t: Tensor) -> Tensor:
    return ((schedule.alpha(t) * STD).square() + schedule.sigma(t).square()).sqrt()


def even_in_log_snr(schedule: Schedule, n_steps: int, first: float = -5.0, last: float = 5.0) -> Tensor:
    return schedule.time(torch.linspace(first, last, n_steps + 1, dtype=torch.float64))


def ends_of_flow(schedule: Schedule, times: Tensor) -> tuple[Tensor, Tensor]:
    """Return where paths start and end: (x_t - alpha m) / sqrt(alpha^2 s^2 + sigma^2) stays as it is."""
    quantile = torch.linspace(-2, 2, 9, dtype=torch.float64)
    start, end = (schedule.alpha(t) * MEAN + marginal_std(schedule, t) * quantile for t in times[[0, -1]])
    return start, end


def error_in_flow(sampler: Callable, schedule: Schedule, times: Tensor) -> float:
    start, end = ends_of_flow(schedule, times)
    denoiser = gaussian(schedule)
    if sampler in ENDS_WITH_ESTIMATE:
        end = denoiser(end, times[-1])
    return (sampler(denoiser, start, times, schedule) - end).abs().max().item()


def orders(errors: list[float]) -> list[float]:
    return [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("sampler", "order"), [(ddim, 1), (euler, 1), (heun, 2), (dpm_solver_2m, 2)])
def test_halving_the_step_divides_the_error_by_two_to_the_order(sampler, order, kind):
    # The first and last steps of dpm++2m and the last of heun are first order: local errors of h^2 keep the
    # global order 2.
    schedule = schedule_of(kind)
    errors = [error_in_flow(sampler, schedule, even_in_log_snr(schedule, n)) for n in (64, 128, 256)]
    assert orders(errors) == pytest.approx([order] * 2, abs=0.2)


def exact_moments(schedule: Schedule, t: Tensor, *, of_estimate: bool) -> tuple[float, float]:
    alpha, std = float(schedule.alpha(t)), float(marginal_std(schedule, t))
    return (MEAN, (alpha * STD**2 / std) ** 2) if of_estimate else (alpha * MEAN, std**2)


def sampled_moments(
    monkeypatch: pytest.MonkeyPatch, sampler: Callable, schedule: Schedule, times: Tensor
) -> tuple[float, float]:
    """Return the exact mean and variance of a sampler's samples, which are linear in the noises it draws.

    Row 0 of the batch gets no noise, row 1 the start's, row k the one of draw k - 2 alone.
    """
    rows = len(times) + 2
    draws = iter(range(2, rows))

    def only_one(shape: tuple[int, ...], **_: object) -> Tensor:
        unit = torch.zeros(shape, dtype=torch.float64)
        unit[next(draws)] = 1
        return unit

    start = (schedule.alpha(times[0]) * MEAN).repeat(rows)
    start[1] += marginal_std(schedule, times[0])
    with monkeypatch.context() as patched:
        patched.setattr(torch, "randn", only_one)
        found = sampler(gaussian(schedule), start, times, schedule)
    return found[0].item(), (found[1:] - found[0]).square().sum().item()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "sampler",
    [ddpm, partial(ddim, eta=1.0), euler_maruyama, partial(predictor_corrector, n_corrections=0)],
    ids=["ddpm", "ddim-eta-1", "euler_maruyama", "predictor"],
)
def test_mean_and_variance_of_stochastic_samplers_are_of_weak_order_1(monkeypatch, sampler, kind):
    schedule = schedule_of(kind)
    plain = getattr(sampler, "func", sampler)
    errors: dict[str, list[float]] = {"mean": [], "variance": []}
    for n in (400, 800):
        times = even_in_log_snr(schedule, n)
        found = sampled_moments(monkeypatch, sampler, schedule, times)
        expected = exact_moments(schedule, times[-1], of_estimate=plain in ENDS_WITH_ESTIMATE)
        for name, value, exact in zip(errors, found, expected, strict=True):
            errors[name].append(abs(value - exact))
    for name, values in errors.items():
        # An error that is far smaller than the other's has no order to be seen: DDPM's mean is exact.
        if values[-1] > 1e-12:
            assert orders(values)[-1] == pytest.approx(1, abs=0.25), name
    assert max(values[-1] for values in errors.values()) < 0.02


@pytest.mark.parametrize("kind", [*KINDS, "edm"])
def test_the_adaptive_solver_meets_its_tolerance_with_calls_that_grow_as_a_fifth_root(kind):
    schedule = schedule_of(kind)
    times = even_in_log_snr(schedule, 10)
    calls = []
    for tolerance in (1e-3, 1e-5, 1e-7, 1e-9):
        called: list[None] = []
        start, end = ends_of_flow(schedule, times)
        exact = gaussian(schedule)
        found = adaptive_ode(
            lambda x, t, called=called, exact=exact: (called.append(None), exact(x, t))[1],
            start,
            times,
            schedule,
            relative=tolerance,
            absolute=tolerance,
        )
        assert (found - end).abs().max() < 10 * tolerance
        calls.append(len(called))
    assert calls[3] / calls[2] == pytest.approx(100 ** (1 / 5), rel=0.35)


def test_the_adaptive_solver_agrees_with_scipy():
    schedule = schedule_of("cosine")
    times = even_in_log_snr(schedule, 10)
    denoiser = gaussian(schedule)

    def velocity(t: float, x: np.ndarray) -> np.ndarray:
        time = torch.tensor(t, dtype=torch.float64)
        noisy = torch.from_numpy(x)
        x0 = denoiser(noisy, time)
        eps = (noisy - schedule.alpha(time) * x0) / schedule.sigma(time)
        return (schedule.alpha_derivative(time) * x0 + schedule.sigma_derivative(time) * eps).numpy()

    start, _ = ends_of_flow(schedule, times)
    span = times[[0, -1]].tolist()
    theirs = solve_ivp(velocity, span, start.numpy(), method="RK45", rtol=1e-8, atol=1e-8)
    found = adaptive_ode(denoiser, start, times, schedule, relative=1e-8, absolute=1e-8)
    torch.testing.assert_close(found, torch.from_numpy(theirs.y[:, -1]), atol=1e-7, rtol=0)


def test_one_step_is_scipys_step():
    start = np.array([0.3, -1.2])
    theirs = RK45(lambda t, x: np.sin(3 * x) + t, 0.0, start, 0.4, first_step=0.4, rtol=10, atol=10)
    theirs.step()
    ours = integrate(
        lambda t, x: torch.sin(3 * x) + t,
        torch.from_numpy(start)[None],
        0.0,
        0.4,
        first_step=0.4,
        relative=10,
        absolute=10,
    )
    assert theirs.t == 0.4
    np.testing.assert_allclose(ours[0].numpy(), theirs.y, rtol=1e-14)


def test_a_step_suits_the_hardest_sample_of_the_batch():
    rates = torch.tensor([[1.0], [30.0]], dtype=torch.float64)
    solve = partial(integrate, start=0.0, end=1.0, first_step=0.1, relative=1e-6, absolute=1e-6)
    together = solve(lambda t, x: -rates * x + torch.cos(rates * t), torch.zeros_like(rates))
    alone = solve(lambda t, x: -30 * x + math.cos(30 * t), torch.zeros(1, 1, dtype=torch.float64))
    torch.testing.assert_close(together[1:], alone, atol=1e-6, rtol=0)


def test_what_cannot_be_solved_ends_with_a_sentence():
    solve = partial(integrate, start=1.0, end=0.0, first_step=0.1, relative=1e-4, absolute=1e-4)
    with pytest.raises(InputError, match=r"not finite between the times 1 and 0\.9"):
        solve(lambda t, x: x * math.nan, torch.ones(1, 1))
    with pytest.raises(InputError, match="3 steps came only to the time 1 on the way to 0: ask for a looser"):
        solve(lambda t, x: torch.cos(200 * x) * 1e3, torch.ones(1, 1), max_steps=3)

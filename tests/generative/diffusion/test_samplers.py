"""Laws of the samplers, with the exact denoiser of a distribution whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.samplers import (
    SAMPLERS,
    adaptive_ode,
    ddim,
    ddpm,
    dpm_solver_2m,
    euler,
    get_sampler,
    heun,
    predictor_corrector,
    time_grid,
)
from genailab.generative.diffusion.schedules import (
    CosineSchedule,
    LearnedSchedule,
    LinearSchedule,
    Schedule,
    VESchedule,
    make_schedule,
)

Denoiser = Callable[[Tensor, Tensor], Tensor]

WEIGHTS, MEANS, STDS = (0.3, 0.7), (-1.0, 0.8), (0.2, 0.4)
N_STEPS = {"heun": 60, "dpm++2m": 60, "adaptive_ode": 20}  # the others, of first order: 300
STOCHASTIC = ("ddpm", "euler_maruyama", "predictor_corrector")
every_sampler = pytest.mark.parametrize("name", SAMPLERS)


def schedule_of(kind: str) -> Schedule:
    # Noise far beyond these data, whatever the default is.
    return VESchedule(sigma_min=0.01, sigma_max=50.0) if kind == "ve" else make_schedule(kind)


def mixture(schedule: Schedule, weights=WEIGHTS, means=MEANS, stds=STDS) -> Denoiser:
    """Return E[x_0 | x_t] of a mixture of Gaussians on the line, for x of shape (batch,)."""
    share, mean, std = (
        torch.tensor(values, dtype=torch.float64)[:, None] for values in (weights, means, stds)
    )

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.alpha(t), schedule.sigma(t)
        variance = (alpha * std).square() + sigma.square()  # of x_t in each component, (components, 1)
        log_density = share.log() - 0.5 * variance.log() - 0.5 * (x - alpha * mean).square() / variance
        component = torch.softmax(log_density, dim=0)  # (components, batch)
        return (component * (mean + alpha * std.square() / variance * (x - alpha * mean))).sum(dim=0)

    return denoise


def normal_cdf(x: Tensor, mean: float, std: float) -> Tensor:
    return 0.5 * torch.erfc((mean - x) / (std * math.sqrt(2)))


def noise(n: int, seed: int = 0) -> Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def counted(denoiser: Denoiser, calls: list[float]) -> Denoiser:
    return lambda x, t: (calls.append(float(t)), denoiser(x, t))[1]


@pytest.mark.parametrize("kind", ["cosine", "linear", "cond_ot", "ve", "edm"])
@every_sampler
def test_samples_are_distributed_as_the_mixture_they_come_from(name, kind):
    # Kolmogorov's distance. A flow that starts from even quantiles of the noise keeps them even: no chance.
    schedule, n = schedule_of(kind), 2000
    times = time_grid(N_STEPS.get(name, 300), schedule, spacing="log_snr").double()
    quantiles = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    start = schedule.sigma(times[0]) * torch.special.ndtri(quantiles)
    generator = torch.Generator().manual_seed(1)
    found = get_sampler(name)(mixture(schedule), start, times, schedule, generator=generator).sort().values
    expected = sum(
        weight * normal_cdf(found, mean, std) for weight, mean, std in zip(WEIGHTS, MEANS, STDS, strict=True)
    )
    limit = 1.6 / math.sqrt(n) if name in STOCHASTIC else 0.02
    assert (expected - quantiles).abs().max() < limit


@pytest.mark.parametrize("kind", ["cosine", "cond_ot", "ve"])
@every_sampler
def test_with_one_point_of_data_every_sampler_finds_it(name, kind):
    schedule = schedule_of(kind)
    times = time_grid(5, schedule, spacing="edm").double()
    start = schedule.sigma(times[0]) * noise(5)
    found = get_sampler(name)(lambda x, t: torch.full_like(x, 3.0), start, times, schedule)
    torch.testing.assert_close(found, torch.full((5,), 3.0).double(), atol=0.05, rtol=0)


@pytest.mark.parametrize("n_steps", [1, 2, 9])
def test_each_sampler_calls_the_network_as_often_as_it_says(n_steps):
    schedule, called = CosineSchedule(), {}
    times = time_grid(n_steps, schedule, spacing="log_snr")
    for name, sampler in SAMPLERS.items():
        calls: list[float] = []
        sampler(counted(lambda x, t: x / 2, calls), noise(3).float(), times, schedule)
        called[name] = len(calls)
        assert all(0 <= t <= 1 for t in calls)
    assert (called.pop("adaptive_ode") - 1) % 6 == 0
    twice = {"heun", "predictor_corrector"}
    assert called == {name: 2 * n_steps - 1 if name in twice else n_steps for name in called}


@pytest.mark.parametrize("n_steps", [1, 2, 7, 50])
@pytest.mark.parametrize("kind", ["linear", "cond_ot", "ve"])
def test_ddim_with_eta_1_walks_the_path_of_ddpm(n_steps, kind):
    schedule = schedule_of(kind)
    exact = mixture(schedule)
    times = time_grid(n_steps, schedule).double()
    paths: list[list[Tensor]] = [[], []]

    def recorded(path: list[Tensor]) -> Denoiser:
        return lambda x, t: (path.append(x), exact(x, t))[1]

    generators = [torch.Generator().manual_seed(5) for _ in paths]
    ddpm(recorded(paths[0]), noise(100), times, schedule, generator=generators[0])
    ddim(recorded(paths[1]), noise(100), times, schedule, eta=1.0, generator=generators[1])
    assert len(paths[0]) == n_steps
    torch.testing.assert_close(torch.stack(paths[0]), torch.stack(paths[1]))


def test_on_a_straight_path_euler_is_ddim():
    # Where alpha and sigma are lines in time, a step in time is a step in sigma / alpha: one and the same.
    schedule = schedule_of("cond_ot")
    times = time_grid(12, schedule).double()
    found = [sampler(mixture(schedule), noise(50), times, schedule) for sampler in (euler, ddim)]
    torch.testing.assert_close(found[0], found[1])


def test_the_first_order_of_dpm_solver_and_of_heun_is_ddim():
    schedule = CosineSchedule()
    exact = mixture(schedule)
    times = schedule.time(torch.tensor([-3.0, 1.0], dtype=torch.float64))
    stops: list[Tensor] = []
    longer = torch.cat([times, times[-1:] * 0.5])
    ddim(lambda x, t: (stops.append(x), exact(x, t))[1], noise(20), longer, schedule)
    for sampler in (dpm_solver_2m, heun):
        torch.testing.assert_close(sampler(exact, noise(20), times, schedule), stops[1])


@pytest.mark.parametrize("schedule", ["cosine", "ve"])
def test_churn_puts_noise_back_only_where_it_is_asked_to(schedule):
    schedule = schedule_of(schedule)
    times = time_grid(40, schedule, spacing="edm").double()
    ratio = schedule.sigma(times) / schedule.alpha(times)
    start, exact = schedule.sigma(times[0]) * noise(3000), mixture(schedule)
    calls: list[float] = []
    generator = torch.Generator().manual_seed(0)
    found = heun(
        counted(exact, calls), start, times, schedule, churn=20, churn_interval=(0.05, 5), generator=generator
    )
    raised = torch.tensor([t for t in calls if not (times == t).any()], dtype=torch.float64)
    ratio_raised = schedule.sigma(raised) / schedule.alpha(raised)
    inside = ratio[(ratio >= 0.05) & (ratio <= 5)]
    torch.testing.assert_close(ratio_raised, math.sqrt(2) * inside)  # 20 / 40 is more than the cap
    still = heun(exact, start, times, schedule)
    assert torch.equal(heun(exact, start, times, schedule, churn=20, churn_interval=(900, 901)), still)
    assert (found - still).abs().mean() > 0.1
    assert (found < -0.2).double().mean().item() == pytest.approx(0.3, abs=0.03)


def test_corrections_repair_what_a_coarse_predictor_leaves():
    # Six steps are too few for the predictor; the Langevin steps bring the marginals nearer to the exact.
    schedule = LinearSchedule()
    times = time_grid(6, schedule, spacing="log_snr").double()
    variance = sum(w * (s**2 + m**2) for w, m, s in zip(WEIGHTS, MEANS, STDS, strict=True)) - 0.26**2
    errors = []
    for n in (0, 8):
        generator = torch.Generator().manual_seed(0)
        found = predictor_corrector(
            mixture(schedule), noise(4000), times, schedule, n_corrections=n, generator=generator
        )
        errors.append(abs(found.var().item() - variance))
    assert errors[1] < 0.5 * errors[0]


@every_sampler
def test_samples_follow_their_generator_keep_their_shape_and_leave_their_input(name):
    schedule = CosineSchedule()
    x = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0))
    before, random_state = x.clone(), torch.get_rng_state()
    one, two = (
        get_sampler(name)(
            lambda x, t: x / 2,
            x,
            time_grid(5, schedule),
            schedule,
            generator=torch.Generator().manual_seed(1),
        )
        for _ in range(2)
    )
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(x, before)
    assert torch.equal(one, two)
    assert one.shape == x.shape
    assert one.dtype == torch.float32


@pytest.mark.parametrize("kind", ["cosine", "cond_ot", "ve"])
@every_sampler
def test_float32_stays_finite_and_near_float64(name, kind):
    schedule = schedule_of(kind)

    def denoiser(x: Tensor, t: Tensor) -> Tensor:
        return x * schedule.alpha(t) / (schedule.alpha(t).square() + schedule.sigma(t).square())

    for n_steps in (1, 2, 3, 20):
        for spacing in ("time", "log_snr", "edm"):
            times = time_grid(n_steps, schedule, spacing=spacing)
            found = [
                # The same noise in both: a generator draws other numbers in float64.
                get_sampler(name)(denoiser, noise(3).to(dtype) * schedule.sigma(times[0]), times, schedule)
                for dtype in (torch.float32, torch.float64)
            ]
            assert torch.isfinite(found[0]).all()
            if name not in STOCHASTIC:
                torch.testing.assert_close(found[0].double(), found[1], atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_ddim_with_noise_stays_finite_in_float32_where_a_step_keeps_no_noise(eta):
    schedule = CosineSchedule()
    for n_steps in range(1, 40):
        for spacing in ("time", "log_snr"):
            times = time_grid(n_steps, schedule, spacing=spacing)
            found = ddim(lambda x, t: 0 * x, noise(3).float(), times, schedule, eta=eta)
            assert torch.isfinite(found).all()


@pytest.mark.parametrize("kind", ["cosine", "linear", "cond_ot", "ve", "edm", "learned"])
@pytest.mark.parametrize("spacing", ["time", "log_snr", "edm"])
def test_a_time_grid_falls_from_1_to_0_in_even_steps(kind, spacing):
    schedule = schedule_of(kind)
    times = time_grid(20, schedule, spacing=spacing).double()
    assert times.shape == (21,)
    assert (times.diff() < 0).all()
    torch.testing.assert_close(times[[0, -1]], torch.tensor([1.0, 0.0]).double(), atol=1e-6, rtol=0)
    with torch.no_grad():
        log_snr = schedule.log_snr(times)
    even = {"time": times, "log_snr": log_snr, "edm": torch.exp(-0.5 * log_snr / 7)}[spacing]
    # Times are float32: near 1 their last digit is 6e-8, which is a share of a step.
    torch.testing.assert_close(even.diff(), even.diff().mean().expand(20), rtol=0.02, atol=0)


def test_edm_steps_are_those_of_karras():
    # Karras et al. 2022, equation 5, without the last step to sigma 0.
    n, low, high = 9, 0.002, 80.0
    i = torch.arange(n, dtype=torch.float64) / (n - 1)
    expected = (high ** (1 / 7) + i * (low ** (1 / 7) - high ** (1 / 7))) ** 7
    schedule = schedule_of("edm")
    found = schedule.sigma(time_grid(n - 1, schedule, spacing="edm").double())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-3)


def test_a_learned_schedule_is_sampled_without_a_gradient():
    schedule = LearnedSchedule()
    with torch.no_grad():
        found = dpm_solver_2m(lambda x, t: x / 2, noise(3).float(), time_grid(5, schedule), schedule)
    assert torch.isfinite(found).all()
    assert not found.requires_grad


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1.2, 0.5, 0.0], r"sampling time 0 is 1.2: it must be in \[0, 1\]"),
        ([1.0, 0.5, -0.1], r"sampling time 2 is -0.1: it must be in \[0, 1\]"),
        ([1.0, math.nan, 0.0], "sampling time 1 is nan"),
        ([0.0, 1.0], "sampling times go from 0 to 1 at step 0: they must fall"),
        ([1.0, 0.5, 0.5], "sampling times go from 0.5 to 0.5 at step 1: they must fall"),
        ([1.0], r"sampling times have the shape \(1,\): give at least 2"),
    ],
)
@every_sampler
def test_times_that_cannot_be_right_are_refused(name, times, message):
    with pytest.raises(InputError, match=message):
        get_sampler(name)(lambda x, t: x, noise(2), torch.tensor(times), CosineSchedule())


def test_what_cannot_be_sampled_is_refused():
    schedule = CosineSchedule()
    arguments = (lambda x, t: x, noise(2), time_grid(3, schedule), schedule)
    with pytest.raises(InputError, match="no sampler 'dpm': "):
        get_sampler("dpm")
    with pytest.raises(InputError, match="asked for 0 sampling steps: ask for at least 1"):
        time_grid(0, schedule)
    with pytest.raises(
        InputError, match="no spacing 'even' of sampling steps: choose one of time, log_snr, edm"
    ):
        time_grid(3, schedule, spacing="even")
    with pytest.raises(InputError, match=r"eta is 1.5: it must be in \[0, 1\]"):
        ddim(*arguments, eta=1.5)
    with pytest.raises(InputError, match=r"churn is -1 and churn_noise 1\.0: they must be 0 or more"):
        heun(*arguments, churn=-1)
    with pytest.raises(InputError, match=r"n_corrections is -1 and snr 0\.16"):
        predictor_corrector(*arguments, n_corrections=-1)
    with pytest.raises(InputError, match=r"tolerances are 0\.0 and 0\.0001: both must be more than 0"):
        adaptive_ode(*arguments, relative=0.0)

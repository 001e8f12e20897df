"""Our samplers against diffusers' schedulers: same noise, same discrete betas, same network, same samples."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from genailab.generative.diffusion.prediction import to_x0
from genailab.generative.diffusion.samplers import ddim, ddpm, dpm_solver_2m, euler, heun
from genailab.generative.diffusion.schedules import CondOTSchedule, EDMSchedule, VariancePreserving

diffusers = pytest.importorskip("diffusers")

N_TIMES = 1000
STEPS = [1, 2, 10, 50]
BETAS = ["linear", "squaredcos_cap_v2"]


class Tabulated(VariancePreserving):
    """A discrete schedule at its own times: step k is time (k + 1) / N, and time 0 has no noise."""

    def __init__(self, alphas_cumprod: Tensor) -> None:
        self.signal = torch.cat([torch.ones(1).double(), alphas_cumprod.double()])

    def _signal(self, t: Tensor) -> Tensor:
        return self.signal[(t * N_TIMES).round().long()]

    def alpha(self, t: Tensor) -> Tensor:
        return self._signal(t).sqrt()

    def sigma(self, t: Tensor) -> Tensor:
        return (1 - self._signal(t)).sqrt()

    def log_snr(self, t: Tensor) -> Tensor:
        return torch.logit(self._signal(t))

    def time(self, log_snr: Tensor) -> Tensor:
        raise NotImplementedError

    def log_snr_derivative(self, t: Tensor) -> Tensor:
        raise NotImplementedError


def network(x: Tensor, step: Tensor) -> Tensor:
    return torch.tanh(x) * (0.3 + 0.6 * step / N_TIMES) + 0.05 * x.roll(1, dims=1)  # some eps


def start() -> Tensor:
    return torch.randn(16, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def theirs(scheduler: Any, n_steps: int, **options: Any) -> Tensor:
    scheduler.set_timesteps(n_steps)
    generator = torch.Generator().manual_seed(1)
    x = start()
    for step in scheduler.timesteps:
        x = scheduler.step(network(x, step), step, x, generator=generator, **options).prev_sample
    return x


def ours(sampler: Any, scheduler: Any, **options: Any) -> Tensor:
    schedule = Tabulated(scheduler.alphas_cumprod)
    times = torch.cat([(scheduler.timesteps.double() + 1) / N_TIMES, torch.zeros(1).double()])

    def denoiser(x: Tensor, t: Tensor) -> Tensor:
        eps = network(x, t * N_TIMES - 1)
        return to_x0(eps, x, schedule.alpha(t), schedule.sigma(t), kind="eps")

    generator = torch.Generator().manual_seed(1)
    return sampler(denoiser, start(), times, schedule, generator=generator, **options)


def assert_same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected.double(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("betas", BETAS)
@pytest.mark.parametrize("n_steps", STEPS)
def test_ddpm(n_steps, betas):
    scheduler = diffusers.DDPMScheduler(
        num_train_timesteps=N_TIMES, beta_schedule=betas, variance_type="fixed_small", clip_sample=False
    )
    expected = theirs(scheduler, n_steps)
    assert_same(ours(ddpm, scheduler), expected)


@pytest.mark.parametrize("betas", BETAS)
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("n_steps", STEPS)
def test_ddim(n_steps, eta, betas):
    scheduler = diffusers.DDIMScheduler(num_train_timesteps=N_TIMES, beta_schedule=betas, clip_sample=False)
    expected = theirs(scheduler, n_steps, eta=eta)
    assert_same(ours(ddim, scheduler, eta=eta), expected)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers
@pytest.mark.parametrize("n_steps", STEPS)
def test_dpm_solver_2m(n_steps):
    # final_sigmas_type="zero" ends without noise, by a step of first order, as ours does.
    scheduler = diffusers.DPMSolverMultistepScheduler(
        num_train_timesteps=N_TIMES,
        beta_schedule="linear",
        algorithm_type="dpmsolver++",
        solver_order=2,
        solver_type="midpoint",
        final_sigmas_type="zero",
    )
    expected = theirs(scheduler, n_steps)
    assert_same(ours(dpm_solver_2m, scheduler), expected)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers
@pytest.mark.parametrize("betas", BETAS)
@pytest.mark.parametrize("n_steps", STEPS)
def test_heun(n_steps, betas):
    # Their samples are y = x / alpha, their time is rho = sigma / alpha.
    scheduler = diffusers.HeunDiscreteScheduler(
        num_train_timesteps=N_TIMES, beta_schedule=betas, timestep_spacing="leading"
    )
    expected, ratios = theirs_by_ratio(scheduler, n_steps)
    assert_same(ours_by_ratio(heun, ratios, expected), expected)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("sampler", [euler, ddim], ids=["euler", "ddim"])
@pytest.mark.parametrize("n_steps", STEPS)
def test_euler(n_steps, sampler):
    # In rho with alpha = 1, Euler in time is Euler in rho, which DDIM is with every schedule.
    scheduler = diffusers.EulerDiscreteScheduler(num_train_timesteps=N_TIMES, beta_schedule="scaled_linear")
    expected, ratios = theirs_by_ratio(scheduler, n_steps)
    assert_same(ours_by_ratio(sampler, ratios, expected), expected)


def noise_of(y: Tensor, rho: Tensor) -> Tensor:
    return torch.tanh(y / (1 + rho)) + 0.05 * y.roll(1, dims=1) / (1 + rho)  # some eps


def theirs_by_ratio(scheduler: Any, n_steps: int) -> tuple[Tensor, Tensor]:
    """Return their samples and the noise-to-signal ratios at which their steps begin, largest first."""
    scheduler.set_timesteps(n_steps)
    y = start() * scheduler.sigmas[0].double()
    for i, step in enumerate(scheduler.timesteps):
        y = scheduler.step(noise_of(y, scheduler.sigmas[i].double()), step, y).prev_sample.double()
    ratios = scheduler.sigmas.double()
    return y, torch.cat([ratios[:-1].unique().flip(0), ratios[-1:]])


def ours_by_ratio(sampler: Any, ratios: Tensor, expected: Tensor) -> Tensor:
    # Ends without noise, which an ordinary schedule never does: both take their last step to it.
    schedule = EDMSchedule(sigma_min=1e-6, sigma_max=float(ratios[0]))
    times = schedule.time_of_sigma(ratios).clamp(0, 1)

    def denoiser(y: Tensor, t: Tensor) -> Tensor:
        rho = schedule.sigma(t)
        return y - rho * noise_of(y, rho)

    return sampler(denoiser, start() * ratios[0], times, schedule)


@pytest.mark.parametrize("n_steps", STEPS)
def test_euler_of_flow_matching(n_steps):
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=N_TIMES)
    scheduler.set_timesteps(n_steps)
    expected = start()
    for sigma, step in zip(scheduler.sigmas, scheduler.timesteps, strict=False):
        expected = scheduler.step(noise_of(expected, sigma.double()), step, expected).prev_sample.double()
    # With infinite ends of the log-SNR, sigma is the time itself.
    schedule = CondOTSchedule(log_snr_max=float("inf"), log_snr_min=float("-inf"))

    def denoiser(x: Tensor, t: Tensor) -> Tensor:
        return x - t * noise_of(x, t)  # their velocity is noise less data

    found = euler(denoiser, start(), scheduler.sigmas.double(), schedule)
    assert_same(found, expected)

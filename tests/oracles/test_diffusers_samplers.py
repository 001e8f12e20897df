"""Our samplers against diffusers' schedulers: same noise, same discrete betas, same network, same samples."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from genailab.generative.diffusion import Schedule, ddim, ddpm, dpm_solver_2m, to_x0

diffusers = pytest.importorskip("diffusers")

N_TIMES = 1000
STEPS = [1, 2, 10, 50]
BETAS = ["linear", "squaredcos_cap_v2"]


class Tabulated(Schedule):
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

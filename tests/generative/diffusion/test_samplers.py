"""Laws of the samplers, with the exact denoiser of a distribution whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion import (
    CosineSchedule,
    LinearSchedule,
    Schedule,
    classifier_free,
    ddim,
    ddpm,
    dpm_solver_2m,
    time_grid,
)
from genailab.generative.diffusion.samplers import SAMPLERS, get_sampler

Denoiser = Callable[[Tensor, Tensor], Tensor]


def mixture(schedule: Schedule, weights: list[float], means: list[float], stds: list[float]) -> Denoiser:
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


def noise(n: int, seed: int = 0) -> Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def even_in_log_snr(schedule: Schedule, n_steps: int, first: float, last: float) -> Tensor:
    return schedule.time(torch.linspace(first, last, n_steps + 1, dtype=torch.float64))


def error_in_flow(sampler: Callable, schedule: Schedule, n_steps: int) -> float:
    """Return how far the sampler ends from the exact solution of the probability-flow ODE of N(1, 0.6^2).

    That solution keeps each sample's quantile: (x_t - alpha m) / sqrt(alpha^2 s^2 + sigma^2) is constant.
    """
    mean, std = 1.0, 0.6
    times = even_in_log_snr(schedule, n_steps, -5.0, 5.0)
    alpha, sigma = schedule.alpha(times), schedule.sigma(times)
    scale = ((alpha * std).square() + sigma.square()).sqrt()
    quantile = torch.linspace(-2, 2, 9, dtype=torch.float64)
    start, end = (alpha[i] * mean + scale[i] * quantile for i in (0, -1))
    denoiser = mixture(schedule, [1.0], [mean], [std])
    if sampler is ddim:  # its last step returns the estimated data, not a sample at the last time
        end = denoiser(end, times[-1])
    return (sampler(denoiser, start, times, schedule) - end).abs().max().item()


@pytest.mark.parametrize("schedule", [CosineSchedule(), LinearSchedule()], ids=["cosine", "linear"])
@pytest.mark.parametrize(("sampler", "order"), [(ddim, 1), (dpm_solver_2m, 2)], ids=["ddim", "dpm++2m"])
def test_halving_the_step_divides_the_error_by_two_to_the_order(sampler, order, schedule):
    # The first and last steps of dpm++2m are first order: two local errors of h^2 keep the global order 2.
    errors = [error_in_flow(sampler, schedule, n) for n in (64, 128, 256, 512)]
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert orders == pytest.approx([order] * 3, abs=0.15)


def test_with_one_point_of_data_every_sampler_finds_it():
    schedule = CosineSchedule()
    for sampler in SAMPLERS.values():
        found = sampler(
            lambda x, t: torch.full_like(x, 3.0), noise(5), time_grid(4, schedule).double(), schedule
        )
        torch.testing.assert_close(found, torch.full((5,), 3.0).double(), atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("name", "n_steps"), [("ddpm", 400), ("ddim", 400), ("dpm++2m", 60)], ids=["ddpm", "ddim", "dpm++2m"]
)
def test_samples_have_the_mean_variance_and_weights_of_a_mixture(name, n_steps):
    schedule, n = CosineSchedule(), 20_000
    weights, means, stds = [0.3, 0.7], [-1.0, 0.8], [0.2, 0.4]
    mean = sum(w * m for w, m in zip(weights, means, strict=True))
    variance = sum(w * (s**2 + m**2) for w, m, s in zip(weights, means, stds, strict=True)) - mean**2
    times = time_grid(n_steps, schedule, spacing="log_snr").double()
    found = get_sampler(name)(
        mixture(schedule, weights, means, stds),
        noise(n),
        times,
        schedule,
        generator=torch.Generator().manual_seed(1),
    )
    assert found.mean().item() == pytest.approx(mean, abs=4 * math.sqrt(variance / n))
    assert found.var().item() == pytest.approx(variance, rel=0.03)
    below = 0.3 * 0.5 * math.erfc(-0.5 / 0.2 / math.sqrt(2)) + 0.7 * 0.5 * math.erfc(1.3 / 0.4 / math.sqrt(2))
    assert (found < -0.5).double().mean().item() == pytest.approx(below, abs=0.015)


@pytest.mark.parametrize("n_steps", [1, 2, 7, 50])
def test_ddim_with_eta_1_walks_the_path_of_ddpm(n_steps):
    schedule = LinearSchedule()
    exact = mixture(schedule, [0.5, 0.5], [-1.0, 1.0], [0.3, 0.3])
    times = time_grid(n_steps, schedule).double()
    paths: list[list[Tensor]] = [[], []]

    def recorded(path: list[Tensor]) -> Denoiser:
        return lambda x, t: (path.append(x), exact(x, t))[1]

    generators = [torch.Generator().manual_seed(5) for _ in paths]
    ddpm(recorded(paths[0]), noise(100), times, schedule, generator=generators[0])
    ddim(recorded(paths[1]), noise(100), times, schedule, eta=1.0, generator=generators[1])
    assert len(paths[0]) == n_steps
    torch.testing.assert_close(torch.stack(paths[0]), torch.stack(paths[1]))


@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_ddim_stays_finite_in_float32_where_a_step_keeps_no_noise(eta):
    schedule = CosineSchedule()
    for n_steps in range(1, 40):
        for spacing in ("time", "log_snr"):
            times = time_grid(n_steps, schedule, spacing=spacing)
            found = ddim(lambda x, t: 0 * x, noise(3).float(), times, schedule, eta=eta)
            assert torch.isfinite(found).all()


def test_the_first_order_of_dpm_solver_is_ddim():
    schedule = CosineSchedule()
    exact = mixture(schedule, [1.0], [0.5], [0.5])
    times = even_in_log_snr(schedule, 1, -3.0, 1.0)
    one_step = dpm_solver_2m(exact, noise(20), times, schedule)
    stops: list[Tensor] = []
    longer = torch.cat([times, times[-1:] * 0.5])
    ddim(lambda x, t: (stops.append(x), exact(x, t))[1], noise(20), longer, schedule)
    torch.testing.assert_close(one_step, stops[1])


@pytest.mark.parametrize("name", SAMPLERS)
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


@pytest.mark.parametrize("schedule", [CosineSchedule(), LinearSchedule()], ids=["cosine", "linear"])
@pytest.mark.parametrize("spacing", ["time", "log_snr"])
def test_a_time_grid_falls_from_1_to_0_in_even_steps(schedule, spacing):
    times = time_grid(20, schedule, spacing=spacing)
    assert times.shape == (21,)
    assert (times.diff() < 0).all()
    torch.testing.assert_close(times[[0, -1]], torch.tensor([1.0, 0.0]), atol=1e-6, rtol=0)
    steps = (times if spacing == "time" else schedule.log_snr(times.double())).diff()
    torch.testing.assert_close(steps, steps.mean().expand(20), rtol=0.02, atol=0)


def test_guidance_is_linear_in_its_scale_and_exact_at_0_and_1():
    x, t = noise(8), torch.tensor(0.3)

    def conditional(x: Tensor, t: Tensor) -> Tensor:
        return x.sin()

    def unconditional(x: Tensor, t: Tensor) -> Tensor:
        return x.cos()

    at = {scale: classifier_free(conditional, unconditional, scale)(x, t) for scale in (0, 1, 2.5, 5)}
    assert torch.equal(at[1], x.sin())
    assert torch.equal(at[0], x.cos())
    torch.testing.assert_close(at[5] - at[0], 5 * (at[1] - at[0]))
    torch.testing.assert_close(at[2.5], (at[0] + at[5]) / 2)


def test_what_cannot_be_sampled_is_refused():
    schedule = CosineSchedule()
    with pytest.raises(InputError, match="no sampler 'dpm': "):
        get_sampler("dpm")
    with pytest.raises(InputError, match="asked for 0 sampling steps: ask for at least 1"):
        time_grid(0, schedule)
    with pytest.raises(InputError, match="no spacing 'even' of sampling steps: choose time or log_snr"):
        time_grid(3, schedule, spacing="even")
    with pytest.raises(InputError, match=r"eta is 1.5: it must be in \[0, 1\]"):
        ddim(lambda x, t: x, noise(2), time_grid(3, schedule), schedule, eta=1.5)

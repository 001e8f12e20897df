"""Laws of guidance: Gaussians, whose guided samples are known, and identities between ways to guide."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.guidance import (
    between_times,
    classifier_free,
    classifier_guided,
    composed,
    rescaled,
)
from genailab.generative.diffusion.samplers import SAMPLERS, dpm_solver_2m, get_sampler, time_grid
from genailab.generative.diffusion.schedules import CosineSchedule, Schedule, VESchedule, make_schedule

Denoiser = Callable[[Tensor, Tensor], Tensor]
KINDS = ["cosine", "cond_ot", "ve"]


def schedule_of(kind: str) -> Schedule:
    # Noise far beyond these data, whatever the default is.
    return VESchedule(sigma_min=0.01, sigma_max=50.0) if kind == "ve" else make_schedule(kind)


def gaussian(schedule: Schedule, mean: float | Tensor, variance: float | Tensor) -> Denoiser:
    """Return E[x_0 | x_t] of independent normal entries."""

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.alpha(t), schedule.sigma(t)
        gain = alpha * variance / (alpha**2 * variance + sigma**2)
        return mean + gain * (x - alpha * mean)

    return denoise


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sine(x: Tensor, t: Tensor) -> Tensor:
    return x.sin()


def cosine(x: Tensor, t: Tensor) -> Tensor:
    return 2 * x.cos()


def counted(denoiser: Denoiser, calls: list[Tensor]) -> Denoiser:
    return lambda x, t: (calls.append(t), denoiser(x, t))[1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("name", ["dpm++2m", "heun", "adaptive_ode"])
def test_guided_samples_of_two_gaussians_are_a_gaussian_further_along(name, scale, kind):
    # With one variance the guided score is that of N(m + scale (m' - m), variance) at every time.
    schedule = schedule_of(kind)
    variance = 0.25
    guided = classifier_free(gaussian(schedule, 1.0, variance), gaussian(schedule, 0.2, variance), scale)
    times = time_grid(100, schedule, spacing="log_snr").double()
    quantiles = torch.linspace(-2, 2, 9, dtype=torch.float64)
    mean, (alpha, sigma) = 0.2 + scale * 0.8, (schedule.alpha(times[0]), schedule.sigma(times[0]))
    start = alpha * mean + (alpha**2 * variance + sigma**2).sqrt() * quantiles
    found = get_sampler(name)(guided, start, times, schedule)
    torch.testing.assert_close(found, mean + math.sqrt(variance) * quantiles, atol=0.01, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_guided_estimate_has_the_score_of_the_guided_density(kind):
    # With two variances it is linear in x as well: p(x) p(c | x)^scale is a Gaussian, of precision
    # (1 - scale) / unconditional + scale / conditional variance of x_t.
    schedule, scale = schedule_of(kind), 2.5
    x, t = noise(7), torch.tensor(0.4, dtype=torch.float64)
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    found = classifier_free(gaussian(schedule, 1.0, 0.1), gaussian(schedule, 0.2, 0.9), scale)(x, t)
    score = (alpha * found - x) / sigma**2
    wide, narrow = (alpha**2 * v + sigma**2 for v in (0.9, 0.1))
    expected = (1 - scale) * (alpha * 0.2 - x) / wide + scale * (alpha * 1.0 - x) / narrow
    torch.testing.assert_close(score, expected)


def test_guidance_is_linear_in_its_scale_and_exact_at_0_and_1():
    x, t = noise(8), torch.tensor(0.3)
    at = {scale: classifier_free(sine, cosine, scale)(x, t) for scale in (-1, 0, 1, 2.5, 5)}
    assert torch.equal(at[1], sine(x, t))
    assert torch.equal(at[0], cosine(x, t))
    torch.testing.assert_close(at[5] - at[0], 5 * (at[1] - at[0]))
    torch.testing.assert_close(at[2.5], (at[0] + at[5]) / 2)
    torch.testing.assert_close(at[-1], 2 * at[0] - at[1])


def test_independent_conditions_compose_to_their_joint_posterior():
    # One condition tells of the first entry, the other of the second: each alone leaves the other's prior.
    schedule, t, x = CosineSchedule(), torch.tensor(0.5, dtype=torch.float64), noise(6, 2)
    prior, first, second = (torch.tensor(v).double() for v in ([1.0, 1.0], [0.2, 1.0], [1.0, 0.3]))
    both = gaussian(schedule, torch.tensor([0.7, -0.4]).double(), torch.minimum(first, second))
    alone = [
        gaussian(schedule, torch.tensor([0.7, 0.0]).double(), first),
        gaussian(schedule, torch.tensor([0.0, -0.4]).double(), second),
    ]
    nothing = gaussian(schedule, torch.zeros(2).double(), prior)
    torch.testing.assert_close(composed(nothing, alone, [1, 1])(x, t), both(x, t))
    torch.testing.assert_close(composed(nothing, alone, [1, 0])(x, t), alone[0](x, t))


def test_composing_one_condition_is_guidance_and_a_repeated_one_adds_its_scales():
    x, t = noise(5), torch.tensor(0.3)
    expected = classifier_free(sine, cosine, 3.0)(x, t)
    torch.testing.assert_close(composed(cosine, [sine], [3.0])(x, t), expected)
    torch.testing.assert_close(composed(cosine, [sine, sine], [1.0, 2.0])(x, t), expected)


def test_outside_its_interval_guidance_costs_no_call_and_changes_nothing():
    schedule, calls = CosineSchedule(), []
    guided = classifier_free(sine, counted(cosine, calls), 4.0, interval=(0.2, 0.6))
    times = torch.linspace(1, 0, 11)
    dpm_solver_2m(guided, noise(3).float(), times, schedule)
    assert calls == pytest.approx([0.6, 0.5, 0.4, 0.3, 0.2])
    x = noise(4)
    everywhere = classifier_free(sine, cosine, 4.0)
    each = torch.tensor([0.1, 0.3, 0.59, 0.9])  # a time for each sample
    found = guided(x, each)
    assert torch.equal(found[[0, 3]], sine(x, each)[[0, 3]])
    assert torch.equal(found[[1, 2]], everywhere(x, each)[[1, 2]])
    assert torch.equal(classifier_free(sine, cosine, 4.0, interval=(0, 1))(x, each), everywhere(x, each))


def test_rescaling_brings_each_samples_spread_back_to_the_conditional_one():
    x, t = noise(5, 3, 4), torch.tensor(0.3)
    guided = classifier_free(sine, cosine, 6.0)
    full, half, none = (rescaled(guided, sine, share)(x, t) for share in (1.0, 0.5, 0.0))
    spread = full.flatten(start_dim=1).std(dim=1)
    torch.testing.assert_close(spread, sine(x, t).flatten(start_dim=1).std(dim=1))
    torch.testing.assert_close(full / full[:, :1, :1], none / none[:, :1, :1])  # only the scale changes
    torch.testing.assert_close(half, (full + none) / 2)
    assert torch.equal(none, guided(x, t))
    assert torch.equal(classifier_free(sine, cosine, 6.0, rescale=1.0)(x, t), full)
    still = rescaled(lambda x, t: 0 * x, sine, 0.7)(x, t)
    assert torch.equal(still, torch.zeros_like(x))


def test_a_right_classifier_turns_the_prior_into_the_posterior():
    # y = x_0 + noise of variance 0.3 is seen; p(y | x_t) is normal about E[x_0 | x_t].
    for kind in KINDS:
        schedule, y, seen = schedule_of(kind), 0.8, 0.3
        prior = gaussian(schedule, 0.1, 0.5)

        def log_probability(x: Tensor, t: Tensor, schedule=schedule, prior=prior, y=y, seen=seen) -> Tensor:
            alpha, sigma = schedule.alpha(t), schedule.sigma(t)
            left = 0.5 * sigma**2 / (alpha**2 * 0.5 + sigma**2)  # variance of x_0 given x_t
            return (-0.5 * (y - prior(x, t)).square() / (left + seen)).sum(dim=1)

        precision = 1 / 0.5 + 1 / seen
        posterior = gaussian(schedule, (0.1 / 0.5 + y / seen) / precision, 1 / precision)
        for time in (0.05, 0.4, 0.9):
            x, t = noise(6, 2), torch.tensor(time, dtype=torch.float64)
            with torch.no_grad():
                found = classifier_guided(prior, log_probability, schedule)(x, t)
            torch.testing.assert_close(found, posterior(x, t))
            assert not found.requires_grad
            off = classifier_guided(prior, log_probability, schedule, scale=0)(x, t)
            torch.testing.assert_close(off, prior(x, t))


@pytest.mark.parametrize("name", SAMPLERS)
def test_guided_denoisers_work_with_every_sampler(name):
    schedule = CosineSchedule()
    guided = classifier_free(
        gaussian(schedule, 1.0, 0.2), gaussian(schedule, 0.0, 0.2), 2.0, interval=(0.1, 0.9), rescale=0.5
    )
    times = time_grid(20, schedule, spacing="log_snr")
    generator = torch.Generator().manual_seed(0)
    found = get_sampler(name)(guided, noise(50, 3).float(), times, schedule, generator=generator)
    assert found.shape == (50, 3)
    assert found.mean() > 0.8


@pytest.mark.parametrize("interval", [(0.6, 0.2), (-0.1, 0.5), (0.5, 1.5), (0.3, 0.3), (math.nan, 1.0)])
def test_an_interval_that_is_none_is_refused(interval):
    with pytest.raises(InputError, match=r"the guidance interval is .*: give two rising times"):
        between_times(sine, cosine, interval)
    with pytest.raises(InputError, match=r"the guidance interval is .*: give two rising times"):
        classifier_free(sine, cosine, 2.0, interval=interval)


def test_what_cannot_guide_is_refused():
    with pytest.raises(InputError, match="the guidance scale is nan: give a finite number"):
        classifier_free(sine, cosine, math.nan)
    with pytest.raises(InputError, match="guidance was asked for without a condition"):
        composed(cosine, [], [])
    with pytest.raises(InputError, match="2 conditions have 1 guidance scales: give each one"):
        composed(cosine, [sine, sine], [1.0])
    with pytest.raises(InputError, match=r"guidance is rescaled by 1\.5: give a share in \[0, 1\]"):
        classifier_free(sine, cosine, 2.0, rescale=1.5)
    with pytest.raises(InputError, match="a sample of one entry has no spread"):
        rescaled(sine, cosine, 0.5)(noise(4, 1), torch.tensor(0.5))
    with pytest.raises(InputError, match="the classifier's guidance scale is -1: it must be 0 or more"):
        classifier_guided(sine, lambda x, t: x.sum(dim=1), CosineSchedule(), scale=-1)

"""Laws of what is held fixed: ranges, and known entries of which the others must take account."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.clamping import clamped, inpainting, repaint
from genailab.generative.diffusion.samplers import (
    SAMPLERS,
    ddpm,
    dpm_solver_2m,
    get_sampler,
    time_grid,
)
from genailab.generative.diffusion.schedules import CosineSchedule, Schedule, VESchedule, make_schedule

CORRELATION = 0.6
MASK = torch.tensor([False, True])
KNOWN = torch.tensor([math.nan, 1.0], dtype=torch.float64)  # what is unknown may be anything


def schedule_of(kind: str) -> Schedule:
    # Noise far beyond these data, whatever the default is.
    return VESchedule(sigma_min=0.01, sigma_max=50.0) if kind == "ve" else make_schedule(kind)


def correlated(schedule: Schedule, correlation: float = CORRELATION) -> Callable[[Tensor, Tensor], Tensor]:
    """Return E[x_0 | x_t] of two standard normal entries with this correlation."""
    covariance = torch.tensor([[1, correlation], [correlation, 1]], dtype=torch.float64)

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.alpha(t), schedule.sigma(t)
        noisy = alpha**2 * covariance + sigma**2 * torch.eye(2, dtype=torch.float64)
        return x @ torch.linalg.solve(noisy, alpha * covariance)

    return denoise


def start(schedule: Schedule, n: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    one = torch.ones((), dtype=torch.float64)
    return schedule.sigma(one) * torch.randn(n, 2, generator=generator, dtype=torch.float64)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize("kind", ["cosine", "cond_ot", "ve"])
@pytest.mark.parametrize("name", SAMPLERS)
def test_known_entries_are_kept_exactly_and_unrelated_ones_are_left_alone(name, kind):
    schedule = schedule_of(kind)
    times = time_grid(20, schedule, spacing="log_snr").double()
    x = start(schedule, 200)
    sampler = get_sampler(name)
    found = inpainting(sampler, KNOWN, MASK)(
        correlated(schedule, 0.0), x, times, schedule, generator=generator()
    )
    assert (found[:, 1] == 1.0).all()
    if name not in ("adaptive_ode", "predictor_corrector"):  # their steps depend on all entries
        free = sampler(correlated(schedule, 0.0), x, times, schedule, generator=generator())
        torch.testing.assert_close(found[:, 0], free[:, 0])


# The adaptive solver also looks at times between its steps, with samples that are not yet right.
@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "adaptive_ode"])
def test_on_the_way_known_entries_are_their_value_with_the_noise_of_the_time(name):
    # What the replacement method writes there at each step comes about by itself.
    schedule = schedule_of("linear")
    times = time_grid(200, schedule, spacing="log_snr").double()
    seen: list[tuple[float, float, float]] = []
    exact = correlated(schedule)

    def watched(x: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.alpha(t), schedule.sigma(t)
        eps = (x[:, 1] - alpha) / sigma
        if float(sigma) > 0.05:
            seen.append((float(t), eps.mean().item(), eps.std().item()))
        return exact(x, t)

    inpainting(get_sampler(name), KNOWN, MASK)(
        watched, start(schedule, 4000), times, schedule, generator=generator()
    )
    for _, mean, std in seen:
        assert mean == pytest.approx(0, abs=0.1)
        assert std == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("kind", ["cosine", "cond_ot", "ve"])
def test_repaint_samples_the_conditional_distribution_of_a_correlated_gaussian(kind):
    # x | y = 1 is N(0.6, 0.64). Ten resamplings are right to 0.05; one, the replacement method, is not.
    schedule = schedule_of(kind)
    times = time_grid(100, schedule, spacing="log_snr").double()
    errors = {}
    for n in (1, 3, 10):
        found = repaint(
            correlated(schedule),
            start(schedule, 4000),
            times,
            schedule,
            known=KNOWN,
            mask=MASK,
            n_resamplings=n,
            generator=generator(),
        )
        assert (found[:, 1] == 1.0).all()
        errors[n] = CORRELATION - found[:, 0].mean().item()
    assert abs(errors[10]) < 0.05
    assert found[:, 0].var().item() == pytest.approx(1 - CORRELATION**2, abs=0.1)
    assert errors[1] > 0.1
    assert errors[10] < errors[3] < errors[1]


def test_repaint_without_resampling_is_in_painting_with_ddpm():
    schedule = CosineSchedule()
    times = time_grid(10, schedule).double()
    arguments = (correlated(schedule), start(schedule, 20), times, schedule)
    found = repaint(*arguments, known=KNOWN, mask=MASK, n_resamplings=1, generator=generator())
    expected = inpainting(ddpm, KNOWN, MASK)(*arguments, generator=generator())
    torch.testing.assert_close(found, expected)


def test_estimates_are_kept_in_their_range_and_others_are_untouched():
    x, t = torch.tensor([[-3.0, 0.2], [0.5, 9.0]]), torch.tensor(0.5)
    assert torch.equal(clamped(lambda x, t: x, -1, 1)(x, t), x.clamp(-1, 1))
    assert torch.equal(clamped(lambda x, t: x, -10, 10)(x, t), x)
    by_entry = clamped(lambda x, t: x, torch.tensor([-1.0, 0.0]), torch.tensor([0.0, 4.0]))
    assert torch.equal(by_entry(x, t), torch.tensor([[-1.0, 0.2], [0.0, 4.0]]))
    schedule = CosineSchedule()
    times = time_grid(20, schedule)
    wide = clamped(lambda x, t: 5 * x, -1, 1)  # a network that goes astray
    found = dpm_solver_2m(wide, start(schedule, 50).float(), times, schedule)
    assert found.abs().max() < 1.01


def test_what_cannot_be_held_is_refused():
    schedule = CosineSchedule()
    arguments = (lambda x, t: x, start(schedule, 5), time_grid(3, schedule), schedule)
    with pytest.raises(
        InputError, match="estimates cannot be kept between 1 and -1: give the lower limit first"
    ):
        clamped(lambda x, t: x, 1, -1)
    with pytest.raises(InputError, match=r"the mask of known entries is torch\.int64: give bool"):
        inpainting(ddpm, KNOWN, MASK.long())
    with pytest.raises(InputError, match=r"the known value at \(0,\) is not finite"):
        inpainting(ddpm, KNOWN, ~MASK)
    with pytest.raises(
        InputError, match=r"known values \(3,\) and their mask \(3,\) do not fit samples \(5, 2\)"
    ):
        inpainting(ddpm, torch.ones(3), torch.ones(3).bool())(*arguments)
    with pytest.raises(InputError, match=r"do not fit samples \(5, 2\)"):
        repaint(*arguments, known=torch.ones(2, 5, 2), mask=MASK)
    with pytest.raises(InputError, match="n_resamplings is 0: each step must be done at least once"):
        repaint(*arguments, known=KNOWN, mask=MASK, n_resamplings=0)

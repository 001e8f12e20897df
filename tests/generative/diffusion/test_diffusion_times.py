"""Laws of the times at which a network is trained: where they lie, and how evenly."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.generative.diffusion import CosineSchedule, EDMSchedule
from genailab.generative.diffusion.times import (
    TIMES,
    edm_times,
    logit_normal_times,
    low_discrepancy_times,
    sample_times,
)


def generator(seed: int = 4) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(n=st.integers(1, 300), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_times_of_a_batch_are_one_in_each_stretch_of_it(n, seed):
    times = low_discrepancy_times(n, generator=torch.Generator().manual_seed(seed))
    assert times.min() >= 0
    assert times.max() < 1
    torch.testing.assert_close(times.sort().values.diff(), torch.full((n - 1,), 1 / n), atol=1e-5, rtol=0)


def test_times_follow_their_generator_and_come_in_random_order():
    one, two = (low_discrepancy_times(50, generator=torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two)
    assert (one.diff() < 0).sum() > 10


@pytest.mark.parametrize("kind", TIMES)
def test_every_kind_follows_its_generator_and_stays_in_0_to_1(kind):
    random_state = torch.get_rng_state()
    one, two = (sample_times(kind, 1000, EDMSchedule(), generator=generator()) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (1000,)
    assert ((one >= 0) & (one <= 1)).all()
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.parametrize("kind", ["uniform", "low_discrepancy"])
def test_uniform_times_have_the_moments_of_a_uniform(kind):
    times = sample_times(kind, 20_000, CosineSchedule(), generator=generator())
    assert times.mean().item() == pytest.approx(0.5, abs=0.01)
    assert times.var().item() == pytest.approx(1 / 12, rel=0.03)


def test_logits_and_log_noise_are_normal_as_asked():
    logits = logit_normal_times(20_000, mean=0.5, std=0.8, generator=generator()).logit()
    assert (logits.mean().item(), logits.std().item()) == pytest.approx((0.5, 0.8), abs=0.02)
    schedule = EDMSchedule()
    log_sigma = schedule.sigma(edm_times(20_000, schedule, generator=generator()).double()).log()
    assert (log_sigma.mean().item(), log_sigma.std().item()) == pytest.approx((-1.2, 1.2), abs=0.03)


def test_noise_beyond_the_ends_of_a_schedule_is_held_at_its_ends():
    schedule = CosineSchedule(log_snr_max=2.0, log_snr_min=-2.0)
    times = edm_times(5000, schedule, generator=generator())
    share = 0.5 * math.erfc((-1.0 + 1.2) / 1.2 / math.sqrt(2))  # log(sigma / alpha) below -1 is t = 0
    assert (times == 0).float().mean().item() == pytest.approx(1 - share, abs=0.03)


def test_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="no times 'unifrom': did you mean 'uniform'"):
        sample_times("unifrom", 3, CosineSchedule())

"""What wraps an estimate of letters: guidance, temperature, nucleus, allowed letters."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.discrete import guided, nucleus, restricted, tempered

STATES, TIME = torch.zeros(2, 5, dtype=torch.uint8), torch.tensor(0.5)


def estimate(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(2, 4, 5, generator=generator, dtype=torch.float64)).log_softmax(dim=1)


def denoiser(seed: int):  # type: ignore[no-untyped-def]
    return lambda x, t: estimate(seed)


@given(
    scale=st.floats(-2, 6), temperature=st.floats(0.1, 5), top_p=st.floats(0.05, 1), seed=st.integers(0, 50)
)
@settings(max_examples=40, deadline=None)
def test_every_wrapper_and_all_of_them_together_leave_probabilities(scale, temperature, top_p, seed):
    allowed = torch.ones(4, 5, dtype=torch.bool)
    allowed[1, 2] = False
    bent = guided(denoiser(seed), denoiser(seed + 1), scale)
    bent = nucleus(restricted(tempered(bent, temperature), allowed), top_p)
    p = bent(STATES, TIME).exp()
    torch.testing.assert_close(p.sum(dim=1), torch.ones(2, 5).double())
    assert (p[:, 1, 2] == 0).all()


def test_guidance_is_the_condition_at_1_nothing_at_0_and_linear_in_odds():
    conditional, unconditional = denoiser(0), denoiser(1)
    assert torch.equal(guided(conditional, unconditional, 1)(STATES, TIME), estimate(0))
    assert torch.equal(guided(conditional, unconditional, 0)(STATES, TIME), estimate(1))
    odds = {
        scale: guided(conditional, unconditional, scale)(STATES, TIME).diff(dim=1) for scale in (0, 1, 3, 6)
    }
    torch.testing.assert_close(odds[6] - odds[0], 6 * (odds[1] - odds[0]))
    torch.testing.assert_close(odds[3], (odds[0] + odds[6]) / 2)


def test_temperature_divides_the_log_odds_and_0_is_approached_by_the_likeliest_letter():
    torch.testing.assert_close(
        tempered(denoiser(0), 2.5)(STATES, TIME).diff(dim=1), estimate(0).diff(dim=1) / 2.5
    )
    assert torch.equal(tempered(denoiser(0), 1)(STATES, TIME), estimate(0))
    cold = tempered(denoiser(0), 0.001)(STATES, TIME).exp()
    torch.testing.assert_close(cold.amax(dim=1), torch.ones(2, 5).double())
    assert torch.equal(cold.argmax(dim=1), estimate(0).argmax(dim=1))


@given(top_p=st.floats(0.01, 0.999), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_nucleus_is_the_smallest_set_that_reaches_the_share(top_p, seed):
    p, kept = estimate(seed).exp(), nucleus(denoiser(seed), top_p)(STATES, TIME).exp() > 0
    inside = torch.where(kept, p, 0.0)
    assert (inside.sum(dim=1) >= top_p - 1e-9).all()
    least = torch.where(kept, p, math.inf).amin(dim=1)
    assert (inside.sum(dim=1) - least < top_p + 1e-9).all()
    assert (least >= torch.where(kept, 0.0, p).amax(dim=1)).all()


def test_allowed_letters_keep_their_odds_even_where_the_estimate_rules_them_out():
    allowed = torch.zeros(4, 5, dtype=torch.bool)
    allowed[1:3] = True
    p = restricted(denoiser(0), allowed)(STATES, TIME)
    torch.testing.assert_close(p[:, 2] - p[:, 1], estimate(0)[:, 2] - estimate(0)[:, 1])

    def impossible(x: Tensor, t: Tensor) -> Tensor:
        return torch.tensor([0.0, -math.inf, -math.inf, -math.inf])[None, :, None].expand(2, 4, 5)

    p = restricted(impossible, allowed)(STATES, TIME).exp()
    torch.testing.assert_close(p[:, 1:3], torch.full((2, 2, 5), 0.5))


def test_settings_that_cannot_be_right_are_refused():
    for temperature in (0, -1, math.inf, math.nan):
        with pytest.raises(InputError, match=f"temperature is {temperature}: it must be positive"):
            tempered(denoiser(0), temperature)
    for top_p in (0, 1.5, math.nan):
        with pytest.raises(InputError, match=rf"top_p is {top_p}: it must be in \(0, 1\]"):
            nucleus(denoiser(0), top_p)

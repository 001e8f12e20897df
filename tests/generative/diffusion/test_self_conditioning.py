"""Laws of self-conditioning: each call sees the estimate before it, and no run sees another's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.samplers import SAMPLERS, ddim, get_sampler, time_grid
from genailab.generative.diffusion.schedules import CosineSchedule
from genailab.generative.diffusion.self_conditioning import first_guess, self_conditioning

SCHEDULE = CosineSchedule()
TIMES = time_grid(6, SCHEDULE)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", SAMPLERS)
def test_each_call_sees_the_estimate_before_it_and_the_first_sees_zeros(name):
    shown: list[Tensor] = []
    given: list[Tensor] = []

    def denoiser(x: Tensor, t: Tensor, previous: Tensor) -> Tensor:
        shown.append(previous)
        given.append(0.5 * x + 0.1 * previous)
        return given[-1]

    sampler = self_conditioning(get_sampler(name))
    for _ in range(2):  # a second run starts with nothing again
        shown.clear(), given.clear()
        sampler(denoiser, noise(4, 3), TIMES, SCHEDULE, generator=torch.Generator().manual_seed(0))
        assert torch.equal(shown[0], torch.zeros(4, 3))
        assert all(torch.equal(seen, made) for seen, made in zip(shown[1:], given[:-1], strict=True))
        assert len(shown) >= 6


def test_a_network_that_does_not_look_at_its_estimate_samples_as_without():
    expected = ddim(lambda x, t: x.tanh(), noise(5), TIMES, SCHEDULE)
    found = self_conditioning(ddim)(lambda x, t, previous: x.tanh(), noise(5), TIMES, SCHEDULE)
    assert torch.equal(found, expected)


def test_in_training_a_share_of_samples_sees_a_guess_without_a_gradient():
    weight = torch.tensor(2.0, requires_grad=True)
    x, t = noise(4000, 3) + 10, torch.full((4000,), 0.5)
    guess = first_guess(
        lambda x, t, previous: weight * x + previous, x, t, generator=torch.Generator().manual_seed(1)
    )
    assert not guess.requires_grad
    shown = guess[:, 0] != 0
    assert shown.float().mean().item() == pytest.approx(0.5, abs=0.03)
    torch.testing.assert_close(guess[shown], 2 * x[shown])
    assert (guess[~shown] == 0).all()
    for probability in (0.0, 1.0):
        all_or_none = first_guess(lambda x, t, previous: x, x, t, probability=probability)
        assert torch.equal(all_or_none, probability * x)


def test_a_probability_outside_its_range_is_refused():
    with pytest.raises(
        InputError, match=r"the probability of self-conditioning is 2: it must be in \[0, 1\]"
    ):
        first_guess(lambda x, t, previous: x, noise(2, 2), torch.zeros(2), probability=2)

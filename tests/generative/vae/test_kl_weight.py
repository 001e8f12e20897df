"""Laws of the KL term's weight: closed forms, schedules, and bits that cost and push nothing."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from genailab.errors import InputError
from genailab.generative.vae import Gaussian, KLSchedule, free_bits_kl
from genailab.generative.vae.kl_weight import KLWeight

few = settings(max_examples=30, deadline=None)


@given(
    mean=st.floats(-5, 5), std=st.floats(0.01, 5), other_mean=st.floats(-3, 3), other_std=st.floats(0.1, 4)
)
@few
def test_the_kl_of_each_dimension_is_the_closed_form(mean, std, other_mean, other_std):
    gaussian = Gaussian(*torch.tensor([[[mean, 0.0]], [[std, 1.0]]], dtype=torch.float64))
    found = gaussian.kl_per_dimension(other_mean, other_std)
    other = Normal(
        torch.tensor(other_mean, dtype=torch.float64), torch.tensor(other_std, dtype=torch.float64)
    )
    expected = kl_divergence(Normal(gaussian.mean, gaussian.std), other)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gaussian.kl(other_mean, other_std), expected.sum(dim=1))


def test_free_bits_give_no_gradient_below_their_floor_and_the_whole_above():
    mean = torch.tensor([[0.1, 2.0], [-0.1, 2.0]], requires_grad=True)
    posterior = Gaussian(mean, torch.full((2, 2), 0.9))
    per_dimension = posterior.kl_per_dimension().mean(dim=0).detach()
    floor = 0.5
    assert per_dimension[0] < floor < per_dimension[1]
    found = free_bits_kl(posterior, floor)
    assert found.item() == pytest.approx(floor + per_dimension[1].item())
    (gradient,) = torch.autograd.grad(found, mean)
    assert torch.equal(gradient[:, 0], torch.zeros(2))
    torch.testing.assert_close(gradient[:, 1], mean.detach()[:, 1] / 2)


def test_without_free_bits_the_term_is_the_mean_kl():
    posterior = Gaussian(torch.randn(7, 3), torch.rand(7, 3) + 0.1)
    torch.testing.assert_close(free_bits_kl(posterior, 0.0), posterior.kl().mean())


@given(n_steps=st.integers(1, 200), n_cycles=st.integers(1, 5), ramp=st.floats(0.1, 1))
@few
def test_a_cyclic_schedule_repeats_itself_and_ends_whole(n_steps, n_cycles, ramp):
    cycle = KLSchedule(kind="cyclic", n_steps=n_steps * n_cycles, n_cycles=n_cycles, ramp=ramp)
    weights = torch.tensor([cycle.weight(step) for step in range(1, n_steps * n_cycles + 2)]).double()
    cycles = weights[:-1].view(n_cycles, n_steps)
    torch.testing.assert_close(cycles, cycles[:1].expand(n_cycles, -1))
    assert (cycles.diff(dim=1) >= 0).all()
    assert cycles[0, -1] == weights[-1] == 1
    rising = (cycles[0] < 1).double().mean().item()
    assert rising <= ramp + 1e-9
    assert rising >= ramp - 1 / n_steps - 1e-9


def test_a_linear_schedule_rises_evenly_to_1_and_a_constant_one_is_1():
    linear = KLSchedule(kind="linear", n_steps=4)
    assert [linear.weight(step) for step in range(1, 7)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert {KLSchedule().weight(step) for step in range(1, 2000)} == {1.0}


def test_steps_are_counted_in_training_alone_and_saved_with_the_model():
    weight = KLWeight(KLSchedule(kind="linear", n_steps=4))
    assert [weight(), weight()] == [0.25, 0.5]
    weight.eval()
    assert [weight(), weight()] == [1.0, 1.0]
    resumed = KLWeight(KLSchedule(kind="linear", n_steps=4))
    resumed.load_state_dict(weight.state_dict())
    assert resumed.train()() == 0.75


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"kind": "cosine"}, "kind is 'cosine': choose one of constant, linear, cyclic"),
        ({"n_steps": 0}, "n_steps is 0: it must be at least 1"),
        ({"n_cycles": 0}, "n_cycles is 0"),
        ({"ramp": 0.0}, r"ramp is 0.0: it must be in \(0, 1\]"),
        ({"ramp": math.nan}, "ramp is nan"),
    ],
)
def test_schedules_that_cannot_be_right_are_refused(settings_, message):
    with pytest.raises(InputError, match=message):
        KLSchedule(**settings_)

"""Noise on letters, against matrices and Bayes' rule by enumeration."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.discrete import DiscreteProcess, draw
from genailab.generative.diffusion.schedules import CosineSchedule, LogLinearSchedule

NOISES = ("absorbing", "uniform")
every_noise = pytest.mark.parametrize("noise", NOISES)
times = st.floats(0.0, 1.0).map(lambda t: torch.tensor(t, dtype=torch.float64))


def process(noise: str, n_letters: int = 3) -> DiscreteProcess:
    return DiscreteProcess(n_letters, noise, LogLinearSchedule())


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(s=times, t=times, u=times, noise=st.sampled_from(NOISES), n_letters=st.integers(2, 20))
@settings(max_examples=25, deadline=None)
def test_kernels_are_stochastic_and_compose(s, t, u, noise, n_letters):
    s, t, u = sorted((0.99 * s, 0.99 * t, u))
    one = process(noise, n_letters)
    for matrix in (one.matrix(s, t), one.matrix(t, u), one.matrix(s, u)):
        assert (matrix >= 0).all()
        torch.testing.assert_close(matrix.sum(dim=1), torch.ones(one.n_states).double())
    torch.testing.assert_close(one.matrix(s, t) @ one.matrix(t, u), one.matrix(s, u))


@every_noise
def test_noise_starts_at_the_data_ends_where_it_is_stationary_and_stays_there(noise):
    one = process(noise)
    start, middle, end = torch.tensor([0.0, 0.6, 1.0], dtype=torch.float64)
    assert torch.equal(one.matrix(start, start), torch.eye(one.n_states).double())
    pi = one.stationary(end)
    torch.testing.assert_close(one.matrix(start, end), pi.expand(one.n_states, -1))
    torch.testing.assert_close(pi @ one.matrix(start, middle), pi)


@given(s=st.floats(0, 0.98), gap=st.floats(0.01, 1), noise=st.sampled_from(NOISES), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_posterior_is_bayes_rule(s, gap, noise, seed):
    # With any prior over one letter: p(x_s | x_t) = sum of p(x_0) q(x_s | x_0) q(x_t | x_s) / p(x_t).
    one, s = process(noise), torch.tensor(s, dtype=torch.float64)
    t = s + gap * (1 - s)
    prior = torch.rand(3, generator=generator(seed), dtype=torch.float64) + 0.01
    prior = torch.cat([prior, prior.new_zeros(one.n_states - 3)]) / prior.sum()
    zero = torch.tensor(0.0).double()
    joint = (prior @ one.matrix(zero, s))[:, None] * one.matrix(s, t)  # (x_s, x_t)
    seen = joint.sum(dim=0) > 1e-12
    expected = (joint / joint.sum(dim=0))[:, seen]

    states = torch.arange(one.n_states, dtype=torch.uint8)[seen][None]  # (1, length): one of each state
    estimate = prior[:, None] * one.matrix(zero, t)  # p(x_0 | x_t), (x_0, x_t)
    estimate = (estimate / estimate.sum(dim=0))[None, :3, seen]
    torch.testing.assert_close(one.step_back(states, estimate, s, t)[0], expected)


@every_noise
def test_stepping_back_to_data_returns_the_estimate(noise):
    one = process(noise)
    estimate = torch.rand(5, 3, 7, generator=generator(), dtype=torch.float64).softmax(dim=1)
    states = one.pure_noise(5, 7, generator=generator())
    back = one.step_back(states, estimate, torch.tensor(0.0), torch.tensor(0.4))
    torch.testing.assert_close(back[:, :3], estimate)
    assert back[:, 3:].sum() == 0


def test_absorbing_noise_never_changes_a_letter_that_is_left():
    one = process("absorbing")
    letters = torch.tensor([[0, 1, 2]], dtype=torch.uint8)
    wrong = torch.tensor([[0.0, 0.5, 0.5]]).expand(3, 3).T[None]  # an estimate that contradicts the first
    for t in (0.7, 1.0):
        back = one.step_back(letters, wrong, torch.tensor(0.2), torch.tensor(t))
        torch.testing.assert_close(back[0, :3], torch.eye(3))


@every_noise
def test_corrupting_draws_from_the_matrix(noise):
    one, n = process(noise), 40_000
    t = torch.tensor([0.3]).expand(n)
    for letter in range(3):
        codes = torch.full((n, 1), letter, dtype=torch.uint8)
        drawn = one.corrupt(codes, t, generator=generator(letter))
        shares = torch.bincount(drawn.flatten().long(), minlength=one.n_states) / n
        expected = one.matrix(torch.tensor(0.0), torch.tensor(0.3))[letter]
        torch.testing.assert_close(shares, expected, atol=4 * 0.5 / n**0.5, rtol=0)
        assert drawn.dtype == torch.uint8


@every_noise
def test_each_sequence_has_a_time_of_its_own(noise):
    one = process(noise)
    codes = torch.randint(0, 3, (2, 500), generator=generator()).to(torch.uint8)
    drawn = one.corrupt(codes, torch.tensor([0.0, 1.0]), generator=generator(1))
    assert torch.equal(drawn[0], codes[0])
    assert (drawn[1] == codes[1]).float().mean() < 0.45


def test_drawing_follows_the_probabilities_and_never_takes_an_impossible_letter():
    p = torch.tensor([0.0, 0.6, 0.3999, 0.0001])
    drawn = draw(p[None, :, None].expand(200, 4, 1000), generator=generator())
    shares = torch.bincount(drawn.flatten().long(), minlength=4) / drawn.numel()
    assert shares[0] == 0
    torch.testing.assert_close(shares, p, atol=0.005, rtol=0)
    assert shares[3].item() == pytest.approx(0.0001, rel=0.7)


@every_noise
def test_pure_noise_is_the_end_of_the_process(noise):
    one = process(noise)
    states = one.pure_noise(100, 50, generator=generator())
    shares = torch.bincount(states.flatten().long(), minlength=one.n_states) / states.numel()
    torch.testing.assert_close(shares, one.stationary(shares), atol=0.03, rtol=0)
    assert states.dtype == torch.uint8
    assert states.shape == (100, 50)


class Half:
    def alpha(self, t: Tensor) -> Tensor:
        return 1 - 0.5 * t

    def alpha_derivative(self, t: Tensor) -> Tensor:
        return -0.5 + 0 * t


def test_what_cannot_be_right_is_refused():
    with pytest.raises(InputError, match="1 letters can carry no sequence: give at least 2"):
        process("uniform", 1)
    with pytest.raises(InputError, match="noise is 'mask': choose absorbing or uniform"):
        process("mask")
    for schedule, kept in (
        (Half(), "0.5"),
        (CosineSchedule(), "0.0067"),
        (LogLinearSchedule(smallest=0.1), "0.1"),
    ):
        with pytest.raises(InputError, match=f"at t = 0 and {kept}.* at t = 1: it must go from 1 to 0"):
            DiscreteProcess(4, "absorbing", schedule)
    codes = torch.zeros(2, 3, dtype=torch.uint8)
    for t in (-0.1, 1.5):
        with pytest.raises(InputError, match=rf"diffusion time {t} is outside \[0, 1\]"):
            process("uniform").corrupt(codes, torch.tensor([0.5, t]))

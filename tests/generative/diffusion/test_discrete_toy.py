"""Bounds and samplers on all 27 sequences of three letters, whose posterior is known exactly."""

from __future__ import annotations

import math
from itertools import combinations, product

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.discrete import (
    DiscreteProcess,
    LetterDenoiser,
    ancestral,
    bound_by_count,
    bound_in_time,
    d3pm_terms,
    falling_times,
    restricted,
    transition_divergence,
    unmask,
)
from genailab.generative.diffusion.schedules import LogLinearSchedule

K = LENGTH = 3
SEQUENCES = torch.tensor(list(product(range(K), repeat=LENGTH)), dtype=torch.uint8)  # (27, 3)
MASKED = DiscreteProcess(K, "absorbing", LogLinearSchedule())
UNIFORM = DiscreteProcess(K, "uniform", LogLinearSchedule())


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def distribution() -> Tensor:
    """Return a distribution of all sequences with strong and unequal dependence, ``(27,)``."""
    p = torch.randn(len(SEQUENCES), generator=generator(4), dtype=torch.float64).mul(1.5).exp()
    return p / p.sum()


P = distribution()
ENTROPY = float(-(P * P.log()).sum())


def exact(process: DiscreteProcess, p: Tensor = P) -> LetterDenoiser:
    """Return the true ``log p(x_0 | x_t)`` at each position, by enumeration of x_0."""
    one_hot = torch.nn.functional.one_hot(SEQUENCES.long(), K).double()  # (27, 3, K)

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        if process.mask is not None:
            t = torch.tensor(0.5)  # the posterior of masked letters doesn't depend on the time
        number, which = (x.long() @ torch.tensor([16, 4, 1])).unique(return_inverse=True)
        different = torch.stack([number // 16, number // 4 % 4, number % 4], dim=1)  # (different, 3)
        q = process.matrix(torch.tensor(0.0).double(), t.double())  # (n_states, n_states)
        of_letters = q[SEQUENCES[None].long(), different[:, None]]  # (different, 27, 3)
        joint = of_letters.prod(dim=2) * p  # (different, 27)
        marginal = torch.einsum("bn,nlk->bkl", joint / joint.sum(dim=1, keepdim=True), one_hot)
        return marginal.log()[which]

    return denoise


def careless(x: Tensor, t: Tensor) -> Tensor:
    """Return some other estimate, which depends on every letter of ``x``."""
    weights = torch.randn(4, LENGTH, K, LENGTH, generator=generator(1), dtype=torch.float64)
    seen = torch.nn.functional.one_hot(x.long(), 4).double()
    return torch.einsum("blc,clkm->bkm", seen, weights).log_softmax(dim=1)


def enumerated(denoiser: LetterDenoiser, codes: Tensor) -> Tensor:
    """Return the masked bound of each row, every set of masks weighed by its exact integral over time.

    The integral of dt / t t^k (1 - t)^(L - k) is (k - 1)! (L - k)! / L!.
    """
    length, total = codes.shape[1], torch.zeros(len(codes)).double()
    for k in range(1, length + 1):
        weight = math.factorial(k - 1) * math.factorial(length - k) / math.factorial(length)
        for places in combinations(range(length), k):
            x_t = codes.clone()
            x_t[:, list(places)] = K
            log_p = denoiser(x_t, torch.tensor(k / length)).gather(1, codes[:, None].long())[:, 0]
            total -= weight * log_p[:, list(places)].sum(dim=1)
    return total


def d3pm_exactly(denoiser: LetterDenoiser, process: DiscreteProcess, n_steps: int) -> Tensor:
    """Return D3PM's bound of each of the 27 sequences: all steps, all states."""
    states = torch.tensor(list(product(range(process.n_states), repeat=LENGTH)), dtype=torch.uint8)
    codes = SEQUENCES.repeat_interleave(len(states), dim=0)
    x_t = states.repeat(len(SEQUENCES), 1)
    total = torch.zeros(len(codes)).double()
    for i in range(n_steps):
        s, t = torch.tensor([i / n_steps, (i + 1) / n_steps], dtype=torch.float64)
        chance = process.matrix(torch.tensor(0.0).double(), t)[codes.long(), x_t.long()].prod(dim=1)
        divergence = transition_divergence(denoiser(x_t, t), codes, x_t, s, t, process).sum(dim=1)
        total += torch.where(chance > 0, chance * divergence, 0.0)
    return total.view(len(SEQUENCES), len(states)).sum(dim=1)


def test_with_exact_conditionals_the_masked_bound_is_the_likelihood():
    # Every order of unmasking is a chain rule, and each gives log p(x).
    torch.testing.assert_close(enumerated(exact(MASKED), SEQUENCES), -P.log())


def test_with_other_conditionals_the_masked_bound_is_above_the_entropy():
    assert (P * enumerated(careless, SEQUENCES)).sum() > ENTROPY + 0.5


@pytest.mark.parametrize("how", ["in time", "by count"])
def test_the_estimates_of_the_masked_bound_agree_with_enumeration(how):
    codes = SEQUENCES[[3, 14, 20]]
    rows = codes.repeat(20_000, 1)
    if how == "in time":
        estimates = bound_in_time(careless, rows, MASKED, generator=generator())
    else:
        estimates = bound_by_count(careless, rows, K, generator=generator())
    estimates = estimates.view(-1, 3)
    standard_error = estimates.std(dim=0) / len(estimates) ** 0.5
    assert ((estimates.mean(dim=0) - enumerated(careless, codes)).abs() < 4 * standard_error).all()
    assert (standard_error < 0.2).all()


class CosineMasking:
    """``alpha = cos(pi t / 2)``: another way from 1 to 0."""

    def alpha(self, t: Tensor) -> Tensor:
        return torch.where(t == 1, 0.0, torch.cos(math.pi / 2 * t))

    def alpha_derivative(self, t: Tensor) -> Tensor:
        return -math.pi / 2 * torch.sin(math.pi / 2 * t)


def test_the_masked_bound_does_not_depend_on_the_schedule():
    rows = SEQUENCES[[5]].repeat(60_000, 1)
    other = DiscreteProcess(K, "absorbing", CosineMasking())
    estimates = bound_in_time(careless, rows, other, generator=generator())
    error = 4 * estimates.std() / len(rows) ** 0.5
    assert estimates.mean().item() == pytest.approx(enumerated(careless, rows[:1]).item(), abs=error.item())


def test_the_bound_of_absorbing_d3pm_tends_to_the_masked_bound():
    limit = enumerated(careless, SEQUENCES)
    gaps = [(d3pm_exactly(careless, MASKED, n) - limit).abs().max().item() for n in (8, 16, 32)]
    assert gaps[2] < 0.2
    assert [gaps[0] / gaps[1], gaps[1] / gaps[2]] == pytest.approx([2, 2], rel=0.1)  # as 1 / n_steps


@pytest.mark.parametrize("process", [MASKED, UNIFORM], ids=["absorbing", "uniform"])
def test_d3pm_with_the_exact_posterior_tends_to_the_entropy_from_above(process):
    # Letters drawn in one step do not see each other: what that costs falls as the steps become many.
    gaps = [float((P * d3pm_exactly(exact(process), process, n)).sum()) - ENTROPY for n in (1, 4, 16, 32)]
    assert min(gaps) > 0
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[2] / gaps[3] == pytest.approx(2, rel=0.15)
    assert gaps[3] < 0.06


@pytest.mark.parametrize("process", [MASKED, UNIFORM], ids=["absorbing", "uniform"])
def test_d3pm_at_a_random_step_estimates_the_sum_of_all_steps(process):
    rows = SEQUENCES[[7]].repeat(40_000, 1)
    bound, missed = d3pm_terms(careless, rows, process, n_steps=6, generator=generator())
    expected = d3pm_exactly(careless, process, 6)[7].item()
    assert bound.mean().item() == pytest.approx(expected, abs=4 * bound.std().item() / 200)
    assert (missed > 0).all()


def test_one_letter_alone_is_learned_exactly_in_any_number_of_steps():
    # With one position nothing is lost within a step, so that even one step reaches the entropy.
    p = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    entropy = float(-(p * p.log()).sum())
    letters = torch.arange(3, dtype=torch.uint8)[:, None]
    for process in (MASKED, UNIFORM):
        states = torch.arange(process.n_states, dtype=torch.uint8)[:, None]
        for n_steps in (1, 3):
            total = 0.0
            for i, (x0, x_t) in product(range(n_steps), product(range(3), range(process.n_states))):
                s, t = torch.tensor([i / n_steps, (i + 1) / n_steps], dtype=torch.float64)
                q = process.matrix(torch.tensor(0.0).double(), t)
                estimate = p * q[:3, x_t]
                if q[x0, x_t] > 0:
                    log_p = (estimate / estimate.sum()).log()[None, :, None]
                    step = transition_divergence(log_p, letters[x0][None], states[x_t][None], s, t, process)
                    total += float(p[x0] * q[x0, x_t] * step)
            assert total == pytest.approx(entropy, abs=1e-9)


def total_variation(drawn: Tensor, expected: Tensor) -> float:
    index = (drawn.long() * torch.tensor([9, 3, 1])).sum(dim=1)
    return 0.5 * (torch.bincount(index, minlength=27) / len(drawn) - expected).abs().sum().item()


def chi_square(drawn: Tensor, expected: Tensor) -> float:
    index = (drawn.long() * torch.tensor([9, 3, 1])).sum(dim=1)
    n = len(drawn)
    return ((torch.bincount(index, minlength=27) - n * expected).square() / (n * expected)).sum().item()


def test_unmasking_one_letter_a_step_in_random_order_draws_the_exact_distribution():
    n = 20_000
    x = MASKED.pure_noise(n, LENGTH)
    drawn = unmask(exact(MASKED), x, K, generator=generator())
    assert chi_square(drawn, P) < 26 + 4 * math.sqrt(2 * 26)  # 26 degrees of freedom


@pytest.mark.parametrize("process", [MASKED, UNIFORM], ids=["absorbing", "uniform"])
def test_walking_back_in_many_steps_draws_the_distribution_and_in_one_only_its_marginals(process):
    n = 5000
    x = process.pure_noise(n, LENGTH, generator=generator())
    away = {}
    for n_steps in (1, 40):
        drawn = ancestral(exact(process), x, falling_times(n_steps), process, generator=generator(1))
        away[n_steps] = total_variation(drawn, P)
    assert away[40] < 0.05
    assert away[1] > 0.15


def test_a_template_draws_from_the_distribution_given_its_letters():
    n, known = 20_000, 2
    x = MASKED.pure_noise(n, LENGTH)
    x[:, 1] = known
    given = torch.where(SEQUENCES[:, 1] == known, P, 0.0)
    drawn = unmask(exact(MASKED), x, K, generator=generator())
    assert (drawn[:, 1] == known).all()
    assert total_variation(drawn, given / given.sum()) < 0.02


@pytest.mark.parametrize("process", [MASKED, UNIFORM], ids=["absorbing", "uniform"])
def test_clamped_letters_are_kept_by_either_noise(process):
    allowed = torch.ones(K, LENGTH, dtype=torch.bool)
    allowed[:, 0] = torch.tensor([False, True, False])
    allowed[2, 2] = False
    denoiser = restricted(exact(process), allowed)
    x = process.pure_noise(2000, LENGTH, generator=generator())
    drawn = ancestral(denoiser, x, falling_times(8), process, generator=generator())
    assert (drawn[:, 0] == 1).all()
    assert (drawn[:, 2] < 2).all()
    assert drawn[:, 1].unique().tolist() == [0, 1, 2]


def test_by_confidence_the_surest_letter_comes_first():
    # The last position is nearly certain; in random order it would come first in a third of the draws.
    sure = torch.tensor([[1, 1, 0], [1, 1, 0], [1, 1, 98]], dtype=torch.float64).div(100).clamp(min=1e-9)
    first: list[Tensor] = []

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        first.append(x.clone())
        return sure.log().log_softmax(dim=0).expand(len(x), K, LENGTH)

    x = MASKED.pure_noise(500, LENGTH)
    unmask(denoise, x, K, order="confidence", generator=generator())
    filled = first[1] != K
    assert filled.sum(dim=1).eq(1).all()
    assert filled[:, 2].all()


@pytest.mark.parametrize("order", ["random", "confidence"])
@pytest.mark.parametrize("n_steps", [1, 2, 3, 5, 50])
def test_every_mask_is_filled_in_as_many_steps_as_asked_and_letters_stay(order, n_steps):
    x = torch.tensor([[3, 3, 3], [3, 1, 3], [0, 1, 2], [3, 2, 2]], dtype=torch.uint8)
    calls: list[Tensor] = []

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        calls.append(t)
        return careless(x, t)

    drawn = unmask(denoise, x, K, n_steps=n_steps, order=order, generator=generator())
    assert (drawn < K).all()
    assert torch.equal(drawn[x < K], x[x < K])
    assert len(calls) == min(n_steps, 3)
    torch.testing.assert_close(calls[0], torch.tensor([1, 2 / 3, 0, 1 / 3]))
    assert drawn.dtype == torch.uint8


def test_what_cannot_be_sampled_is_refused():
    x = MASKED.pure_noise(2, LENGTH)
    with pytest.raises(InputError, match="asked for 0 sampling steps: ask for at least 1"):
        falling_times(0)
    with pytest.raises(InputError, match="asked for 0 sampling steps: ask for at least 1"):
        unmask(careless, x, K, n_steps=0)
    with pytest.raises(InputError, match="order is 'left': choose random or confidence"):
        unmask(careless, x, K, order="left")
    with pytest.raises(InputError, match=r"sampling times go from 0.2 to 0.5: let them fall"):
        ancestral(careless, x, torch.tensor([1.0, 0.2, 0.5]), MASKED)
    with pytest.raises(InputError, match=r"diffusion time 1.2 is outside \[0, 1\]"):
        ancestral(careless, x, torch.tensor([1.2, 0.2]), MASKED)
    with pytest.raises(InputError, match="the bound is over 0 steps: give at least 1"):
        d3pm_terms(careless, SEQUENCES, MASKED, n_steps=0)
    with pytest.raises(InputError, match="uniform noise masks no letters: use d3pm_terms"):
        bound_in_time(careless, SEQUENCES, UNIFORM)
    allowed = torch.ones(K, LENGTH, dtype=torch.bool)
    allowed[:, 1] = False
    with pytest.raises(InputError, match=r"no letter is allowed at position 1 \(from 0\)"):
        restricted(careless, allowed)

"""Laws of the three ways to learn an energy, against closed forms and enumeration."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.generative.energy import (
    GaussianMixture,
    PersistentChains,
    contrastive_divergence,
    denoising_score_matching,
    energy_denoising_score_matching,
    enumerate_sequences,
    gibbs_with_gradients,
    hot_letters,
    noise_contrastive,
)

LETTERS, LENGTH = 3, 3


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


# --- contrastive divergence --------------------------------------------------------------------------------


def energy_of(theta: Tensor, x: Tensor) -> Tensor:
    fields = (theta[:-1].reshape(LETTERS, LENGTH) * x).sum(dim=(1, 2))
    return fields + theta[-1] * (x[:, :, 1:] * x[:, :, :-1]).sum(dim=(1, 2))


def test_with_exact_samples_the_gradient_is_that_of_the_likelihood():
    # Every state in proportion to its probability: the model's expectation without Monte Carlo error. All
    # Boltzmann factors are whole numbers, so that whole states can stand for them.
    counts = torch.tensor([1, 4, 2, 3, 5, 1, 2, 2])
    theta = (-counts.double().log()).requires_grad_()  # the energy of each of the 8 states
    data, samples = torch.tensor([0, 3, 3, 7]), torch.arange(8).repeat_interleave(counts)
    exact = theta[data].mean() + (-theta).logsumexp(dim=0)  # -log p, by enumeration
    (wanted,) = torch.autograd.grad(exact, theta)
    (found,) = torch.autograd.grad(contrastive_divergence(theta[data], theta[samples]).total, theta)
    torch.testing.assert_close(found, wanted)
    frequency = torch.bincount(data, minlength=8).double() / 4
    torch.testing.assert_close(found, frequency - counts / counts.sum())


def test_with_long_chains_the_gradient_is_that_of_the_likelihood_within_chance():
    theta = normal(LETTERS * LENGTH + 1).float().requires_grad_()
    x = hot_letters(enumerate_sequences(LETTERS, LENGTH), LETTERS)
    data = x[[0, 5, 5, 20]]
    exact = energy_of(theta, data).mean() + (-energy_of(theta, x)).logsumexp(dim=0)
    (wanted,) = torch.autograd.grad(exact, theta)
    start = torch.zeros(8000, LENGTH, dtype=torch.uint8)
    ends = gibbs_with_gradients(
        lambda x: energy_of(theta, x), start, n_letters=LETTERS, n_steps=60, generator=seeded()
    ).states
    loss = contrastive_divergence(energy_of(theta, data), energy_of(theta, hot_letters(ends, LETTERS))).total
    (found,) = torch.autograd.grad(loss, theta)
    torch.testing.assert_close(found, wanted, atol=4 * 0.8 / math.sqrt(8000), rtol=0)


def test_regularisation_pins_the_offset_that_the_difference_cannot_see():
    data, samples = normal(5), normal(7, seed=1)
    plain = [contrastive_divergence(data + c, samples + c).total.item() for c in (0.0, 3.0)]
    assert plain[0] == pytest.approx(plain[1])
    held = contrastive_divergence(data, samples, regularisation=0.5)
    squares = data.square().mean() + samples.square().mean()
    assert held.total.item() == pytest.approx(plain[0] + 0.5 * squares.item())


def test_persistent_chains_are_distinct_belong_to_their_group_and_restart_as_often_as_asked():
    chains = PersistentChains(torch.arange(30.0)[:, None], n_groups=3)
    groups = torch.tensor([0, 2, 1, 1, 0, 2, 2, 1, 0, 0] * 2)
    slots = chains.slots(groups, generator=seeded())
    assert torch.equal(slots % 3, groups)
    assert len(slots.unique()) == len(slots)  # 8 rows at most of a group of 10 chains
    assert len(chains.slots(torch.zeros(25, dtype=torch.long)).unique()) == 10  # all of them, then again
    fresh = torch.full((20, 1), -1.0)
    assert torch.equal(chains.start(slots, fresh, restart=0.0), chains.states[slots])
    assert torch.equal(chains.start(slots, fresh, restart=1.0), fresh)
    many = torch.zeros(10_000, dtype=torch.long)
    restarted = chains.start(many, torch.full((10_000, 1), -1.0), restart=0.3, generator=seeded()) < 0
    assert restarted.double().mean().item() == pytest.approx(0.3, abs=0.02)
    chains.store(slots, fresh)
    assert (chains.states == -1).sum() == 20
    assert "states" in chains.state_dict()
    with pytest.raises(InputError, match="2 chains are too few for 3 combinations of conditions"):
        PersistentChains(torch.zeros(2, 1), n_groups=3)


# --- denoising score matching ------------------------------------------------------------------------------

MIXTURE = GaussianMixture(
    weights=torch.tensor([0.3, 0.7], dtype=torch.float64),
    means=torch.tensor([[-1.0], [1.5]], dtype=torch.float64),
    stds=torch.tensor([0.4, 0.6], dtype=torch.float64),
)


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_no_score_beats_that_of_the_blurred_data(sigma):
    x, level = MIXTURE.sample(100_000, generator=seeded()), torch.full((100_000,), sigma).double()

    def loss(score) -> float:
        return denoising_score_matching(lambda x, s: score(x), x, level, generator=seeded(1)).mean().item()

    best = loss(MIXTURE.blurred(sigma).score)
    assert best < loss(MIXTURE.score)  # not the score of the clean data
    for change in (lambda x: 0.1 * x.sin(), lambda x: 0.1 + 0 * x, lambda x: -0.1 * x):
        for sign in (1, -1):
            assert best < loss(lambda x: MIXTURE.blurred(sigma).score(x) + sign * change(x))  # noqa: B023


def test_its_excess_is_half_the_fisher_divergence_times_the_variance():
    # Vincent 2011: the two objectives differ by a constant.
    sigma, n = 0.5, 200_000
    x, level = MIXTURE.sample(n, generator=seeded()), torch.full((n,), 0.5).double()
    blurred = MIXTURE.blurred(sigma)

    def loss(score) -> Tensor:
        return denoising_score_matching(lambda x, s: score(x), x, level, generator=seeded(1)).mean()

    excess = loss(lambda x: blurred.score(x) + 0.4 * x.cos()) - loss(blurred.score)
    noisy = blurred.sample(n, generator=seeded(2))
    exact = 0.5 * sigma**2 * (0.4 * noisy.cos()).square().sum(dim=1).mean()
    assert excess.item() == pytest.approx(exact.item(), rel=0.1)


def test_a_quadratic_energy_learns_the_precision_of_the_noisy_data():
    # E = w |x|^2 / 2 over data of variance 1.44 and noise of 0.25 has its optimum at w = 1 / 1.69.
    x, level = 1.2 * normal(20_000, 2), torch.full((20_000,), 0.5).double()
    w = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    for step in range(60):
        loss = energy_denoising_score_matching(
            lambda x, sigma, w=w: 0.5 * w * x.square().sum(dim=1), x, level, generator=seeded(step)
        ).mean()
        (gradient,) = torch.autograd.grad(loss, w)
        w = (w - 1.0 * gradient).detach().requires_grad_()
    assert w.item() == pytest.approx(1 / 1.69, rel=0.02)


def test_noise_levels_must_be_positive_one_a_row():
    with pytest.raises(InputError, match=r"noise levels of shape \(2,\) for 3 rows"):
        denoising_score_matching(lambda x, s: -x, normal(3, 1), torch.ones(2))
    with pytest.raises(InputError, match=r"smallest 0.0\): give one above 0 for each row"):
        denoising_score_matching(lambda x, s: -x, normal(2, 1), torch.tensor([1.0, 0.0]))


# --- noise-contrastive estimation --------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [1, 5])
def test_it_recovers_the_precision_and_the_log_normaliser_of_a_gaussian(ratio):
    n, std, noise_std = 20_000, 0.6, 1.0
    data, noise = std * normal(n), noise_std * normal(n * ratio, seed=1)
    log_w = nn.Parameter(torch.zeros((), dtype=torch.float64))
    c = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def log_ratio(x: Tensor) -> Tensor:
        return -0.5 * log_w.exp() * x.square() - c + 0.5 * x.square() + 0.5 * math.log(2 * math.pi)

    optimiser = torch.optim.LBFGS([log_w, c], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = noise_contrastive(log_ratio(data), log_ratio(noise)).total
        loss.backward()
        return loss

    optimiser.step(closure)
    assert log_w.exp().item() == pytest.approx(1 / std**2, rel=0.04)
    assert c.item() == pytest.approx(math.log(std * math.sqrt(2 * math.pi)), abs=0.03)


def test_its_minimum_is_the_jensen_shannon_divergence():
    # With the true ratio and as much noise as data: 2 log 2 - 2 JS(p, q), by a sum over a grid.
    x = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
    p, q = (-0.5 * (x - 1).square()).softmax(0), (-0.5 * x.square()).softmax(0)
    n = 200_000
    data, noise = 1 + normal(n), normal(n, seed=1)
    loss = noise_contrastive(data - 0.5, noise - 0.5).total.item()
    middle = 0.5 * (p + q)
    js = 0.5 * (p * (p / middle).log()).sum() + 0.5 * (q * (q / middle).log()).sum()
    assert loss == pytest.approx(2 * math.log(2) - 2 * js.item(), abs=0.01)


def test_nothing_cannot_be_told_from_nothing():
    with pytest.raises(InputError, match="got 0 rows of data and 3 of noise"):
        noise_contrastive(torch.zeros(0), torch.zeros(3))

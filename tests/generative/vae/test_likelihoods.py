"""Laws of the likelihoods: agreement with scipy, sums to 1, limits, gradients and draws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.vae import likelihoods
from genailab.generative.vae.count_loops import LONGEST, _exp, _log1p
from genailab.generative.vae.likelihoods import (
    draw_negative_binomial,
    gaussian_log_prob,
    negative_binomial_log_likelihood,
    negative_binomial_log_prob,
    poisson_log_prob,
    zero_inflated_log_prob,
)

log_means = st.floats(np.log(1e-6), np.log(1e5))
log_dispersions = st.floats(np.log(1e-3), np.log(1e4))
counts_drawn = st.one_of(st.integers(0, 30), st.integers(0, 100_000))
many = settings(max_examples=100, deadline=None)


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def nb(count: float, log_mean: float, log_dispersion: float, dtype: torch.dtype = torch.float64) -> float:
    values = (torch.tensor([[value]], dtype=dtype) for value in (count, log_mean))
    return negative_binomial_log_prob(*values, torch.tensor([log_dispersion], dtype=dtype)).item()


def scipy_nb(count: float, log_mean: float, log_dispersion: float) -> float:
    mean, r = np.exp(log_mean), np.exp(log_dispersion)
    return float(stats.nbinom.logpmf(count, r, r / (r + mean)))


def plain_nb(counts: Tensor, log_mean: Tensor, log_dispersion: Tensor) -> Tensor:
    r, mean = log_dispersion.exp(), log_mean.exp()
    coefficient = torch.lgamma(counts + r) - torch.lgamma(r) - torch.lgamma(counts + 1)
    return coefficient + r * torch.log(r / (r + mean)) + counts * torch.log(mean / (r + mean))


@given(count=counts_drawn, log_mean=log_means, log_dispersion=log_dispersions)
@many
def test_negative_binomial_agrees_with_scipy(count, log_mean, log_dispersion):
    expected = scipy_nb(count, log_mean, log_dispersion)
    assert nb(count, log_mean, log_dispersion) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@given(count=counts_drawn, log_mean=log_means, log_dispersion=log_dispersions)
@many
def test_negative_binomial_in_float32_is_exact_to_its_rounding(count, log_mean, log_dispersion):
    exact = nb(count, *np.float32([log_mean, log_dispersion]).astype(float))
    error = abs(nb(count, log_mean, log_dispersion, torch.float32) - exact)
    assert error <= 1e-5 * (1 + abs(exact)) + 3e-6 * count


@given(count=st.integers(0, 40), log_mean=st.floats(-7, 4), log_dispersion=log_dispersions)
@many
def test_small_counts_are_exact_in_float32_at_any_dispersion(count, log_mean, log_dispersion):
    # Two gamma functions of 10,000 differ by less than float32 can tell: nothing of them may be subtracted.
    exact = nb(count, *np.float32([log_mean, log_dispersion]).astype(float))
    assert nb(count, log_mean, log_dispersion, torch.float32) == pytest.approx(exact, rel=1e-5, abs=5e-5)


@given(count=counts_drawn, log_mean=log_means)
@many
def test_poisson_agrees_with_scipy(count, log_mean):
    expected = stats.poisson.logpmf(count, np.exp(log_mean))
    found = poisson_log_prob(double(count), double(log_mean)).item()
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)
    rounded = poisson_log_prob(torch.tensor([float(count)]), torch.tensor([log_mean])).item()
    mean = np.exp(log_mean)
    assert abs(rounded - expected) <= 1e-5 * (1 + abs(expected)) + 3e-6 * (count + mean)


@given(value=st.floats(-50, 50), mean=st.floats(-50, 50), log_std=st.floats(-5, 5))
@many
def test_gaussian_agrees_with_scipy(value, mean, log_std):
    found = gaussian_log_prob(double(value), double(mean), double(log_std)).item()
    assert found == pytest.approx(stats.norm.logpdf(value, mean, np.exp(log_std)), rel=1e-9, abs=1e-9)


@given(
    count=st.integers(0, 500),
    log_mean=st.floats(-10, 8),
    log_dispersion=log_dispersions,
    zero_logit=st.floats(-15, 15),
)
@many
def test_zero_inflation_is_a_mixture_with_zero(count, log_mean, log_dispersion, zero_logit):
    inflated = 1 / (1 + np.exp(-zero_logit))
    log_prob = scipy_nb(count, log_mean, log_dispersion)
    with np.errstate(divide="ignore"):
        expected = np.logaddexp(np.log1p(-inflated) + log_prob, np.log(inflated) if count == 0 else -np.inf)
    found = zero_inflated_log_prob(double(log_prob), double(count), double(zero_logit)).item()
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("mean", [0.05, 3.0, 200.0])
@pytest.mark.parametrize("dispersion", [0.5, 10.0, 1e4])
def test_probabilities_sum_to_one_with_the_right_mean_and_variance(mean, dispersion):
    counts = torch.arange(20_000, dtype=torch.float64)[:, None]
    log_mean = torch.full_like(counts, np.log(mean))
    p = negative_binomial_log_prob(counts, log_mean, double(np.log(dispersion))).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-9)
    assert (p * counts).sum().item() == pytest.approx(mean, rel=1e-6)
    variance = (p * (counts - mean).square()).sum().item()
    assert variance == pytest.approx(mean + mean**2 / dispersion, rel=1e-6)
    inflated = zero_inflated_log_prob(p.log().clamp(min=-700), counts, torch.full_like(counts, 0.3)).exp()
    assert inflated.sum().item() == pytest.approx(1, abs=1e-9)


def test_becomes_a_poisson_as_the_dispersion_grows():
    counts = torch.tensor([[0.0, 1, 4, 15, 16, 60]], dtype=torch.float64)
    log_mean = torch.log(torch.tensor([[0.1, 3, 5, 12, 30, 40]], dtype=torch.float64))
    limit = poisson_log_prob(counts, log_mean)
    gaps = [
        (
            negative_binomial_log_prob(counts, log_mean, torch.full((6,), np.log(r), dtype=torch.float64))
            - limit
        )
        for r in (1e4, 1e5)
    ]
    assert gaps[1].abs().max() < 1e-2
    torch.testing.assert_close(
        gaps[0] / gaps[1], torch.full_like(limit, 10.0), rtol=0.02, atol=0
    )  # order 1 / r


def gradient_case() -> tuple[Tensor, Tensor, Tensor]:
    counts = torch.tensor([[0.0, 1, 15, 16, 3], [2, 64, 65, 900, 40]], dtype=torch.float64)
    log_mean = torch.tensor([[-6.0, 0.3, 2, 3, 9], [1, -2, 3, 7, 4]], dtype=torch.float64, requires_grad=True)
    log_dispersion = torch.tensor([-5.0, 0.1, 2, 4, 8], dtype=torch.float64, requires_grad=True)
    return counts, log_mean, log_dispersion


def test_the_gradient_by_hand_passes_gradcheck():
    counts, log_mean, log_dispersion = gradient_case()
    assert torch.autograd.gradcheck(
        lambda m, r: negative_binomial_log_prob(counts, m, r),
        (log_mean, log_dispersion),
        atol=1e-4,
        rtol=1e-4,
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_gradient_by_hand_is_that_of_the_plain_formula(dtype):
    counts, log_mean, log_dispersion = gradient_case()
    weights = torch.linspace(-1, 2, 10, dtype=torch.float64).view(2, 5)
    expected = torch.autograd.grad(
        (weights * plain_nb(counts, log_mean, log_dispersion)).sum(), (log_mean, log_dispersion)
    )
    inputs = [value.detach().to(dtype).requires_grad_() for value in (log_mean, log_dispersion)]
    found = torch.autograd.grad(
        (weights.to(dtype) * negative_binomial_log_prob(counts.to(dtype), *inputs)).sum(), inputs
    )
    tolerance = 1e-9 if dtype == torch.float64 else 1e-3
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=tolerance, atol=tolerance)


def batch_of_cells(dtype: torch.dtype = torch.float64, n_cells: int = 200) -> list[Tensor]:
    """Return counts, logits, log library sizes and log-dispersions that differ by orders of magnitude."""
    generator = torch.Generator().manual_seed(0)
    log_dispersion = 4 * torch.randn(30, generator=generator, dtype=dtype)
    counts = torch.randint(0, 60, (n_cells, 30), generator=generator).to(dtype)
    counts[:, :20] = torch.poisson(torch.full((n_cells, 20), 0.5, dtype=dtype), generator=generator)
    counts[0, :3] = torch.tensor([900.0, 0, 16])
    logits = 3 * torch.randn(n_cells, 30, generator=generator, dtype=dtype)
    return [counts, logits, counts.sum(dim=1, keepdim=True).log(), log_dispersion]


@contextmanager
def without_loops() -> Iterator[None]:
    """Compute as on a GPU: in torch alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likelihoods, "_loops_take", lambda *values: False)
        yield


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 2e-5)])
def test_coefficients_looked_up_are_those_of_the_series_and_of_scipy(dtype, tolerance):
    counts, _, _, log_dispersion = batch_of_cells(dtype)
    counts[0] = torch.arange(30) + LONGEST - 15  # on both sides of the table's end
    looked_up = likelihoods._log_coefficient(counts, log_dispersion)
    with without_loops():
        by_series = likelihoods._log_coefficient(counts, log_dispersion)
    r, x = log_dispersion.double().exp().numpy(), counts.double().numpy()
    expected = torch.from_numpy(special.gammaln(x + r) - special.gammaln(r) - special.gammaln(x + 1))
    for found in (looked_up, by_series):
        assert ((found - expected).abs() / (1 + expected.abs() + counts)).max() < tolerance


@given(count=counts_drawn, log_mean=log_means, log_dispersion=log_dispersions)
@many
def test_without_the_loops_it_is_as_exact_in_float32(count, log_mean, log_dispersion):
    exact = scipy_nb(count, *np.float32([log_mean, log_dispersion]).astype(float))
    with without_loops():
        error = abs(nb(count, log_mean, log_dispersion, torch.float32) - exact)
    assert error <= 1e-5 * (1 + abs(exact)) + 3e-6 * count


@pytest.mark.parametrize("shape", [(30,), (2, 3, 5, 30)])
def test_counts_may_have_any_number_of_axes_before_the_genes(shape):
    counts, logits, _, log_dispersion = batch_of_cells(n_cells=30)
    n_rows = math.prod(shape[:-1])
    leaves = [log_dispersion.clone().requires_grad_() for _ in range(2)]
    found = negative_binomial_log_prob(
        counts[:n_rows].reshape(shape), logits[:n_rows].reshape(shape), leaves[0]
    )
    expected = negative_binomial_log_prob(counts[:n_rows], logits[:n_rows], leaves[1])
    assert torch.equal(found.reshape(n_rows, 30), expected)
    for one in (found, expected):
        one.sum().backward()
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad)


@pytest.mark.parametrize("wrong", [-1.0, float("nan")])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_refuses_what_cannot_be_counted(dtype, wrong):
    counts, *inputs = batch_of_cells(dtype, n_cells=3)
    counts[1, 2] = wrong
    with pytest.raises(InputError, match="a negative count, or one that is not a number"):
        negative_binomial_log_likelihood(counts, *inputs)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-4)])
@pytest.mark.parametrize("n_cells", [200, 1])
def test_a_cells_likelihood_and_gradient_are_those_of_the_plain_sum_over_genes(dtype, tolerance, n_cells):
    counts, *inputs = batch_of_cells(dtype, n_cells)
    weights = torch.linspace(-1, 2, n_cells, dtype=dtype)

    def plain(logits: Tensor, log_library: Tensor, log_dispersion: Tensor) -> Tensor:
        return plain_nb(counts.double(), logits.log_softmax(dim=1) + log_library, log_dispersion).sum(dim=1)

    def by_hand(*parameters: Tensor) -> Tensor:
        return negative_binomial_log_likelihood(counts, *parameters)

    results = []
    for function, wanted in ((by_hand, dtype), (plain, torch.float64)):
        leaves = [value.detach().to(wanted).requires_grad_() for value in inputs]
        found = function(*leaves)
        results.append((found.detach(), *torch.autograd.grad(found @ weights.to(wanted), leaves)))
    for one, other in zip(*results, strict=True):
        scale = other.abs().max()
        assert (one - other).abs().max() < tolerance * (1 + scale)


def test_in_float32_a_cells_likelihood_and_gradient_are_exact_whatever_the_parameters():
    generator = torch.Generator().manual_seed(0)
    counts = torch.randint(0, 3 * LONGEST, (300, 6), generator=generator).float()
    inputs = [
        30 * torch.randn(300, 6, generator=generator),  # logits: shares down to e^-100
        counts.sum(dim=1, keepdim=True).log(),
        12 * torch.randn(6, generator=generator),  # dispersions of e^±20
    ]
    results = []
    for dtype in (torch.float32, torch.float64):
        leaves = [value.to(dtype).requires_grad_() for value in inputs]
        found = negative_binomial_log_likelihood(counts.to(dtype), *leaves)
        results.append((found.detach(), *torch.autograd.grad(found.sum(), leaves)))
    size_of_terms = (1, LONGEST, LONGEST, len(counts))  # which cancel in the derivatives
    for one, other, size in zip(*results, size_of_terms, strict=True):
        assert ((one - other).abs() / (size + other.abs())).max() < 1e-5


@given(x=st.floats(-87, 0, width=32))
@many
def test_exponential_of_the_loops(x):
    assert _exp(np.float32(x)) == pytest.approx(math.exp(x), rel=2e-7)


@pytest.mark.parametrize("x", [-88.0, -1e30, -math.inf])
def test_exponential_of_the_loops_ends_where_float32_does(x):
    assert _exp(np.float32(x)) == _exp(np.float32(-87)) < 2e-38


@given(x=st.floats(0, 1, width=32))
@many
def test_logarithm_of_the_loops(x):
    assert _log1p(np.float32(x)) == pytest.approx(math.log1p(x), rel=2e-7, abs=1e-44)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_network_that_went_astray_is_not_hidden(wrong):
    counts, logits, *others = batch_of_cells(torch.float32, n_cells=3)
    logits[1, 2] = wrong
    assert negative_binomial_log_likelihood(counts, logits, *others).isnan().tolist() == [False, True, False]


def test_the_compiler_finds_a_cells_likelihood_as_it_was_promised():
    counts, *inputs = batch_of_cells(torch.float32, n_cells=5)
    leaves = [value.requires_grad_() for value in inputs]
    torch.library.opcheck(likelihoods._softmax_negative_binomial, (counts, *leaves))


def test_a_second_derivative_is_refused_rather_than_wrong():
    counts, *inputs = batch_of_cells(torch.float32, n_cells=5)
    leaves = [value.requires_grad_() for value in inputs]
    found = negative_binomial_log_likelihood(counts, *leaves).sum()
    (gradient,) = torch.autograd.grad(found, leaves[0], create_graph=True)
    with pytest.raises(RuntimeError):
        gradient.square().sum().backward()


def test_a_cells_likelihood_passes_gradcheck():
    counts, *inputs = batch_of_cells(n_cells=3)
    leaves = [value[..., :5].clone().requires_grad_() for value in inputs]
    assert torch.autograd.gradcheck(
        lambda *parameters: negative_binomial_log_likelihood(counts[:, :5], *parameters),
        leaves,
        atol=1e-4,
        rtol=1e-4,
    )


def test_a_cells_likelihood_stays_finite_at_the_ends_of_the_range():
    counts = torch.tensor([[0.0, 3, 2000]])
    logits = torch.tensor([[-200.0, 150, 0]], requires_grad=True)
    log_dispersion = torch.tensor([-30.0, 30, 0], requires_grad=True)
    found = negative_binomial_log_likelihood(counts, logits, torch.tensor([[15.0]]), log_dispersion)
    found.sum().backward()
    assert all(torch.isfinite(x).all() for x in (found, logits.grad, log_dispersion.grad))


def test_gradients_stay_finite_where_zero_inflation_is_certain_or_absent():
    counts, log_mean, log_dispersion = gradient_case()
    zero_logits = torch.tensor([[-80.0, 80, -80, 80, 0]] * 2, dtype=torch.float64, requires_grad=True)
    log_prob = negative_binomial_log_prob(counts, log_mean, log_dispersion)
    zero_inflated_log_prob(log_prob, counts, zero_logits).sum().backward()
    assert all(torch.isfinite(x.grad).all() for x in (log_mean, log_dispersion, zero_logits))


@pytest.mark.parametrize(("mean", "dispersion"), [(0.2, 0.3), (5.0, 2.0), (300.0, 50.0), (4.0, 1e4)])
def test_draws_are_whole_and_have_the_closed_forms_mean_and_variance(mean, dispersion):
    n = 100_000
    generator = torch.Generator().manual_seed(0)
    draws = draw_negative_binomial(
        torch.full((n, 1), np.log(mean)), torch.tensor([np.log(dispersion)]).float(), generator=generator
    ).double()
    assert torch.equal(draws, draws.round())
    assert draws.min() >= 0
    law = stats.nbinom(dispersion, dispersion / (dispersion + mean))
    variance = law.var()
    kurtosis = float(law.stats(moments="k"))
    assert abs(draws.mean().item() - mean) < 4 * np.sqrt(variance / n)
    assert abs(draws.var().item() - variance) < 4 * variance * np.sqrt((kurtosis + 2) / n)
    assert abs((draws == 0).double().mean().item() - law.pmf(0)) < 4 * np.sqrt(0.25 / n)


def test_draws_follow_their_generator_and_leave_the_global_state_alone():
    log_mean, log_dispersion = torch.zeros(50, 3), torch.zeros(3)
    before = torch.get_rng_state()
    draws = [
        draw_negative_binomial(log_mean, log_dispersion, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])

"""Score matching against the Gaussian, whose score, Fisher information and blurred score are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion import (
    denoising_score_matching,
    explicit_score_matching,
    implicit_score_matching,
    sliced_score_matching,
    trace_of_jacobian,
)

COVARIANCE = torch.tensor([[1.0, 0.6], [0.6, 2.0]], dtype=torch.float64)
PRECISION = torch.linalg.inv(COVARIANCE)
N = 200_000


def samples(n: int = N, seed: int = 0) -> Tensor:
    noise = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return noise @ torch.linalg.cholesky(COVARIANCE).T


def true_score(x: Tensor) -> Tensor:
    return -x @ PRECISION


def linear(weights: Tensor):
    return lambda x: -x @ weights.T


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


CANDIDATES = [
    PRECISION,
    torch.eye(2).double(),
    PRECISION + 0.3,
    torch.tensor([[1.0, 0.4], [-0.5, 0.2]]).double(),
]


@pytest.mark.parametrize("weights", CANDIDATES)
def test_implicit_and_explicit_differ_by_half_the_fisher_information(weights):
    x = samples()
    explicit = explicit_score_matching(linear(weights), x, true_score).mean()
    implicit = implicit_score_matching(linear(weights), x).mean()
    assert (explicit - implicit).item() == pytest.approx(0.5 * PRECISION.trace().item(), abs=0.02)
    # E 1/2 |(P - W) x|^2 in closed form.
    expected = 0.5 * ((PRECISION - weights) @ COVARIANCE @ (PRECISION - weights).T).trace()
    assert explicit.item() == pytest.approx(expected.item(), abs=0.02)


@pytest.mark.parametrize("loss", [implicit_score_matching, sliced_score_matching, "hutchinson"])
def test_learning_finds_the_score(loss):
    # Each loss is a quadratic in the weights of a linear score: one Newton step reaches its minimum.
    x = samples(50_000)

    def total(weights: Tensor) -> Tensor:
        if loss == "hutchinson":
            found = implicit_score_matching(linear(weights), x, trace="hutchinson", generator=generator())
        elif loss is sliced_score_matching:
            found = loss(linear(weights), x, generator=generator())
        else:
            found = loss(linear(weights), x)
        return found.mean()

    torch.testing.assert_close(minimum(total), PRECISION, atol=0.05, rtol=0)


def minimum(total) -> Tensor:
    start = torch.zeros(2, 2, dtype=torch.float64)
    gradient = torch.autograd.functional.jacobian(total, start).flatten()
    curvature = torch.autograd.functional.hessian(total, start).reshape(4, 4)
    return (start.flatten() - torch.linalg.solve(curvature, gradient)).reshape(2, 2)


def test_denoising_finds_the_score_of_the_blurred_data():
    x, sigma = samples(50_000), 0.8
    found = minimum(
        lambda w: denoising_score_matching(linear(w), x, sigma=sigma, generator=generator()).mean()
    )
    blurred = torch.linalg.inv(COVARIANCE + sigma**2 * torch.eye(2))
    torch.testing.assert_close(found, blurred, atol=0.03, rtol=0)
    each = denoising_score_matching(
        linear(blurred), x, sigma=torch.full((len(x),), sigma).double(), generator=generator()
    )
    one = denoising_score_matching(linear(blurred), x, sigma=sigma, generator=generator())
    torch.testing.assert_close(each, one)


def field(x: Tensor) -> Tensor:
    flat = x.flatten(start_dim=1)
    mixed = flat @ torch.linspace(-1, 1, 36).double().reshape(6, 6)
    return (mixed.sin() * flat).reshape(x.shape)


def test_the_exact_trace_is_that_of_the_jacobian_and_hutchinsons_averages_to_it():
    x = torch.randn(4, 2, 3, generator=generator(), dtype=torch.float64)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row: field(row[None])[0]))(x).reshape(4, 6, 6)
    expected = torch.einsum("bii->b", jacobian)
    value, exact = trace_of_jacobian(field, x)
    torch.testing.assert_close(value, field(x))
    torch.testing.assert_close(exact, expected)
    _, estimate = trace_of_jacobian(field, x, trace="hutchinson", n_probes=3000, generator=generator())
    # Variance of one probe: sum over i != j of J_ij (J_ij + J_ji).
    off = jacobian - torch.diag_embed(jacobian.diagonal(dim1=1, dim2=2))
    error = ((off * (off + off.mT)).sum(dim=(1, 2)) / 3000).sqrt()
    assert ((estimate - expected).abs() < 4 * error).all()


def test_signs_are_exact_for_a_field_of_separate_dimensions():
    x = torch.randn(5, 3, generator=generator(), dtype=torch.float64)
    _, one = trace_of_jacobian(torch.sin, x, trace="hutchinson", generator=generator())
    torch.testing.assert_close(one, x.cos().sum(dim=1))


def test_works_without_gradients_and_leaves_its_input_and_the_global_state():
    x, random_state = samples(3), torch.get_rng_state()
    with torch.no_grad():
        found = implicit_score_matching(true_score, x, trace="hutchinson", generator=generator())
    assert not found.requires_grad
    assert not x.requires_grad
    assert torch.equal(torch.get_rng_state(), random_state)
    weights = PRECISION.clone().requires_grad_()
    implicit_score_matching(linear(weights), x).sum().backward()
    assert weights.grad.abs().sum() > 0


def test_what_cannot_be_matched_is_refused():
    x = samples(3)
    with pytest.raises(InputError, match="sigma is 0: denoising needs noise"):
        denoising_score_matching(true_score, x, sigma=0.0)
    with pytest.raises(InputError, match="trace is 'trace': choose exact or hutchinson"):
        implicit_score_matching(true_score, x, trace="trace")
    with pytest.raises(InputError, match="n_probes is 0: give at least 1 random direction"):
        sliced_score_matching(true_score, x, n_probes=0)

"""Laws of the KL term's parts: they sum to it, agree with closed forms, and their estimators with sums."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.vae import Gaussian, decompose_kl, total_correlation
from genailab.generative.vae.kl_parts import aggregate_log_prob

NOISE = 0.5


def posteriors(n: int, correlation: float, *, seed: int = 0) -> tuple[Gaussian, Tensor]:
    """Return posteriors whose mixture q(z) is N(0, [[1, r], [r, 1]]), and a draw from each."""
    generator = torch.Generator().manual_seed(seed)
    covariance = torch.tensor([[1, correlation], [correlation, 1]]).double() - NOISE**2 * torch.eye(2)
    root = torch.linalg.cholesky(covariance)
    means = torch.randn(n, 2, generator=generator, dtype=torch.float64) @ root.T
    posterior = Gaussian(means, torch.full_like(means, NOISE))
    return posterior, posterior.draw(generator)


@pytest.mark.parametrize("estimator", ["stratified", "weighted"])
@pytest.mark.parametrize("n_rows", [64, 10_000])
def test_the_parts_sum_to_the_kl_of_the_draws(estimator, n_rows):
    posterior, state = posteriors(64, 0.3)
    parts = decompose_kl(posterior, state, n_rows=n_rows, estimator=estimator)
    expected = (posterior.log_prob(state) - Gaussian.standard(state).log_prob(state)).mean()
    torch.testing.assert_close(sum(parts), expected)


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.7])
def test_over_all_rows_the_parts_are_those_of_gaussians(correlation):
    n = 3000
    parts = decompose_kl(*posteriors(n, correlation), n_rows=n)
    expected = -0.5 * math.log(1 - correlation**2)
    assert parts.total_correlation.item() == pytest.approx(expected, abs=0.03)
    # q(z_j) is N(0, 1), the prior; and I(x; z) is the entropy of q(z) less that of a posterior.
    assert parts.dimension_wise.item() == pytest.approx(0, abs=0.03)
    assert parts.mutual_information.item() == pytest.approx(-expected - 2 * math.log(NOISE), abs=0.04)


def test_the_total_correlation_of_independent_dimensions_tends_to_0():
    batches = [posteriors(500, 0.0, seed=seed) for seed in range(20)]
    found = torch.stack([total_correlation(posterior, state, n_rows=500) for posterior, state in batches])
    assert abs(found.mean().item()) < 0.02


def test_stratified_batches_give_the_mixture_on_average_over_all_batches():
    n_rows, n_batch = 6, 3
    posterior, state = posteriors(n_rows, 0.5)
    exact = torch.stack(
        [Gaussian(posterior.mean, posterior.std).log_prob(z).exp().mean() for z in state]
    )  # q(z) of each row's draw
    for row in range(n_rows):
        others = [other for other in range(n_rows) if other != row]
        found = []
        for rest in combinations(others, n_batch - 1):
            rows = [row, *rest]
            batch = Gaussian(posterior.mean[rows], posterior.std[rows])
            found.append(aggregate_log_prob(batch, state[rows], n_rows=n_rows)[0][0].exp())
        torch.testing.assert_close(torch.stack(found).mean(), exact[row])


def test_weighted_batches_of_all_rows_lie_too_low_by_the_log_of_their_number():
    n = 50
    posterior, state = posteriors(n, 0.5)
    low, _ = aggregate_log_prob(posterior, state, n_rows=n, estimator="weighted")
    exact, _ = aggregate_log_prob(posterior, state, n_rows=n)
    torch.testing.assert_close(low, exact - math.log(n))


def test_blocks_of_rows_change_nothing(monkeypatch):
    posterior, state = posteriors(40, 0.5)
    whole = aggregate_log_prob(posterior, state, n_rows=100)
    monkeypatch.setattr("genailab.generative.vae.kl_parts._BLOCK", 7 * 40 * 2)
    for one, other in zip(whole, aggregate_log_prob(posterior, state, n_rows=100), strict=True):
        torch.testing.assert_close(one, other)


def test_a_batch_of_one_row_knows_of_no_dependence():
    posterior, state = posteriors(1, 0.5)
    assert total_correlation(posterior, state, n_rows=100).item() == pytest.approx(0, abs=1e-12)


def test_what_cannot_be_estimated_is_refused():
    posterior, state = posteriors(8, 0.0)
    with pytest.raises(InputError, match="a batch of 8 rows cannot come from 5: n_rows"):
        total_correlation(posterior, state, n_rows=5)
    with pytest.raises(InputError, match="estimator is 'mss': choose weighted or stratified"):
        total_correlation(posterior, state, n_rows=9, estimator="mss")

"""What the KL term of a VAE is made of, estimated from one batch of posteriors.

    E KL(q(z|x) || p(z)) = I_q(x; z)              index-code mutual information
                         + KL(q(z) || prod_j q(z_j))      total correlation
                         + sum_j KL(q(z_j) || p(z_j))     dimension-wise KL

with ``q(z) = mean over the N training rows of q(z | x_n)``. Chen et al. 2018, "Isolating Sources of
Disentanglement in VAEs", equation 2; the estimators of ``log q(z)`` from a batch are its equations 5
(minibatch-weighted sampling) and S6 (minibatch-stratified sampling).
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.vae.likelihoods import gaussian_log_prob
from genailab.generative.vae.posterior import Gaussian

__all__ = ["Estimator", "KLParts", "aggregate_log_prob", "decompose_kl", "total_correlation"]

Estimator = Literal["weighted", "stratified"]

# Numbers compared at a time, (rows, batch, n_latent): bounds the memory where a whole data set is one batch.
_BLOCK = 1 << 22


class KLParts(NamedTuple):
    """The three parts of the KL term in nats, scalars; their sum estimates the whole."""

    mutual_information: Tensor
    total_correlation: Tensor
    dimension_wise: Tensor


def decompose_kl(
    posterior: Gaussian, state: Tensor, *, n_rows: int, estimator: Estimator = "stratified"
) -> KLParts:
    """Split the KL term of a batch.

    Parameters
    ----------
    posterior
        Of each row of the batch, ``(batch, n_latent)``.
    state
        One draw from each, ``(batch, n_latent)``.
    n_rows
        Rows of the training data that the batch was drawn from without replacement.
    estimator
        ``"stratified"`` or ``"weighted"``, see `aggregate_log_prob`.

    Raises
    ------
    InputError
        If the batch is larger than ``n_rows``, or the estimator is neither.
    """
    log_joint, log_each = aggregate_log_prob(posterior, state, n_rows=n_rows, estimator=estimator)
    log_product = log_each.sum(dim=1)
    log_prior = Gaussian.standard(state).log_prob(state)
    return KLParts(
        (posterior.log_prob(state) - log_joint).mean(),
        (log_joint - log_product).mean(),
        (log_product - log_prior).mean(),
    )


def total_correlation(
    posterior: Gaussian, state: Tensor, *, n_rows: int, estimator: Estimator = "stratified"
) -> Tensor:
    """Return ``KL(q(z) || prod_j q(z_j))`` in nats, a scalar: 0 where the dimensions are independent."""
    log_joint, log_each = aggregate_log_prob(posterior, state, n_rows=n_rows, estimator=estimator)
    return (log_joint - log_each.sum(dim=1)).mean()


def aggregate_log_prob(
    posterior: Gaussian, state: Tensor, *, n_rows: int, estimator: Estimator = "stratified"
) -> tuple[Tensor, Tensor]:
    """Estimate ``log q(z)``, ``(batch,)``, and ``log q(z_j)``, ``(batch, n_latent)``, at each draw.

    Weighted: ``log 1/(N M) sum_m q(z | x_m)``, the paper's biased but simple one, which counts the row that z
    was drawn from as often as the others and lies too low by up to ``log N``.

    Stratified: that row stands for one in N, the M - 1 others for the rest, ``q(z | own) / N +
    (N - 1) / N mean_others q(z | x_m)``. Its expectation over batches is q(z). The paper gives the remaining
    weight unevenly to the others; even weights have the same expectation and a smaller variance.
    """
    n_batch = len(state)
    if n_batch > n_rows:
        raise InputError(
            f"a batch of {n_batch} rows cannot come from {n_rows}: n_rows (n_train of a model) is the number "
            "of training rows"
        )
    log_weights = _log_weights(n_batch, n_rows, estimator).to(state)  # (batch, batch)
    rows_a_block = max(1, _BLOCK // (n_batch * state.shape[1]))
    joint, each = [], []
    for rows in torch.arange(n_batch, device=state.device).split(rows_a_block):
        log_prob = gaussian_log_prob(state[rows, None], posterior.mean, posterior.std.log())
        joint.append(torch.logsumexp(log_weights[rows] + log_prob.sum(dim=2), dim=1))
        each.append(torch.logsumexp(log_weights[rows, :, None] + log_prob, dim=1))  # (rows, n_latent)
    return torch.cat(joint), torch.cat(each)


def _log_weights(n_batch: int, n_rows: int, estimator: Estimator) -> Tensor:
    if estimator == "weighted":
        return torch.full((n_batch, n_batch), -math.log(n_rows * n_batch))
    if estimator != "stratified":
        raise InputError(f"estimator is {estimator!r}: choose weighted or stratified")
    if n_batch == 1:
        return torch.zeros(1, 1)  # alone, a row can only stand for all
    weights = torch.full((n_batch, n_batch), (n_rows - 1) / (n_rows * (n_batch - 1)))
    return weights.fill_diagonal_(1 / n_rows).log()

"""Log-probabilities of counts, in the parameters that a network puts out.

Means and dispersions come as logarithms: a decoder's log-softmax plus the log library size is a log-mean
already, and ``log(mean / dispersion)`` is then one subtraction that can neither overflow nor divide by zero.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "draw_negative_binomial",
    "gaussian_log_prob",
    "negative_binomial_log_prob",
    "poisson_log_prob",
    "zero_inflated_log_prob",
]


def poisson_log_prob(counts: Tensor, log_mean: Tensor) -> Tensor:
    """Log-probability of counts under a Poisson, shape of ``counts``."""
    return counts * log_mean - log_mean.exp() - _log_factorial(counts)


def negative_binomial_log_prob(counts: Tensor, log_mean: Tensor, log_dispersion: Tensor) -> Tensor:
    """Log-probability of counts under a negative binomial, shape of ``counts``.

    The variance is ``mean + mean^2 / dispersion``: the inverse dispersion r (theta in scVI), not the overdispersion.
    With ``logits = log(mean / r)``::

        log p(x) = lgamma(x + r) - lgamma(r) - lgamma(x + 1) + x logits - (x + r) softplus(logits)

    Parameters
    ----------
    counts
        Whole numbers, ``(cells, genes)``.
    log_mean
        ``(cells, genes)``.
    log_dispersion
        ``(genes,)`` or ``(cells, genes)``.

    Notes
    -----
    Forward and gradient are written out in one function: autograd would keep a dozen intermediate matrices and
    call the digamma function, which costs as much as everything else. In float64 the gamma functions are
    torch's own; in float32 they are Stirling series that agree with them to rounding (1e-6 relative).
    """
    return _NegativeBinomial.apply(counts, log_mean, log_dispersion) - _log_factorial(counts)


def zero_inflated_log_prob(log_prob: Tensor, counts: Tensor, zero_logits: Tensor) -> Tensor:
    """Log-probability when a zero is put in the place of a count with probability ``sigmoid(zero_logits)``.

    ``log_prob`` is the log-probability of ``counts`` without inflation. All shapes ``(cells, genes)``.
    """
    kept = log_prob - F.softplus(zero_logits)  # log(1 - pi) + log p(x)
    replaced = -F.softplus(-zero_logits)  # log pi
    return torch.where(counts == 0, torch.logaddexp(replaced, kept), kept)


def gaussian_log_prob(values: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Log-density of values under a Gaussian, shape of ``values``."""
    return -0.5 * ((values - mean) * torch.exp(-log_std)).square() - log_std - 0.5 * math.log(2 * math.pi)


def draw_negative_binomial(
    log_mean: Tensor, log_dispersion: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    """Draw counts, shape of ``log_mean``: a Poisson whose rate is gamma distributed around the mean."""
    dispersion = log_dispersion.exp().expand_as(log_mean)
    # torch.distributions.Gamma calls the same function but cannot pass it a generator.
    gamma = torch._standard_gamma(dispersion, generator=generator)
    return torch.poisson(gamma * (log_mean - log_dispersion).exp(), generator=generator)


class _NegativeBinomial(torch.autograd.Function):
    """The negative binomial's log-probability up to the factorial, with its gradient by hand."""

    @staticmethod
    def forward(ctx: Any, counts: Tensor, log_mean: Tensor, log_dispersion: Tensor) -> Tensor:
        dispersion = log_dispersion.exp()
        logits = log_mean - log_dispersion
        total = counts + dispersion
        log_normaliser = F.softplus(logits)  # log(1 + mean / r)
        ctx.save_for_backward(counts, logits, log_dispersion, total, log_normaliser)
        return _lgamma(total) - torch.lgamma(dispersion) + counts * logits - total * log_normaliser

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor | None]:
        counts, logits, log_dispersion, total, log_normaliser = ctx.saved_tensors
        (gradient,) = gradients
        by_log_mean = counts - total * torch.sigmoid(logits)
        by_log_dispersion = None
        if ctx.needs_input_grad[2]:
            dispersion = log_dispersion.exp()
            by_dispersion = _digamma(total) - torch.digamma(dispersion) - log_normaliser
            by_log_dispersion = (gradient * (dispersion * by_dispersion - by_log_mean)).sum_to_size(log_dispersion.shape)
        return None, gradient * by_log_mean, by_log_dispersion


def _lgamma(x: Tensor) -> Tensor:
    # log Gamma(x) = log Gamma(x + 3) - log(x (x + 1) (x + 2)): from 3 up three terms of Stirling's series
    # are exact to 3e-7, and a product of three cannot overflow float32 below a count of 1e12.
    if x.dtype == torch.float64:
        return torch.lgamma(x)
    w = x + 3
    inverse = w.reciprocal()
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square / 1260))
    return (w - 0.5) * w.log() - w + series + 0.5 * math.log(2 * math.pi) - (x * (x + 1) * (x + 2)).log()


def _digamma(x: Tensor) -> Tensor:
    if x.dtype == torch.float64:
        return torch.digamma(x)
    w = x + 3
    square = w.reciprocal().square()
    series = square * (1 / 12 - square * (1 / 120 - square / 252))
    return w.log() - 0.5 / w - series - (1 / x + 1 / (x + 1) + 1 / (x + 2))


def _log_factorial(counts: Tensor) -> Tensor:
    return _lgamma(counts + 1)

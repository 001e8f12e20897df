"""Log-probabilities of counts, in the parameters that a network puts out.

Means and dispersions come as logarithms: a decoder's log-softmax plus the log library size is a log-mean
already, and ``log(mean / dispersion)`` is then one subtraction that can neither overflow nor divide by zero.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad, softplus

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

    The variance is ``mean + mean^2 / dispersion``: the inverse dispersion r (theta in scVI), not the
    overdispersion. With ``logits = log(mean / r)``::

        log p(x) = lgamma(x + r) - lgamma(r) - lgamma(x + 1) + x logits - (x + r) softplus(logits)

    Parameters
    ----------
    counts
        Whole numbers, ``(cells, genes)``.
    log_mean
        ``(cells, genes)``.
    log_dispersion
        ``(genes,)``.

    Notes
    -----
    Forward and gradient are written out in one function: autograd would keep a dozen intermediate
    matrices and evaluate gamma and digamma functions for every entry, which costs more than the whole network
    around them. In float32 the rounding error stays below 1e-5 of ``1 + |log p|`` and 3e-6 for each count.
    """
    if torch.compiler.is_compiling():  # a compiler fuses arithmetic, but can't see through look-ups
        return _compilable(counts, log_mean, log_dispersion)
    return _NegativeBinomial.apply(counts, log_mean, log_dispersion)


def zero_inflated_log_prob(log_prob: Tensor, counts: Tensor, zero_logits: Tensor) -> Tensor:
    """Log-probability when a zero is put in the place of a count with probability ``sigmoid(zero_logits)``.

    ``log_prob`` is the log-probability of ``counts`` without inflation. All shapes ``(cells, genes)``.
    """
    kept = log_prob - softplus(zero_logits)  # log(1 - pi) + log p(x)
    replaced = -softplus(-zero_logits)  # log pi
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


def _compilable(counts: Tensor, log_mean: Tensor, log_dispersion: Tensor) -> Tensor:
    """Return the same in elementwise arithmetic alone, of which torch.compile makes one loop."""
    dispersion = log_dispersion.exp()
    logits = log_mean - log_dispersion
    coefficient = _log_rising_anywhere(dispersion, counts) - _log_rising_anywhere(
        torch.ones_like(dispersion), counts
    )
    return coefficient + counts * logits - (counts + dispersion) * softplus(logits)


def _log_rising_anywhere(start: Tensor, n: Tensor) -> Tensor:
    """Return ``lgamma(start + n) - lgamma(start)`` for any positive start, to 1e-6."""
    # Gamma(x) = Gamma(x + 4) / (x (x + 1) (x + 2) (x + 3)): from 4 up Stirling's series is good enough.
    end = start + n
    shift = (start / end) * ((start + 1) / (end + 1)) * ((start + 2) / (end + 2)) * ((start + 3) / (end + 3))
    return _log_rising(start + 4, n) + shift.log()


class _NegativeBinomial(torch.autograd.Function):
    """The negative binomial's log-probability with its gradient by hand.

    Counts are whole numbers, and most are small, so the gamma functions are not evaluated but looked up: for
    each gene ``lgamma(x + r) - lgamma(r) - lgamma(x + 1)`` is the sum of ``log((r + k) / (k + 1))`` over k <
    x, a short table that a whole batch shares. Only counts beyond the table need Stirling's series.
    """

    @staticmethod
    def forward(ctx: Any, counts: Tensor, log_mean: Tensor, log_dispersion: Tensor) -> Tensor:
        dispersion = log_dispersion.exp()  # (genes,)
        logits = log_mean - log_dispersion  # (cells, genes)
        log_normaliser = softplus(logits)  # log(1 + mean / r)
        total = counts + dispersion
        places = _places(counts)
        log_prob = _look_up(_coefficients(dispersion), places)
        log_prob.addcmul_(counts, logits).addcmul_(total, log_normaliser, value=-1)
        beyond = (counts > TABLE).nonzero(as_tuple=True)
        x, r = counts[beyond], dispersion[beyond[1]]
        log_prob[beyond] += _log_rising(r + TABLE, x - TABLE) - _log_rising(TABLE + 1, x - TABLE)
        ctx.save_for_backward(counts, logits, dispersion, log_normaliser, total, places, *beyond)
        return log_prob

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor]:
        counts, logits, dispersion, log_normaliser, total, places, *rows_and_columns = ctx.saved_tensors
        beyond = tuple(rows_and_columns)
        (gradient,) = gradients
        by_log_mean = gradient * torch.addcmul(counts, total, torch.sigmoid(logits), value=-1)
        by_dispersion = _look_up(_coefficient_slopes(dispersion), places).sub_(log_normaliser)
        x, r = counts[beyond], dispersion[beyond[1]]
        by_dispersion[beyond] += _log_rising_slope(r + TABLE, x - TABLE)
        # The chain rule for r = exp(log r), and for logits = log_mean - log r.
        by_log_dispersion = dispersion * (gradient * by_dispersion).sum(dim=0) - by_log_mean.sum(dim=0)
        return None, by_log_mean, by_log_dispersion


TABLE = 15  # the largest count that is looked up: 99% of a single-cell matrix lies below


def _coefficients(dispersion: Tensor) -> Tensor:
    """Log of the negative binomial's coefficient for counts 0 to `TABLE`, ``(TABLE + 1, genes)``."""
    k = torch.arange(TABLE, dtype=dispersion.dtype, device=dispersion.device)[:, None]
    return pad(((dispersion + k) / (k + 1)).log().cumsum(dim=0), (0, 0, 1, 0))


def _coefficient_slopes(dispersion: Tensor) -> Tensor:
    """Return the derivative of `_coefficients` by the dispersion."""
    k = torch.arange(TABLE, dtype=dispersion.dtype, device=dispersion.device)[:, None]
    return pad((dispersion + k).reciprocal().cumsum(dim=0), (0, 0, 1, 0))


def _places(counts: Tensor) -> Tensor:
    """Return where each count stands in a flattened ``(TABLE + 1, genes)`` table, int32, shape as counts."""
    n_genes = counts.shape[-1]
    return counts.clamp(max=TABLE).mul_(n_genes).add_(torch.arange(n_genes, device=counts.device)).int()


def _look_up(table: Tensor, places: Tensor) -> Tensor:
    # Faster than gather, which walks both matrices with 64-bit indices.
    return table.flatten().index_select(0, places.flatten()).view(places.shape)


def _log_rising(start: Tensor | float, n: Tensor) -> Tensor:
    """Return ``lgamma(start + n) - lgamma(start)`` for a start of at least 4.

    The difference of two Stirling series, whose next term is below 1e-7 there and below 1e-11 from `TABLE`
    up. The gamma functions themselves are so alike where the dispersion is large that nothing is left of
    their difference in float32.
    """
    end = start + n
    ends = (end - 0.5) * torch.log1p(n / start) + n * _log(start) - n
    return ends + _stirling(end) - _stirling(start)


def _log_rising_slope(start: Tensor, n: Tensor) -> Tensor:
    """Return its derivative by the start, ``digamma(start + n) - digamma(start)``."""
    end = start + n
    return torch.log1p(n / start) + _stirling_slope(end) - _stirling_slope(start)


def _log(x: Tensor | float) -> Tensor | float:
    return x.log() if isinstance(x, Tensor) else math.log(x)


def _stirling(x: Any) -> Any:
    # What log Gamma(x) has beyond (x - 1/2) log x - x + log(2 pi) / 2.
    return (1 / 12 - (1 / 360 - 1 / 1260 / x**2) / x**2) / x


def _stirling_slope(x: Any) -> Any:
    # What digamma(x) has beyond log x.
    return -0.5 / x - (1 / 12 - (1 / 120 - 1 / 252 / x**2) / x**2) / x**2


def _log_factorial(counts: Tensor) -> Tensor:
    table = torch.lgamma(torch.arange(1, TABLE + 2, dtype=counts.dtype, device=counts.device))
    result = table[counts.clamp(max=TABLE).long()]
    beyond = counts > TABLE
    result[beyond] = torch.lgamma(counts[beyond] + 1)
    return result

"""Log-probabilities of counts, in the parameters that a network puts out.

Means and dispersions come as logarithms: a decoder's log-softmax plus the log library size is a log-mean
already, and ``log(mean / dispersion)`` is then one subtraction that can neither overflow nor divide by zero.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, softplus

__all__ = [
    "draw_negative_binomial",
    "gaussian_log_prob",
    "negative_binomial_log_likelihood",
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

    In float32 the rounding error stays below 1e-5 of ``1 + |log p|`` and 3e-6 for each count.

    Parameters
    ----------
    counts
        Whole numbers, ``(cells, genes)``.
    log_mean
        ``(cells, genes)``.
    log_dispersion
        ``(genes,)``.
    """
    logits = log_mean - log_dispersion
    total = counts + log_dispersion.exp()
    return _log_coefficient(counts, log_dispersion) + counts * logits - total * softplus(logits)


def negative_binomial_log_likelihood(
    counts: Tensor, logits: Tensor, log_library: Tensor, log_dispersion: Tensor
) -> Tensor:
    """Log-probability of whole cells whose means are ``library * softmax(logits)``, ``(cells,)``.

    The sum over genes of `negative_binomial_log_prob` at ``log_softmax(logits) + log_library``, with softmax,
    likelihood and gradient in one function: autograd would keep and walk three times as many matrices.

    Parameters
    ----------
    counts
        Whole numbers, ``(cells, genes)``.
    logits
        ``(cells, genes)``.
    log_library
        ``(cells, 1)``.
    log_dispersion
        ``(genes,)``.
    """
    if torch.compiler.is_compiling():  # the compiler fuses the plain arithmetic by itself
        log_mean = log_softmax(logits, dim=1) + log_library
        return negative_binomial_log_prob(counts, log_mean, log_dispersion).sum(dim=1)
    coefficient = _log_coefficient(counts, log_dispersion).sum(dim=1)
    return coefficient + _SoftmaxNegativeBinomial.apply(counts, logits, log_library, log_dispersion)


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


class _SoftmaxNegativeBinomial(torch.autograd.Function):
    """The negative binomial of a cell but for its coefficients, with the gradient by hand.

    With ``ratio = mean / r`` it is the sum over genes of ``x log(ratio) - (x + r) log(1 + ratio)``. One
    exponential makes softmax, means and ratios alike, and the gradient needs no further one.
    """

    @staticmethod
    def forward(
        ctx: Any, counts: Tensor, logits: Tensor, log_library: Tensor, log_dispersion: Tensor
    ) -> Tensor:
        dispersion = log_dispersion.exp()  # (genes,)
        top = logits.amax(dim=1, keepdim=True)
        ratio = (logits - top).exp_()  # (cells, genes)
        normaliser = ratio.sum(dim=1, keepdim=True)
        ratio.mul_(log_library.exp() / normaliser).mul_(dispersion.reciprocal())
        log1p_ratio = ratio.log1p()
        total = counts + dispersion
        terms = torch.addcmul(counts * logits, total, log1p_ratio, value=-1)
        log_scale = (log_library - top - normaliser.log()).squeeze(1)  # log mean = logits + log_scale
        ctx.save_for_backward(counts, ratio, log1p_ratio, total, dispersion, log_library)
        return terms.sum(dim=1) + counts.sum(dim=1) * log_scale - counts @ log_dispersion

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor, Tensor]:
        counts, ratio, log1p_ratio, total, dispersion, log_library = ctx.saved_tensors
        (gradient,) = gradients  # (cells,)
        by_log_mean = counts - total * ratio / (1 + ratio)
        by_log_library = by_log_mean.sum(dim=1, keepdim=True)
        by_log_dispersion = -dispersion * (gradient @ log1p_ratio) - gradient @ by_log_mean
        share = ratio * dispersion * torch.exp(-log_library)  # the softmax
        by_logits = by_log_mean.addcmul_(share, by_log_library, value=-1).mul_(gradient[:, None])
        return None, by_logits, gradient[:, None] * by_log_library, by_log_dispersion


def _log_coefficient(counts: Tensor, log_dispersion: Tensor) -> Tensor:
    """Return ``lgamma(x + r) - lgamma(r) - lgamma(x + 1)``, shape of ``counts``.

    On a CPU gamma functions would cost more than the whole network, but counts are whole numbers, and most
    are small: the coefficient is the sum of ``log((r + k) / (k + 1))`` over k < x, so that a table with a
    column for each gene, as long as its largest count, serves a whole batch.
    """
    if counts.device.type == "cpu" and not torch.compiler.is_compiling():
        sizes = counts.detach().amax(dim=0).long() + 1
        if 2 * int(sizes.sum()) < counts.numel():  # else the table costs more than it saves
            return _TabulatedCoefficient.apply(counts, log_dispersion, sizes)
    dispersion = log_dispersion.exp()
    return _log_rising(dispersion, counts) - _log_rising(torch.ones_like(dispersion), counts)


class _TabulatedCoefficient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, counts: Tensor, log_dispersion: Tensor, sizes: Tensor) -> Tensor:
        starts = sizes.cumsum(dim=0) - sizes  # (genes,)
        table = _coefficient_table(log_dispersion, sizes, starts).to(counts.dtype.to_complex())
        places = torch.add(counts, starts).int()
        # Value and slope as one complex number: one walk through memory for both.
        found = table.index_select(0, places.flatten()).view(counts.shape)
        ctx.save_for_backward(found.imag)
        return found.real

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, None]:
        (slopes,) = ctx.saved_tensors
        return None, (gradients[0] * slopes).sum(dim=0), None


def _coefficient_table(log_dispersion: Tensor, sizes: Tensor, starts: Tensor) -> Tensor:
    """Return the coefficient of counts 0, 1, ... of each gene in turn, and as imaginary part its slope.

    The slope is the derivative by the log-dispersion. ``sizes`` and ``starts`` (genes,) say where each gene
    stands in the table.
    """
    gene = torch.repeat_interleave(sizes)
    dispersion = log_dispersion.double().exp()[gene]
    count = torch.arange(len(gene)) - starts[gene]
    rising = dispersion + (count - 1)  # the factor that a count adds to the one before
    steps = torch.complex((rising / count).log(), dispersion / rising)
    sums = steps.masked_fill_(count == 0, 0).cumsum(dim=0)
    return sums - sums[starts][gene]


def _log_rising(start: Tensor, n: Tensor) -> Tensor:
    """Return ``lgamma(start + n) - lgamma(start)`` for any positive start.

    The difference of two Stirling series: the gamma functions themselves are so alike where the dispersion
    is large that nothing is left of their difference in float32.
    """
    end = start + n
    shift = _log_ratio_of_four(start, end) + _log_ratio_of_four(start + 4, end + 4)
    start, end = start + 8, end + 8  # where the series' next term is below 1e-12
    ends = (end - 0.5) * torch.log1p(n / start) + n * start.log() - n
    return shift + ends + _stirling(end) - _stirling(start)


def _log_ratio_of_four(x: Tensor, y: Tensor) -> Tensor:
    # Gamma(x) = Gamma(x + 4) / (x (x + 1) (x + 2) (x + 3)), and the same for y.
    return ((x / y) * ((x + 1) / (y + 1)) * ((x + 2) / (y + 2)) * ((x + 3) / (y + 3))).log()


def _stirling(x: Tensor) -> Tensor:
    # What log Gamma(x) has beyond (x - 1/2) log x - x + log(2 pi) / 2.
    y = x**-2
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - y / 1188) * y) * y) * y) / x


def _log_factorial(counts: Tensor) -> Tensor:
    table = torch.lgamma(torch.arange(1, 17, dtype=counts.dtype, device=counts.device))
    result = table[counts.clamp(max=15).long()]
    beyond = counts > 15
    result[beyond] = torch.lgamma(counts[beyond] + 1)
    return result

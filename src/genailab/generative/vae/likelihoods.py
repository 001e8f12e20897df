"""Log-probabilities of counts, in the parameters that a network puts out.

Means and dispersions come as logarithms: a decoder's log-softmax plus the log library size is a log-mean
already, and ``log(mean / dispersion)`` is then one subtraction that can neither overflow nor divide by zero.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import log_softmax, softplus

from genailab.errors import InputError

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
    values = (counts, logits, log_library, log_dispersion)
    if not (_loops_take(*values) and all(value.dtype == torch.float32 for value in values)):
        log_mean = log_softmax(logits, dim=1) + log_library
        return negative_binomial_log_prob(counts, log_mean, log_dispersion).sum(dim=1)
    return _softmax_negative_binomial(*values)[0]


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


@torch.library.custom_op("genailab::softmax_negative_binomial", mutates_args=(), device_types="cpu")
def _softmax_negative_binomial(
    counts: Tensor, logits: Tensor, log_library: Tensor, log_dispersion: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return each cell's log-likelihood and its derivatives: `count_loops.log_likelihoods` says which.

    An operator of torch's, so that torch.compile builds its own code around it.
    """
    from genailab.generative.vae import count_loops

    table = _table(counts, log_dispersion)
    values = (counts, logits, logits.amax(dim=1), log_library, log_dispersion)
    arrays = (value.contiguous().numpy() for value in values)  # for another layout numba would compile anew
    found = count_loops.log_likelihoods(*arrays, table)
    sums, by_logits, by_log_library, by_log_dispersion = (torch.from_numpy(value) for value in found)
    return sums, by_logits, by_log_library, by_log_dispersion


@_softmax_negative_binomial.register_fake
def _shapes(
    counts: Tensor, logits: Tensor, log_library: Tensor, log_dispersion: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    shapes = (len(counts),), counts.shape, (len(counts), 1), counts.shape
    sums, by_logits, by_log_library, by_log_dispersion = (counts.new_empty(shape) for shape in shapes)
    return sums, by_logits, by_log_library, by_log_dispersion


def _keep_derivatives(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
    ctx.save_for_backward(*output[1:])


@once_differentiable
def _gradients(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
    by_logits, by_log_library, by_log_dispersion = ctx.saved_tensors
    of_each = gradient[:, None]
    return None, of_each * by_logits, of_each * by_log_library, gradient @ by_log_dispersion


_softmax_negative_binomial.register_autograd(_gradients, setup_context=_keep_derivatives)


def _log_coefficient(counts: Tensor, log_dispersion: Tensor) -> Tensor:
    """Return ``lgamma(x + r) - lgamma(r) - lgamma(x + 1)``, shape of ``counts``."""
    if _loops_take(counts, log_dispersion) and not torch.compiler.is_compiling():
        return _LogCoefficient.apply(counts, log_dispersion)
    dispersion = log_dispersion.exp()
    return _log_rising(dispersion, counts) - _log_rising(torch.ones_like(dispersion), counts)


class _LogCoefficient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, counts: Tensor, log_dispersion: Tensor) -> Tensor:
        from genailab.generative.vae import count_loops

        rows = counts.reshape(-1, counts.shape[-1])
        found = count_loops.coefficients(rows.numpy(), _table(rows, log_dispersion))
        values, slopes = (torch.from_numpy(value).view_as(counts) for value in found)
        ctx.save_for_backward(slopes)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        (slopes,) = ctx.saved_tensors
        return None, (gradient * slopes).reshape(-1, slopes.shape[-1]).sum(dim=0)


def _loops_take(*values: Tensor) -> bool:
    return all(one.device.type == "cpu" and one.dtype in (torch.float32, torch.float64) for one in values)


def _table(counts: Tensor, log_dispersion: Tensor) -> Any:
    from genailab.generative.vae import count_loops

    table = count_loops.make_table(counts.contiguous().numpy(), log_dispersion.contiguous().numpy())
    if table is None:
        raise InputError("there is a negative count, or one that is not a number: give raw counts")
    return table


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

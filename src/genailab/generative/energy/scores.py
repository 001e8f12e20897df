"""What can be told from scores alone: how far two densities are apart, how much a sample knows.

Scores need no normaliser, so all of this works for energies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy.energies import Score

__all__ = [
    "fisher_divergence",
    "fisher_information",
    "kernel_stein_discrepancy",
    "median_distance",
    "tweedie",
]

# log p(x; theta) of rows x (batch, ...) under parameters theta (n_parameters,), (batch,).
LogDensity = Callable[[Tensor, Tensor], Tensor]


def fisher_divergence(score: Score, other: Score, x: Tensor) -> Tensor:
    """Estimate ``E_p |grad log p(x) - grad log q(x)|^2`` from draws ``x`` of p, a scalar.

    0 where the scores agree on the draws; half of it is what score matching minimises. For ``N(m, s^2)`` and
    ``N(m', s'^2)`` it is ``(1/s'^2 - 1/s^2)^2 s^2 + (m - m')^2 / s'^4``. Hyvarinen 2005, "Estimation of
    non-normalized statistical models by score matching", equation 2.

    Parameters
    ----------
    score, other
        Scores of p and of q.
    x
        Draws from p, ``(batch, ...)``.
    """
    _check_rows(x, 1)
    return (score(x) - other(x)).square().flatten(1).sum(dim=1).mean()


def fisher_information(log_prob: LogDensity, parameters: Tensor, x: Tensor) -> Tensor:
    """Estimate ``E[g g^T]`` with ``g = d log p(x; theta) / d theta``, ``(n_parameters, n_parameters)``.

    The inverse, over the number of rows, is the least covariance of an unbiased estimate (Cramer & Rao). For
    the mean and standard deviation of a Gaussian it is ``diag(1, 2) / s^2``.

    Parameters
    ----------
    log_prob
        ``log_prob(theta, x)``, ``(batch,)``; differentiable in ``theta``.
    parameters
        ``(n_parameters,)``: where the model's x come from.
    x
        Draws from the model at these parameters, ``(batch, ...)``.
    """
    _check_rows(x, 1)
    # From the Jacobian of all rows at once: forward mode, one pass a parameter.
    gradients = torch.func.jacfwd(lambda theta: log_prob(theta, x))(parameters)  # (batch, n_parameters)
    return gradients.T @ gradients / len(x)


def kernel_stein_discrepancy(
    x: Tensor, score: Score, *, kernel: Literal["imq", "rbf"] = "imq", bandwidth: float | None = None
) -> Tensor:
    """Estimate the squared discrepancy between draws and the density that has this score, a scalar.

    The mean over pairs of ``u(x, y) = s(x).s(y) k + s(x).dk/dy + s(y).dk/dx + tr(d2k/dxdy)``, which is 0 for
    draws from the density itself; unbiased, so it can fall below. No draws from the density and no normaliser
    are needed. Liu, Lee & Jordan 2016, "A kernelized Stein discrepancy for goodness-of-fit tests", definition
    3.2, theorem 3.6 and equation 14.

    Parameters
    ----------
    x
        Draws, ``(batch, n_dims)``; memory grows as ``batch^2``.
    score
        Of the density they are compared with.
    kernel
        ``imq``, ``(1 + |x - y|^2 / h^2)^(-1/2)``, sees tails that ``rbf``, ``exp(-|x - y|^2 / (2 h^2))``,
        misses (Gorham & Mackey 2017, "Measuring sample quality with kernels").
    bandwidth
        The h; the median distance between two draws where it isn't given.

    Raises
    ------
    InputError
        If there are fewer than 2 draws, the kernel is unknown, or the bandwidth isn't positive.
    """
    _check_rows(x, 2)
    if kernel not in ("imq", "rbf"):
        raise InputError(f"kernel is {kernel!r}: choose imq or rbf")
    h = median_distance(x) if bandwidth is None else bandwidth
    if not h > 0:
        raise InputError(f"bandwidth is {float(h)}: it must be positive, so give one where draws coincide")
    s, n_dims = score(x), x.shape[1]
    between = x[:, None, :] - x[None, :, :]  # (batch, batch, n_dims)
    square = between.square().sum(dim=2) / h**2  # (batch, batch)
    k, slope, bend = _radial(square, kernel)
    # With k = f(r), r = |x - y|^2 / h^2: dk/dx = 2 f' (x - y) / h^2 = -dk/dy.
    along = torch.einsum("ijd,ijd->ij", s[:, None, :] - s[None, :, :], between)
    trace = -2 * n_dims * slope / h**2 - 4 * bend * square / h**2
    pairs = (s @ s.T) * k - 2 * slope * along / h**2 + trace
    n = len(x)
    return (pairs.sum() - pairs.diagonal().sum()) / (n * (n - 1))


def _radial(square: Tensor, kernel: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return the kernel as a function of r = |x - y|^2 / h^2, and its first two derivatives."""
    if kernel == "rbf":
        k = torch.exp(-0.5 * square)
        return k, -0.5 * k, 0.25 * k
    return (1 + square) ** -0.5, -0.5 * (1 + square) ** -1.5, 0.75 * (1 + square) ** -2.5


def median_distance(x: Tensor) -> Tensor:
    """Return the median distance between two rows of ``x``, a scalar: the usual width of a kernel."""
    return torch.nn.functional.pdist(x).median()


def tweedie(x: Tensor, score: Tensor, *, sigma: Tensor | float, alpha: Tensor | float = 1.0) -> Tensor:
    """Return ``E[x_0 | x]`` for ``x = alpha x_0 + sigma eps``, ``(x + sigma^2 score) / alpha``.

    The score is that of x's own density. Robbins 1956; Efron 2011, "Tweedie's formula and selection bias",
    section 1.

    Examples
    --------
    For ``x_0 ~ N(0, 1)`` and ``sigma = 1`` the score of x is ``-x / 2``, and half of x was signal:

    >>> tweedie(torch.tensor([2.0]), torch.tensor([-1.0]), sigma=1.0)
    tensor([1.])
    """
    return (x + sigma**2 * score) / alpha


def _check_rows(x: Tensor, least: int) -> None:
    if len(x) < least:
        raise InputError(f"got {len(x)} draws: at least {least} are needed")

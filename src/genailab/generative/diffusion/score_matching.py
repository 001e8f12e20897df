"""Learning the score, the gradient of the log density, from samples.

With s(x) the estimate, four objectives have the same minimum::

    explicit     1/2 |s(x) - grad log p(x)|^2                 where the true score is known
    implicit     tr(ds/dx) + 1/2 |s(x)|^2                     Hyvarinen 2005, equation 4
    sliced       v' (ds/dx) v + 1/2 (v' s(x))^2               Song et al. 2019, equation 8
    denoising    1/2 |s(x + sigma z) + z / sigma|^2           Vincent 2011, equation 11

Explicit and implicit differ by a constant, half the Fisher information of p; the denoising one learns the
score of the data blurred by ``sigma``. Each returns the loss of each sample, ``(batch,)``, a sum over its
dimensions. ``score`` maps samples ``(batch, ...)`` to the same shape, each sample on its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = [
    "Score",
    "denoising_score_matching",
    "explicit_score_matching",
    "implicit_score_matching",
    "sliced_score_matching",
    "trace_of_jacobian",
]

Score = Callable[[Tensor], Tensor]


def explicit_score_matching(score: Score, x: Tensor, true_score: Score) -> Tensor:
    """Return ``1/2 |s(x) - true_score(x)|^2``, ``(batch,)``; its mean is half the Fisher divergence."""
    return 0.5 * (score(x) - true_score(x)).square().flatten(start_dim=1).sum(dim=1)


def implicit_score_matching(
    score: Score,
    x: Tensor,
    *,
    trace: Literal["exact", "hutchinson"] = "exact",
    n_probes: int = 1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return ``tr(ds/dx) + 1/2 |s(x)|^2``, ``(batch,)``.

    Parameters
    ----------
    score
        The estimate.
    x
        Samples ``(batch, ...)``.
    trace
        ``exact`` costs a backward pass a dimension, ``hutchinson`` one a probe.
    n_probes
        Random directions a sample, for ``hutchinson``.
    generator
        Source of the directions.
    """
    value, divergence = trace_of_jacobian(score, x, trace=trace, n_probes=n_probes, generator=generator)
    return divergence + 0.5 * value.square().flatten(start_dim=1).sum(dim=1)


def sliced_score_matching(
    score: Score,
    x: Tensor,
    *,
    n_probes: int = 1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return ``v' (ds/dx) v + 1/2 (v' s(x))^2``, ``(batch,)``, averaged over random directions v of +-1.

    Its second term also is sliced, so it varies more than `implicit_score_matching` with ``hutchinson``,
    which is the paper's SSM-VR. Song, Garg, Shi & Ermon 2019, "Sliced Score Matching", equation 8.
    """
    _check_probes(n_probes)
    x, value = _with_gradient(score, x)
    total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    for _ in range(n_probes):
        probe = _signs(x, generator)
        along = (probe * value).flatten(start_dim=1).sum(dim=1)
        total = total + _along(value, x, probe) + 0.5 * along.square()
    return _as_asked(total / n_probes)


def denoising_score_matching(
    score: Score, x: Tensor, *, sigma: float | Tensor, generator: torch.Generator | None = None
) -> Tensor:
    """Return ``1/2 |s(x + sigma z) + z / sigma|^2``, ``(batch,)``, at noise of one scale.

    ``sigma`` is a number or one for each sample, ``(batch,)``. At all scales at once this is
    `genailab.generative.diffusion.DenoisingObjective` with the prediction ``score``.
    """
    scale = torch.as_tensor(sigma, dtype=x.dtype, device=x.device)
    if not (scale > 0).all():
        raise InputError(f"sigma is {float(scale.min()):.4g}: denoising needs noise, give one above 0")
    scale = scale.reshape(scale.shape + (1,) * (x.ndim - scale.ndim))
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    error = score(x + scale * noise) + noise / scale
    return 0.5 * error.square().flatten(start_dim=1).sum(dim=1)


def trace_of_jacobian(
    field: Score,
    x: Tensor,
    *,
    trace: Literal["exact", "hutchinson"] = "exact",
    n_probes: int = 1,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Return a vector field, shape of ``x`` ``(batch, ...)``, and its divergence, ``(batch,)``.

    ``hutchinson`` estimates it without bias as ``v' J v`` with v of independent signs, which of all
    directions vary least (Hutchinson 1990); it is exact for a diagonal J. Works also where gradients are
    switched off, and then carries none. InputError where ``trace`` is unknown or there is no probe.
    """
    if trace not in ("exact", "hutchinson"):
        raise InputError(f"trace is {trace!r}: choose exact or hutchinson")
    _check_probes(n_probes)
    x, value = _with_gradient(field, x)
    total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    if trace == "exact":
        for place in range(x[0].numel()):
            unit = torch.zeros_like(x).flatten(start_dim=1)
            unit[:, place] = 1
            total = total + _along(value, x, unit.reshape(x.shape))
        return _as_asked(value), _as_asked(total)
    for _ in range(n_probes):
        total = total + _along(value, x, _signs(x, generator)) / n_probes
    return _as_asked(value), _as_asked(total)


def _with_gradient(field: Score, x: Tensor) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        # A sample that is itself computed keeps its history; one that is data gets a place for its gradient.
        x = x if x.requires_grad else x.detach().requires_grad_()
        return x, field(x)


def _along(value: Tensor, x: Tensor, probe: Tensor) -> Tensor:
    """Return ``v' J v`` of each sample, ``(batch,)``."""
    (product,) = torch.autograd.grad(value, x, probe, create_graph=torch.is_grad_enabled(), retain_graph=True)
    return (product * probe).flatten(start_dim=1).sum(dim=1)


def _signs(x: Tensor, generator: torch.Generator | None) -> Tensor:
    bits = torch.randint(0, 2, x.shape, generator=generator, device=x.device)
    return 2 * bits.to(x.dtype) - 1


def _as_asked(result: Tensor) -> Tensor:
    return result if torch.is_grad_enabled() else result.detach()


def _check_probes(n_probes: int) -> None:
    if n_probes < 1:
        raise InputError(f"n_probes is {n_probes}: give at least 1 random direction")

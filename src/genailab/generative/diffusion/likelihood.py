"""Log-likelihood of data under a diffusion or a flow, by its probability-flow ODE.

The flow ``dx/dt = u(x, t)`` takes data at t = 0 to noise at t = 1, and density changes with its divergence::

    log p_0(x(0)) = log N(x(1); 0, sigma(1)^2) + integral over t from 0 to 1 of  div u(x(t), t)
    div u = b dims + a div x_0,     u = a x_0 + b x_t

The divergence is the trace of the network's Jacobian: exact at the cost of a backward pass for each
dimension, or estimated with random signs e by ``e^T J e`` (Hutchinson 1989), whose mean is the trace.
Grathwohl et al. 2019, "FFJORD", equations 3 and 7; for diffusions Song et al. 2021, "Score-Based Generative
Modeling through Stochastic Differential Equations", equation 39 and appendix D.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.samplers.base import Denoiser, flow_coefficients, precise
from genailab.generative.diffusion.samplers.dormand_prince import Slope, integrate
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["log_likelihood"]

# From noisy samples (batch, dims) and a time to the estimated data and its divergence (batch,).
Divergence = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def log_likelihood(
    denoiser: Denoiser,
    x: Tensor,
    schedule: Schedule,
    *,
    divergence: Literal["exact", "hutchinson"] = "exact",
    n_probes: int = 1,
    relative: float = 1e-5,
    absolute: float = 1e-5,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the log-density of each sample in nats, ``(batch,)``, for ``x`` ``(batch, ...)``.

    It is the density at t = 0, where noise of ``sigma(0)`` is left: smoother than the data's by that much.

    Parameters
    ----------
    denoiser
        From noisy samples and a scalar time to the estimated data; differentiable, and each sample's estimate
        must depend on that sample alone.
    x
        Data. In float64 the tolerances can be tighter.
    schedule
        That of the denoiser. Its noise at t = 1 must hide the data: what is left of their mean m shifts the
        result by about ``alpha(1) m / sigma(1)`` nats, so centre them.
    divergence
        ``exact`` for some dozens of dimensions, ``hutchinson`` for more: unbiased, with noise.
    n_probes
        Random directions that are averaged by ``hutchinson``, drawn once for the whole way.
    relative, absolute
        Tolerances of the ODE's solver.
    generator
        Source of those directions.

    Raises
    ------
    InputError
        If there are no samples, one is not finite, ``divergence`` or ``n_probes`` cannot be right, or the
        solver fails.
    """
    _check(x, divergence, n_probes)
    flat = x.detach().flatten(start_dim=1)  # (batch, dims)

    def flat_denoiser(rows: Tensor, t: Tensor) -> Tensor:
        return denoiser(rows.reshape(x.shape), t).flatten(start_dim=1)

    with_divergence = _exact(flat_denoiser)
    if divergence == "hutchinson":
        signs = torch.randint(0, 2, (n_probes, *flat.shape), generator=generator, device=x.device)
        with_divergence = _hutchinson(flat_denoiser, 2.0 * signs.to(x) - 1)
    with torch.no_grad():
        ends = precise(x.new_tensor([0.0, 1.0]))
        alpha, sigma = schedule.alpha(ends)[0].item(), schedule.sigma(ends)[1].item()
        state = torch.cat([alpha * flat, flat.new_zeros(len(flat), 1)], dim=1)  # (batch, dims + 1)
        slope = _with_log_density(with_divergence, schedule)
        state = integrate(slope, state, 0.0, 1.0, first_step=1e-3, relative=relative, absolute=absolute)
    # The data stand for alpha(0) x, the noise for sigma(1) times a standard normal: two changes of scale.
    n_dims = flat.shape[1]
    return _standard_normal(state[:, :-1] / sigma) + state[:, -1] + n_dims * math.log(alpha / sigma)


def _with_log_density(with_divergence: Divergence, schedule: Schedule) -> Slope:
    """Return the slope of samples and of the divergence gathered on their way, ``(batch, dims + 1)``."""

    def slope(t: float, state: Tensor) -> Tensor:
        x = state[:, :-1]
        of_data, of_sample = (c.item() for c in flow_coefficients(schedule, precise(state).new_tensor(t)))
        x0, divergence = with_divergence(x, state.new_tensor(t))
        change = of_sample * x.shape[1] + of_data * divergence  # (batch,)
        return torch.cat([of_data * x0 + of_sample * x, change[:, None]], dim=1)

    return slope


def _exact(denoiser: Denoiser) -> Divergence:
    def with_divergence(x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            x0 = denoiser(leaf, t)
            divergence = torch.zeros_like(x[:, 0])
            for i in range(x.shape[1]):
                # The sum over the batch separates again: an estimate depends on its own sample alone.
                (row,) = torch.autograd.grad(x0[:, i].sum(), leaf, retain_graph=True)
                divergence = divergence + row[:, i]
        return x0.detach(), divergence

    return with_divergence


def _hutchinson(denoiser: Denoiser, probes: Tensor) -> Divergence:
    def with_divergence(x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            x0 = denoiser(leaf, t)
            divergence = torch.zeros_like(x[:, 0])
            for probe in probes:
                (product,) = torch.autograd.grad(x0, leaf, probe, retain_graph=True)
                divergence = divergence + (product * probe).sum(dim=1) / len(probes)
        return x0.detach(), divergence

    return with_divergence


def _standard_normal(x: Tensor) -> Tensor:
    return -0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1)


def _check(x: Tensor, divergence: str, n_probes: int) -> None:
    if x.ndim < 2 or len(x) == 0:
        raise InputError(f"expected samples (batch, dims), got the shape {tuple(x.shape)}: give at least 1")
    bad = ~torch.isfinite(x).flatten(start_dim=1).all(dim=1)
    if bad.any():
        raise InputError(f"sample {int(bad.nonzero()[0])} holds a value that is not finite: leave it out")
    if divergence not in ("exact", "hutchinson"):
        raise InputError(f"divergence is {divergence!r}: choose exact or hutchinson")
    if n_probes < 1:
        raise InputError(f"n_probes is {n_probes}: give at least 1")

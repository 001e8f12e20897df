"""What samplers share: their types, the levels of noise at their steps, and fresh noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.schedules import Schedule

__all__ = [
    "Denoiser",
    "Sampler",
    "check_times",
    "flow_coefficients",
    "noise_levels",
    "noise_like",
    "precise",
]

# From noisy samples (batch, ...) and a time, scalar or (batch,), to the estimated data, shape of the samples.
Denoiser = Callable[[Tensor, Tensor], Tensor]


class Sampler(Protocol):
    """A function from noise at ``times[0]`` to data at ``times[-1]``."""

    def __call__(
        self,
        denoiser: Denoiser,
        x: Tensor,
        times: Tensor,
        schedule: Schedule,
        *,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return samples, shape of ``x``."""
        ...


def noise_levels(schedule: Schedule, times: Tensor) -> tuple[list[float], list[float]]:
    """Return alpha and sigma at each of the ``(steps + 1,)`` times, which are checked.

    As numbers, made once: a step then costs a few operations on the samples and none on scalars, and what is
    a difference of nearly equal numbers is taken in double precision.
    """
    check_times(times)
    times = precise(times)
    return schedule.alpha(times).tolist(), schedule.sigma(times).tolist()


def flow_coefficients(schedule: Schedule, times: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``a`` and ``b`` of the velocity ``u = a x_0 + b x_t``, each of the shape of ``times``.

    ``u = alpha' x_0 + sigma' (x_t - alpha x_0) / sigma``, so that ``b = sigma' / sigma`` and
    ``a = alpha' - alpha b``.
    """
    b = schedule.sigma_derivative(times) / schedule.sigma(times)
    return schedule.alpha_derivative(times) - schedule.alpha(times) * b, b


def noise_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return standard normal noise of the shape, device and type of ``x``."""
    return torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)


def precise(times: Tensor) -> Tensor:
    """Return the times in double precision, where their device has it."""
    return times if times.device.type == "mps" else times.double()


def check_times(times: Tensor) -> None:
    """Refuse fewer than two times, times outside [0, 1] and times that do not fall."""
    if times.ndim != 1 or len(times) < 2:
        raise InputError(f"sampling times have the shape {tuple(times.shape)}: give at least 2 in a row")
    outside = ~((times >= 0) & (times <= 1))  # so that NaN is outside
    if outside.any():
        step = int(outside.nonzero()[0])
        raise InputError(f"sampling time {step} is {float(times[step]):.4g}: it must be in [0, 1]")
    rises = times.diff() >= 0
    if rises.any():
        step = int(rises.nonzero()[0])
        raise InputError(
            f"sampling times go from {float(times[step]):.4g} to {float(times[step + 1]):.4g} at step "
            f"{step}: they must fall, from noise at 1 to data at 0"
        )

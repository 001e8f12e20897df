"""What samplers share: their types and their steps in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["Denoiser", "Sampler", "time_grid"]

# From noisy samples (batch, ...) and a time (a scalar tensor) to the estimated data, shape of the samples.
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


def time_grid(n_steps: int, schedule: Schedule, *, spacing: Literal["time", "log_snr"] = "time") -> Tensor:
    """Return falling times from 1 to 0, ``(n_steps + 1,)``, even in time or in log-SNR.

    Even steps in log-SNR suit the second-order solver, whose error is measured there (Lu et al. 2022, section
    3.4). InputError where the number of steps is below 1 or the spacing is unknown.
    """
    if n_steps < 1:
        raise InputError(f"asked for {n_steps} sampling steps: ask for at least 1")
    if spacing == "time":
        return torch.linspace(1, 0, n_steps + 1)
    if spacing != "log_snr":
        raise InputError(f"there is no spacing {spacing!r} of sampling steps: choose time or log_snr")
    ends = schedule.log_snr(torch.tensor([1.0, 0.0], dtype=torch.float64))
    steps = torch.linspace(float(ends[0]), float(ends[1]), n_steps + 1, dtype=torch.float64)
    return schedule.time(steps).clamp(0, 1).float()

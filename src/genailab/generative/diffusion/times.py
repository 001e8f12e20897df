"""At which times a network is trained: how often each amount of noise is seen.

Every function returns times in [0, 1], ``(n,)``, in the order of the batch.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from genailab.errors import InputError, nearest
from genailab.generative.diffusion.schedules import Schedule

__all__ = [
    "TIMES",
    "Times",
    "edm_times",
    "logit_normal_times",
    "low_discrepancy_times",
    "sample_times",
    "uniform_times",
]

Times = Literal["uniform", "low_discrepancy", "logit_normal", "edm"]
TIMES: tuple[Times, ...] = get_args(Times)


def sample_times(
    kind: Times,
    n: int,
    schedule: Schedule,
    *,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Return ``n`` times of this kind with its usual settings; InputError where the kind is unknown."""
    if kind == "low_discrepancy":
        return low_discrepancy_times(n, generator=generator, device=device)
    if kind == "uniform":
        return uniform_times(n, generator=generator, device=device)
    if kind == "logit_normal":
        return logit_normal_times(n, generator=generator, device=device)
    if kind == "edm":
        return edm_times(n, schedule, generator=generator, device=device)
    raise InputError(f"there are no times {kind!r}: {nearest(str(kind), TIMES)}")


def uniform_times(
    n: int, *, generator: torch.Generator | None = None, device: torch.device | str = "cpu"
) -> Tensor:
    """Return independent times uniform in [0, 1)."""
    return torch.rand(n, generator=generator, device=device)


def low_discrepancy_times(
    n: int, *, generator: torch.Generator | None = None, device: torch.device | str = "cpu"
) -> Tensor:
    """Return times uniform in [0, 1), spread evenly over the batch.

    One random offset, then a grid in random order: each time alone is uniform, but a batch has no gaps, which
    lowers the variance of the loss. Kingma et al. 2021, "Variational Diffusion Models", appendix I.1.
    """
    offset = torch.rand(1, generator=generator, device=device)
    grid = torch.arange(n, device=device) / n
    return (grid + offset).remainder(1.0)[torch.randperm(n, generator=generator, device=device)]


def logit_normal_times(
    n: int,
    *,
    mean: float = 0.0,
    std: float = 1.0,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Return times whose logit is normal: most in the middle, where a straight path is hardest to tell.

    A mean above 0 moves them towards noise. Esser et al. 2024, "Scaling Rectified Flow Transformers for
    High-Resolution Image Synthesis", equation 19.
    """
    return torch.sigmoid(mean + std * torch.randn(n, generator=generator, device=device))


def edm_times(
    n: int,
    schedule: Schedule,
    *,
    mean: float = -1.2,
    std: float = 1.2,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Return times at which ``log(sigma / alpha)`` is normal, held within the schedule's ends.

    The mean and standard deviation are those for images. Karras et al. 2022, "Elucidating the Design Space
    of Diffusion-Based Generative Models", table 1.
    """
    log_sigma = mean + std * torch.randn(n, generator=generator, device=device)
    log_snr = (-2 * log_sigma).clamp(schedule.log_snr_min, schedule.log_snr_max)
    return schedule.time(log_snr).clamp(0, 1)

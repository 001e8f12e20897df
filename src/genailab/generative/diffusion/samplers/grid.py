"""Where a sampler stops between noise and data.

Steps even in time suit a process that runs in a straight line (flow matching) and samplers of many steps;
steps even in log-SNR suit DPM-Solver++, whose error is measured there (Lu et al. 2022, section 3.4); EDM's
are a compromise for few steps, even in the seventh root of the noise-to-signal ratio ``rho = sigma / alpha``
(Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", equation 5 with its
exponent 7).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["Spacing", "time_grid"]

Spacing = Literal["time", "log_snr", "edm"]

EXPONENT = 7.0


def time_grid(n_steps: int, schedule: Schedule, *, spacing: Spacing = "time") -> Tensor:
    """Return falling times from 1 to 0, ``(n_steps + 1,)``, even in time, log-SNR or as EDM's.

    InputError where the number of steps is below 1 or the spacing is unknown.
    """
    if n_steps < 1:
        raise InputError(f"asked for {n_steps} sampling steps: ask for at least 1")
    if spacing == "time":
        return torch.linspace(1, 0, n_steps + 1)
    if spacing not in ("log_snr", "edm"):
        raise InputError(
            f"there is no spacing {spacing!r} of sampling steps: choose one of time, log_snr, edm"
        )
    # A learned schedule has parameters, and answers where they are.
    weight = next(schedule.parameters(), None) if isinstance(schedule, nn.Module) else None
    device = "cpu" if weight is None else weight.device
    first, last = schedule.log_snr_min, schedule.log_snr_max
    log_snr = torch.linspace(first, last, n_steps + 1, dtype=torch.float64, device=device)
    if spacing == "edm":
        roots = torch.exp(-0.5 * log_snr / EXPONENT)  # of rho = exp(-log_snr / 2)
        roots = roots[0] + (roots[-1] - roots[0]) * torch.linspace(0, 1, n_steps + 1).to(roots)
        log_snr = -2 * EXPONENT * roots.log()
    return schedule.time(log_snr).clamp(0, 1).float()

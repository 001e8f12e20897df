"""DPM-Solver++(2M): a second-order multistep solver of the probability-flow ODE in the data prediction.

With half log-SNR ``l = log(alpha / sigma)``, step ``h = l_s - l_t`` and previous step ``h'``::

    D   = x_0 + h / (2 h') (x_0 - x_0')               linear extrapolation from the step before
    x_s = sigma_s / sigma_t x_t - alpha_s (exp(-h) - 1) D

One network call a step, like DDIM (which is its first order, ``D = x_0``), with an error that falls as the
square of the step. Lu et al. 2022, "DPM-Solver++: Fast Solver for Guided Sampling", algorithm 2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.generative.diffusion.samplers.base import Denoiser
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["dpm_solver_2m"]


def dpm_solver_2m(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``; 15 to 25 steps are enough.

    Deterministic: uses no generator.
    """
    alphas, sigmas, half_log_snr = schedule.alpha(times), schedule.sigma(times), 0.5 * schedule.log_snr(times)
    previous: tuple[Tensor, Tensor] | None = None  # estimate and step before
    for i in range(len(times) - 1):
        x0 = denoiser(x, times[i])
        step = half_log_snr[i + 1] - half_log_snr[i]
        # The last step is first order: where noise ends, extrapolation only amplifies the network's error.
        if previous is None or i == len(times) - 2:
            slope = x0
        else:
            slope = x0 + step / (2 * previous[1]) * (x0 - previous[0])
        x = sigmas[i + 1] / sigmas[i] * x - alphas[i + 1] * torch.expm1(-step) * slope
        previous = x0, step
    return x

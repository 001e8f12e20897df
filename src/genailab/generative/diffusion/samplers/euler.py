"""Euler's method for the probability-flow ODE, in time.

    x_s = x_t + (s - t) u(x_t, t),     u = alpha' x_0 + sigma' (x_t - alpha x_0) / sigma

The plainest solver, of first order, and the usual one of flow matching, where the path is a straight line and
``u`` nearly constant. (Euler's method in ``sigma / alpha`` instead of time is DDIM.) Song et al. 2021,
"Score-Based Generative Modeling through Stochastic Differential Equations", equation 13; for flows Lipman et
al. 2023, "Flow Matching for Generative Modeling".
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.generative.diffusion.samplers.base import Denoiser, check_times, flow_coefficients, precise
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["euler"]


def euler(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``; 50 to 200 steps are usual.

    Deterministic: uses no generator. One network call a step; the last step returns the estimated data, as
    the noise that is left there decays faster than a step in time can follow.
    """
    check_times(times)
    steps = precise(times).diff().tolist()
    of_data, of_sample = (c.tolist() for c in flow_coefficients(schedule, precise(times[:-1])))
    for i, step in enumerate(steps[:-1]):
        x0 = denoiser(x, times[i])
        x = (1 + step * of_sample[i]) * x + step * of_data[i] * x0
    return denoiser(x, times[-2])

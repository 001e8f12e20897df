"""The probability-flow ODE, solved to a tolerance instead of in a number of steps.

    dx/dt = u(x, t) = alpha' x_0 + sigma' (x_t - alpha x_0) / sigma

Its solution takes each point of the noise to one point of the data: the same noise gives the same sample
whatever the solver, as exactly as the tolerance says. Song et al. 2021, "Score-Based Generative Modeling
through Stochastic Differential Equations", equation 13 and appendix D.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.generative.diffusion.samplers.base import Denoiser, check_times, flow_coefficients, precise
from genailab.generative.diffusion.samplers.dormand_prince import Slope, integrate
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["adaptive_ode", "flow"]


def adaptive_ode(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    relative: float = 1e-4,
    absolute: float = 1e-4,
    max_steps: int = 10_000,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples, shape of ``x`` ``(batch, ...)``, whose steps are Dormand and Prince's.

    Deterministic: uses no generator.

    Parameters
    ----------
    denoiser, x, schedule
        As of every sampler.
    times
        Only the ends and the first step are used; from there the step is as long as the tolerance allows.
    relative, absolute
        How far a step may be off, of the sample's size and in its units.
    max_steps
        When to give up. A step costs six network calls.
    generator
        Not used.

    Raises
    ------
    InputError
        If a tolerance is not positive, an estimate is not finite, or ``max_steps`` are not enough.
    """
    check_times(times)
    return integrate(
        flow(denoiser, schedule, like=times),
        x,
        float(times[0]),
        float(times[-1]),
        first_step=float(times[0] - times[1]),
        relative=relative,
        absolute=absolute,
        max_steps=max_steps,
    )


def flow(denoiser: Denoiser, schedule: Schedule, *, like: Tensor) -> Slope:
    """Return the velocity of the probability flow, a function of time and sample.

    The denoiser is given scalar times of the type and on the device of ``like``.
    """

    def velocity(t: float, x: Tensor) -> Tensor:
        of_data, of_sample = flow_coefficients(schedule, precise(like).new_tensor(t))
        return of_data.item() * denoiser(x, like.new_tensor(t)) + of_sample.item() * x

    return velocity

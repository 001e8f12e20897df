"""Samplers: plain functions ``sampler(denoiser, x, times, schedule, generator=None)``.

``denoiser(x_t, t)`` returns the estimated data x_0, shape of ``x_t``; ``times`` falls from 1 to 0,
``(steps + 1,)``. Whatever wraps a denoiser (guidance, clamping) therefore works with each of them. They hold
for any schedule, variance-preserving or not; the noise they start from has standard deviation ``sigma(1)``.
"""

from __future__ import annotations

from genailab.errors import InputError, nearest
from genailab.generative.diffusion.samplers.adaptive_ode import adaptive_ode
from genailab.generative.diffusion.samplers.base import Denoiser, Sampler
from genailab.generative.diffusion.samplers.ddim import ddim
from genailab.generative.diffusion.samplers.ddpm import ddpm
from genailab.generative.diffusion.samplers.dpm_solver import dpm_solver_2m
from genailab.generative.diffusion.samplers.euler import euler
from genailab.generative.diffusion.samplers.euler_maruyama import euler_maruyama
from genailab.generative.diffusion.samplers.grid import Spacing, time_grid
from genailab.generative.diffusion.samplers.heun import heun
from genailab.generative.diffusion.samplers.predictor_corrector import predictor_corrector

__all__ = [
    "SAMPLERS",
    "Denoiser",
    "Sampler",
    "Spacing",
    "adaptive_ode",
    "ddim",
    "ddpm",
    "dpm_solver_2m",
    "euler",
    "euler_maruyama",
    "get_sampler",
    "heun",
    "predictor_corrector",
    "time_grid",
]

SAMPLERS: dict[str, Sampler] = {
    "ddpm": ddpm,
    "ddim": ddim,
    "euler": euler,
    "heun": heun,
    "dpm++2m": dpm_solver_2m,
    "euler_maruyama": euler_maruyama,
    "predictor_corrector": predictor_corrector,
    "adaptive_ode": adaptive_ode,
}


def get_sampler(name: str) -> Sampler:
    """Return the sampler of this name, a key of ``SAMPLERS``, with its usual options."""
    if name not in SAMPLERS:
        raise InputError(f"there is no sampler {name!r}: {nearest(name, SAMPLERS)}")
    return SAMPLERS[name]

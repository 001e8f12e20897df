"""Samplers: plain functions ``sampler(denoiser, x, times, schedule, generator=None)``.

``denoiser(x_t, t)`` returns the estimated data x_0, shape of ``x_t``; ``times`` falls from 1 to 0,
``(steps + 1,)``. Whatever wraps a denoiser (guidance, clamping) therefore works with each of them.
"""

from __future__ import annotations

from genailab.errors import InputError, nearest
from genailab.generative.diffusion.samplers.base import Denoiser, Sampler, time_grid
from genailab.generative.diffusion.samplers.ddim import ddim
from genailab.generative.diffusion.samplers.ddpm import ddpm
from genailab.generative.diffusion.samplers.dpm_solver import dpm_solver_2m

__all__ = ["SAMPLERS", "Denoiser", "Sampler", "ddim", "ddpm", "dpm_solver_2m", "get_sampler", "time_grid"]

SAMPLERS: dict[str, Sampler] = {"ddpm": ddpm, "ddim": ddim, "dpm++2m": dpm_solver_2m}


def get_sampler(name: str) -> Sampler:
    """Return the sampler of this name: ``ddpm``, ``ddim`` or ``dpm++2m``."""
    if name not in SAMPLERS:
        raise InputError(f"there is no sampler {name!r}: {nearest(name, SAMPLERS)}")
    return SAMPLERS[name]

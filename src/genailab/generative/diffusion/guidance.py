"""Classifier-free guidance: push samples towards what was asked.

    x_0 = x_0(nothing) + scale (x_0(condition) - x_0(nothing))

``scale = 1`` samples the conditional model as trained, 0 ignores the condition, more than 1 sharpens it at
the cost of diversity. Ho & Salimans 2022, "Classifier-Free Diffusion Guidance", equation 6 with
``w = scale - 1``; it is linear, so it reads the same for eps, x_0 and v.
"""

from __future__ import annotations

from torch import Tensor

from genailab.generative.diffusion.samplers.base import Denoiser

__all__ = ["classifier_free"]


def classifier_free(conditional: Denoiser, unconditional: Denoiser, scale: float) -> Denoiser:
    """Return a denoiser that extrapolates from the unconditional to the conditional estimate."""
    if scale == 1:
        return conditional
    if scale == 0:
        return unconditional

    def guided(x: Tensor, t: Tensor) -> Tensor:
        without = unconditional(x, t)
        return without + scale * (conditional(x, t) - without)

    return guided

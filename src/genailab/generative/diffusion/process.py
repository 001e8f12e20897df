"""The Gaussian process from data to noise."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["GaussianProcess", "beside"]


@dataclass(frozen=True)
class GaussianProcess:
    """``x_t = alpha(t) x_0 + sigma(t) noise``; Ho et al. 2020, equation 4, in continuous time."""

    schedule: Schedule

    def add_noise(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return x_t, shape of ``x0`` ``(batch, ...)``, at times ``(batch,)`` in [0, 1]."""
        if ((t < 0) | (t > 1)).any():
            raise InputError(f"diffusion time {float(t[(t < 0) | (t > 1)][0]):.4g} is outside [0, 1]")
        return beside(self.schedule.alpha(t), x0) * x0 + beside(self.schedule.sigma(t), x0) * noise


def beside(per_sample: Tensor, x: Tensor) -> Tensor:
    """Give ``(batch,)`` as many trailing axes of length 1 as ``x`` ``(batch, ...)`` needs to multiply it."""
    return per_sample.reshape(per_sample.shape + (1,) * (x.ndim - per_sample.ndim))

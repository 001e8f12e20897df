"""The Gaussian process from data to noise, which is also the interpolant of flow matching."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.prediction import beside
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["GaussianProcess", "beside"]


@dataclass(frozen=True)
class GaussianProcess:
    """``x_t = alpha(t) x_0 + sigma(t) noise``; Ho et al. 2020, equation 4, in continuous time.

    With `CondOTSchedule` or the trigonometric one this is the interpolant of flow matching between data and
    noise, which may come in pairs chosen by a coupling. Lipman et al. 2023, "Flow Matching for Generative
    Modeling"; Albergo, Boffi & Vanden-Eijnden 2023, "Stochastic Interpolants", definition 1.
    """

    schedule: Schedule

    def add_noise(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return x_t, shape of ``x0`` ``(batch, ...)``, at times ``(batch,)`` in [0, 1]."""
        outside = ~((t >= 0) & (t <= 1))  # so written that NaN is outside
        if outside.any():
            raise InputError(
                f"diffusion time {float(t[outside][0]):.4g} is outside [0, 1]: 0 is data and 1 is noise"
            )
        return beside(self.schedule.alpha(t), x0) * x0 + beside(self.schedule.sigma(t), x0) * noise

    def velocity(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return d x_t / dt of these pairs of data and noise, ``alpha' x_0 + sigma' noise``."""
        alpha_rate, sigma_rate = self.schedule.alpha_derivative(t), self.schedule.sigma_derivative(t)
        return beside(alpha_rate, x0) * x0 + beside(sigma_rate, x0) * noise

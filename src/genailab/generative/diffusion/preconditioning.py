"""EDM preconditioning: inputs, outputs and targets of unit variance at every amount of noise.

A network F becomes the denoiser::

    D(x_t, t) = c_skip x_t + c_out F(c_in x_t, c_noise)

    c_skip  = alpha s^2 / (sigma^2 + alpha^2 s^2)        c_in    = 1 / sqrt(sigma^2 + alpha^2 s^2)
    c_out   = sigma s / sqrt(sigma^2 + alpha^2 s^2)      c_noise = log(sigma / alpha) / 4

with s the standard deviation of the data, ``sigma_data``. Karras et al. 2022, "Elucidating the Design Space
of Diffusion-Based Generative Models", table 1, for ``alpha = 1``; for other schedules the same of ``x_t /
alpha``, whose noise is ``sigma / alpha``. Where variance is preserved and ``s = 1`` this is the prediction
of -v.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.prediction import beside
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["EDMPreconditioning"]


@dataclass(frozen=True, kw_only=True)
class EDMPreconditioning:
    """The four coefficients at times of any shape; ``sigma_data`` is the data's standard deviation.

    InputError where ``sigma_data`` is not above 0.
    """

    schedule: Schedule
    sigma_data: float = 1.0

    def __post_init__(self) -> None:
        if not self.sigma_data > 0:
            raise InputError(f"sigma_data is {self.sigma_data}: data need a standard deviation above 0")

    def _spread(self, t: Tensor) -> Tensor:
        """Return the standard deviation of x_t."""
        signal = self.schedule.alpha(t) * self.sigma_data
        return (signal.square() + self.schedule.sigma(t).square()).sqrt()

    def skip(self, t: Tensor) -> Tensor:
        """Return c_skip: how much of x_t itself is the best linear guess at the data."""
        return self.schedule.alpha(t) * self.sigma_data**2 / self._spread(t).square()

    def out(self, t: Tensor) -> Tensor:
        """Return c_out: the standard deviation of what that guess leaves over."""
        return self.schedule.sigma(t) * self.sigma_data / self._spread(t)

    def scale_in(self, t: Tensor) -> Tensor:
        """Return c_in: what gives x_t unit variance."""
        return 1 / self._spread(t)

    def noise(self, t: Tensor) -> Tensor:
        """Return c_noise: the time as the network is told it."""
        return -self.schedule.log_snr(t) / 8

    def __call__(self, network: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
        """Return the denoiser, from x_t ``(batch, ...)`` and t, ``(batch,)`` or scalar, to x_0."""

        def denoise(x: Tensor, t: Tensor) -> Tensor:
            output = network(beside(self.scale_in(t), x) * x, self.noise(t))
            return beside(self.skip(t), x) * x + beside(self.out(t), x) * output

        return denoise

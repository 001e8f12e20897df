"""Schedules that keep the data whole and only add noise: alpha = 1, sigma grows far beyond the data."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.schedules.base import Schedule

__all__ = ["EDMSchedule", "VESchedule"]


class VarianceExploding(Schedule):
    """``alpha = 1``, so that the log-SNR is ``-2 log sigma``."""

    sigma_min: float
    sigma_max: float

    def __post_init__(self) -> None:
        if not 0 < self.sigma_min < self.sigma_max:
            raise InputError(
                f"sigma runs from {self.sigma_min} to {self.sigma_max}: it must start above 0 and grow"
            )
        object.__setattr__(self, "log_snr_max", -2 * math.log(self.sigma_min))
        object.__setattr__(self, "log_snr_min", -2 * math.log(self.sigma_max))

    @abstractmethod
    def time_of_sigma(self, sigma: Tensor) -> Tensor:
        """Return the time at which there is this much noise."""

    def alpha(self, t: Tensor) -> Tensor:
        """Return 1."""
        return torch.ones_like(t)

    def alpha_derivative(self, t: Tensor) -> Tensor:
        """Return 0."""
        return torch.zeros_like(t)

    def log_snr(self, t: Tensor) -> Tensor:
        """Return ``-2 log sigma``."""
        return -2 * self.sigma(t).log()

    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return ``-2 sigma' / sigma``."""
        return -2 * self.sigma_derivative(t) / self.sigma(t)

    def time(self, log_snr: Tensor) -> Tensor:
        """Return the time of this log-SNR."""
        return self.time_of_sigma(torch.exp(-0.5 * log_snr))


@dataclass(frozen=True, kw_only=True)
class VESchedule(VarianceExploding):
    """``sigma = sigma_min (sigma_max / sigma_min)^t``: the VE SDE, noise grows at one rate.

    ``sigma_max`` is about the largest distance between two data, ``sigma_min`` small against what matters in
    one: 50 for images of 32 x 32 pixels, about 10 for vectors of unit variance and few dimensions. Song et
    al. 2021, "Score-Based Generative Modeling through Stochastic Differential Equations", equation 30 and
    appendix C.
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0
    log_snr_max: float = field(init=False)
    log_snr_min: float = field(init=False)

    @property
    def _rate(self) -> float:
        return math.log(self.sigma_max / self.sigma_min)

    def sigma(self, t: Tensor) -> Tensor:
        """Return the noise's standard deviation."""
        return self.sigma_min * torch.exp(self._rate * t)

    def sigma_derivative(self, t: Tensor) -> Tensor:
        """Return d sigma / dt."""
        return self._rate * self.sigma(t)

    def time_of_sigma(self, sigma: Tensor) -> Tensor:
        """Return the time at which there is this much noise."""
        return (sigma / self.sigma_min).log() / self._rate


@dataclass(frozen=True, kw_only=True)
class EDMSchedule(VarianceExploding):
    """``sigma = sigma_min + (sigma_max - sigma_min) t``: noise is time, which makes paths nearly straight.

    Times even in t would waste nearly all of them on pure noise: train with times ``edm`` and sample with the
    grid ``edm`` (sigmas even in their seventh root). Karras et al. 2022, "Elucidating the Design Space of
    Diffusion-Based Generative Models", table 1, with time as a share of ``sigma_max``.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    log_snr_max: float = field(init=False)
    log_snr_min: float = field(init=False)

    def sigma(self, t: Tensor) -> Tensor:
        """Return the noise's standard deviation."""
        return self.sigma_min + (self.sigma_max - self.sigma_min) * t

    def sigma_derivative(self, t: Tensor) -> Tensor:
        """Return d sigma / dt, a constant."""
        return torch.full_like(t, self.sigma_max - self.sigma_min)

    def time_of_sigma(self, sigma: Tensor) -> Tensor:
        """Return the time at which there is this much noise."""
        return (sigma - self.sigma_min) / (self.sigma_max - self.sigma_min)

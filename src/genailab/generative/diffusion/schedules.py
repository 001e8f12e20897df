"""Noise schedules: how much of the data and how much noise there is at time t.

    x_t = alpha(t) x_0 + sigma(t) noise,     t = 0 is data, t = 1 is noise

A variance-preserving schedule (``alpha^2 + sigma^2 = 1``) is one decreasing curve, the log signal-to-noise
ratio ``log(alpha^2 / sigma^2)``; everything else follows from it. Kingma et al. 2021, "Variational Diffusion
Models".
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genailab.errors import InputError, nearest

__all__ = ["CosineSchedule", "LinearSchedule", "Schedule", "make_schedule"]


class Schedule(ABC):
    """A variance-preserving schedule. Times and results have one shape, any shape.

    The log-SNR is held within ``[log_snr_min, log_snr_max]``: its ends are what t = 1 and t = 0 mean, so that
    nothing is divided by an alpha or a sigma of zero.
    """

    log_snr_max: float = 13.0
    log_snr_min: float = -10.0

    @abstractmethod
    def log_snr(self, t: Tensor) -> Tensor:
        """Return ``log(alpha^2 / sigma^2)``, strictly decreasing in t."""

    @abstractmethod
    def time(self, log_snr: Tensor) -> Tensor:
        """Return the time at which the log-SNR has this value: the inverse of `log_snr`."""

    @abstractmethod
    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return the derivative of the log-SNR by time, negative."""

    def alpha(self, t: Tensor) -> Tensor:
        """Return the share of data."""
        return torch.sigmoid(self.log_snr(t)).sqrt()

    def sigma(self, t: Tensor) -> Tensor:
        """Return the share of noise."""
        return torch.sigmoid(-self.log_snr(t)).sqrt()

    def alpha_derivative(self, t: Tensor) -> Tensor:
        """Return d alpha / dt, which is ``alpha sigma^2 / 2`` times that of the log-SNR."""
        return 0.5 * self.alpha(t) * self.sigma(t).square() * self.log_snr_derivative(t)

    def sigma_derivative(self, t: Tensor) -> Tensor:
        """Return d sigma / dt, which is ``-sigma alpha^2 / 2`` times that of the log-SNR."""
        return -0.5 * self.sigma(t) * self.alpha(t).square() * self.log_snr_derivative(t)


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """``alpha = cos(pi s / 2)``, ``sigma = sin(pi s / 2)``: little time is spent near pure noise.

    Here ``s`` runs linearly in t between the two ends of the log-SNR. Nichol & Dhariwal 2021, "Improved
    Denoising Diffusion Probabilistic Models", equation 17, without its offset.
    """

    def _ends(self) -> tuple[float, float]:
        start, end = (2 / math.pi * math.atan(math.exp(-x / 2)) for x in (self.log_snr_max, self.log_snr_min))
        return start, end

    def log_snr(self, t: Tensor) -> Tensor:
        """Return ``-2 log tan(pi s / 2)``."""
        start, end = self._ends()
        return -2 * torch.tan(0.5 * math.pi * (start + (end - start) * t)).log()

    def time(self, log_snr: Tensor) -> Tensor:
        """Return the time of this log-SNR."""
        start, end = self._ends()
        return (2 / math.pi * torch.atan(torch.exp(-0.5 * log_snr)) - start) / (end - start)

    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return ``-2 pi / sin(pi s)`` times ds/dt."""
        start, end = self._ends()
        return -2 * math.pi * (end - start) / torch.sin(math.pi * (start + (end - start) * t))


@dataclass(frozen=True)
class LinearSchedule(Schedule):
    """The continuous limit of DDPM's linear betas.

    ``alpha^2 = exp(-B)`` with ``B = beta_min s + (beta_max - beta_min) s^2 / 2``. Here ``s`` runs linearly in
    t between the two ends of the log-SNR: with the usual betas from a little above 0 to a little below 1.
    Song et al. 2021, "Score-Based Generative Modeling through Stochastic Differential Equations", equation
    29.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        if not 0 < self.beta_min <= self.beta_max:
            raise InputError(
                f"betas are {self.beta_min} to {self.beta_max}: they must be positive and not fall"
            )

    def _ends(self) -> tuple[float, float]:
        start, end = self._position(torch.tensor([self.log_snr_max, self.log_snr_min], dtype=torch.float64))
        return float(start), float(end)

    def _position(self, log_snr: Tensor) -> Tensor:
        integral = softplus(-log_snr)  # B, as alpha^2 = sigmoid(log_snr)
        slope = self.beta_max - self.beta_min
        # The root of slope s^2 / 2 + beta_min s = B that has no cancellation, also where slope is 0.
        return 2 * integral / (self.beta_min + (self.beta_min**2 + 2 * slope * integral).sqrt())

    def _integral(self, t: Tensor) -> tuple[Tensor, Tensor, float]:
        start, end = self._ends()
        s = start + (end - start) * t
        return self.beta_min * s + 0.5 * (self.beta_max - self.beta_min) * s.square(), s, end - start

    def log_snr(self, t: Tensor) -> Tensor:
        """Return ``-log(exp(B) - 1)``."""
        integral, _, _ = self._integral(t)
        return -torch.expm1(integral).log()

    def time(self, log_snr: Tensor) -> Tensor:
        """Return the time of this log-SNR."""
        start, end = self._ends()
        return (self._position(log_snr) - start) / (end - start)

    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return ``-beta(s) / (1 - exp(-B))`` times ds/dt."""
        integral, s, scale = self._integral(t)
        beta = self.beta_min + (self.beta_max - self.beta_min) * s
        return -scale * beta / -torch.expm1(-integral)


SCHEDULES: dict[str, type[Schedule]] = {"cosine": CosineSchedule, "linear": LinearSchedule}


def make_schedule(name: str) -> Schedule:
    """Return the schedule of this name, ``cosine`` or ``linear``, with its usual settings."""
    if name not in SCHEDULES:
        raise InputError(f"there is no noise schedule {name!r}: {nearest(name, SCHEDULES)}")
    return SCHEDULES[name]()

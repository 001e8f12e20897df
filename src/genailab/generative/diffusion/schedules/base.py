"""What every noise schedule is: how much of the data and how much noise there is at time t.

    x_t = alpha(t) x_0 + sigma(t) noise,     t = 0 is data, t = 1 is noise

The log signal-to-noise ratio ``log(alpha^2 / sigma^2)`` falls all the way: it is the clock that all schedules
share. Kingma et al. 2021, "Variational Diffusion Models", section 3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["Schedule", "VariancePreserving", "check_falls", "check_log_snr_ends", "check_schedule"]


class Schedule(ABC):
    """Shares of data and noise over time. Times and results have one shape, any shape.

    The log-SNR is held within ``[log_snr_min, log_snr_max]``: its ends are what t = 1 and t = 0 mean, so that
    nothing is divided by an alpha or a sigma of zero.
    """

    log_snr_max: float = 13.0
    log_snr_min: float = -10.0

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """Return the share of data."""

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor:
        """Return the share of noise."""

    @abstractmethod
    def alpha_derivative(self, t: Tensor) -> Tensor:
        """Return d alpha / dt."""

    @abstractmethod
    def sigma_derivative(self, t: Tensor) -> Tensor:
        """Return d sigma / dt."""

    @abstractmethod
    def log_snr(self, t: Tensor) -> Tensor:
        """Return ``log(alpha^2 / sigma^2)``, strictly decreasing in t."""

    @abstractmethod
    def time(self, log_snr: Tensor) -> Tensor:
        """Return the time at which the log-SNR has this value: the inverse of `log_snr`."""

    @abstractmethod
    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return the derivative of the log-SNR by time, negative."""


class VariancePreserving(Schedule):
    """A schedule with ``alpha^2 + sigma^2 = 1``: its log-SNR says everything else."""

    def alpha(self, t: Tensor) -> Tensor:
        """Return the share of data, the root of ``sigmoid(log_snr)``."""
        return torch.sigmoid(self.log_snr(t)).sqrt()

    def sigma(self, t: Tensor) -> Tensor:
        """Return the share of noise, the root of ``sigmoid(-log_snr)``."""
        return torch.sigmoid(-self.log_snr(t)).sqrt()

    def alpha_derivative(self, t: Tensor) -> Tensor:
        """Return d alpha / dt, which is ``alpha sigma^2 / 2`` times that of the log-SNR."""
        return 0.5 * self.alpha(t) * self.sigma(t).square() * self.log_snr_derivative(t)

    def sigma_derivative(self, t: Tensor) -> Tensor:
        """Return d sigma / dt, which is ``-sigma alpha^2 / 2`` times that of the log-SNR."""
        return -0.5 * self.sigma(t) * self.alpha(t).square() * self.log_snr_derivative(t)


def check_log_snr_ends(schedule: Schedule) -> None:
    """Refuse ends of the log-SNR that do not fall from t = 0 to t = 1."""
    if not schedule.log_snr_min < schedule.log_snr_max:
        raise InputError(
            f"the log-SNR would run from {schedule.log_snr_max} at t = 0 to {schedule.log_snr_min} at t = 1: "
            "give a log_snr_max above log_snr_min"
        )


def check_schedule(schedule: Schedule, *, n_times: int = 1001) -> None:
    """Refuse a schedule whose log-SNR does not fall all the way from t = 0 to t = 1.

    Looks at ``n_times`` even times in float64; for a schedule of one's own, before it is trained with.

    Raises
    ------
    InputError
        If the log-SNR rests, rises or is not a number somewhere: the time is named.
    """
    times = torch.linspace(0, 1, n_times, dtype=torch.float64)
    with torch.no_grad():
        check_falls(times, schedule.log_snr(times), name=type(schedule).__name__)


def check_falls(times: Tensor, log_snr: Tensor, *, name: str) -> None:
    """Refuse log-SNRs ``(n,)`` at rising times ``(n,)`` that do not fall all the way."""
    falls = log_snr.diff() < 0  # NaN does not fall
    if not falls.all():
        place = int((~falls).nonzero()[0])
        raise InputError(
            f"the log-SNR of {name} does not fall from t = {float(times[place]):.4g} to "
            f"{float(times[place + 1]):.4g}: it goes from {float(log_snr[place]):.6g} to "
            f"{float(log_snr[place + 1]):.6g}; give a schedule that loses signal at every time"
        )

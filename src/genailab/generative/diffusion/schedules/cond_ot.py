"""The straight line from data to noise, the path of flow matching."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genailab.generative.diffusion.schedules.base import Schedule, check_log_snr_ends

__all__ = ["CondOTSchedule"]


@dataclass(frozen=True, kw_only=True)
class CondOTSchedule(Schedule):
    """``alpha = 1 - s``, ``sigma = s``: each sample moves to its noise at constant speed.

    Here ``s`` runs linearly in t between the two ends of the log-SNR, from 1.2e-4 to 1 - 1.2e-4; with
    infinite ends it is t itself, and then alpha or sigma vanishes at an end. The path is the optimal
    transport between one point and the noise, not between the data and the noise. Lipman et al. 2023, "Flow
    Matching for Generative Modeling", equations 20 to 23; Liu, Gong & Liu 2023, "Flow Straight and Fast",
    equation 1.
    """

    log_snr_max: float = 18.0
    log_snr_min: float = -18.0

    def __post_init__(self) -> None:
        check_log_snr_ends(self)

    def _ends(self) -> tuple[float, float]:
        start, end = (1 / (1 + math.exp(x / 2)) for x in (self.log_snr_max, self.log_snr_min))
        return start, end

    def alpha(self, t: Tensor) -> Tensor:
        """Return ``1 - s``."""
        start, end = self._ends()
        return (1 - start) - (end - start) * t

    def sigma(self, t: Tensor) -> Tensor:
        """Return ``s``."""
        start, end = self._ends()
        return start + (end - start) * t

    def alpha_derivative(self, t: Tensor) -> Tensor:
        """Return ``-ds/dt``, a constant."""
        start, end = self._ends()
        return torch.full_like(t, start - end)

    def sigma_derivative(self, t: Tensor) -> Tensor:
        """Return ``ds/dt``, a constant."""
        start, end = self._ends()
        return torch.full_like(t, end - start)

    def log_snr(self, t: Tensor) -> Tensor:
        """Return ``2 log((1 - s) / s)``."""
        return 2 * (self.alpha(t) / self.sigma(t)).log()

    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return ``-2 / (s (1 - s))`` times ds/dt."""
        return -2 * self.sigma_derivative(t) / (self.alpha(t) * self.sigma(t))

    def time(self, log_snr: Tensor) -> Tensor:
        """Return the time of this log-SNR."""
        start, end = self._ends()
        return (torch.sigmoid(-0.5 * log_snr) - start) / (end - start)

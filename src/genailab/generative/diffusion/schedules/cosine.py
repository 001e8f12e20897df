"""The cosine schedule, which as an interpolant is called trigonometric."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genailab.generative.diffusion.schedules.base import VariancePreserving, check_log_snr_ends

__all__ = ["CosineSchedule"]


@dataclass(frozen=True, kw_only=True)
class CosineSchedule(VariancePreserving):
    """``alpha = cos(pi s / 2)``, ``sigma = sin(pi s / 2)``: little time is spent near pure noise.

    Here ``s`` runs linearly in t between the two ends of the log-SNR. Nichol & Dhariwal 2021, "Improved
    Denoising Diffusion Probabilistic Models", equation 17, without its offset; Albergo, Boffi &
    Vanden-Eijnden 2023, "Stochastic Interpolants", where the same curve is the trigonometric interpolant.
    """

    log_snr_max: float = 13.0
    log_snr_min: float = -10.0

    def __post_init__(self) -> None:
        check_log_snr_ends(self)

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

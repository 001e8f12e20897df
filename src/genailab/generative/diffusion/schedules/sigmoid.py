"""The sigmoid schedule: data are lost fastest in the middle."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.schedules.base import VariancePreserving, check_log_snr_ends

__all__ = ["SigmoidSchedule"]


@dataclass(frozen=True, kw_only=True)
class SigmoidSchedule(VariancePreserving):
    """``alpha^2`` is a falling sigmoid over ``[start, end]``, stretched to run from 1 to 0.

    ``alpha^2 = (S(end) - S(y)) / (S(end) - S(start))`` with ``S(y) = sigmoid(y / temperature)`` and ``y =
    start + (end - start) s``. Here ``s`` runs linearly in t between the two ends of the log-SNR. Jabri, Fleet
    & Chen 2022, "Scalable Adaptive Computation for Iterative Generation", appendix B; Chen 2023, "On the
    Importance of Noise Scheduling for Diffusion Models", algorithm 1.

    Differences of sigmoids are written as ``S(a) - S(b) = sinh((a - b) / 2) / (2 cosh(a / 2) cosh(b / 2))``,
    which has no cancellation near data.
    """

    start: float = -3.0
    end: float = 3.0
    temperature: float = 1.0
    log_snr_max: float = 13.0
    log_snr_min: float = -10.0

    def __post_init__(self) -> None:
        check_log_snr_ends(self)
        if not (self.start < self.end and self.temperature > 0):
            raise InputError(
                f"the sigmoid runs from {self.start} to {self.end} at temperature {self.temperature}: give a "
                "start below the end and a temperature above 0"
            )

    @property
    def _half_width(self) -> float:
        return (self.end - self.start) / (2 * self.temperature)

    @property
    def _offset(self) -> float:
        halves = (0.5 * side / self.temperature for side in (self.start, self.end))
        start, end = (math.log(math.cosh(half)) for half in halves)
        return start - end

    def _position(self, log_snr: Tensor) -> Tensor:
        width = self._half_width
        ratio = torch.exp(log_snr - self._offset)  # sinh((1 - s) width) / sinh(s width)
        return torch.atanh(math.sinh(width) / (ratio + math.cosh(width))) / width

    def _ends(self) -> tuple[float, float]:
        start, end = self._position(torch.tensor([self.log_snr_max, self.log_snr_min], dtype=torch.float64))
        return float(start), float(end)

    def log_snr(self, t: Tensor) -> Tensor:
        """Return ``log(sinh((1 - s) w) / sinh(s w))`` and a constant, with w half of the sigmoid's width."""
        start, end = self._ends()
        width, rest = self._half_width, (1 - start) - (end - start) * t
        s = start + (end - start) * t
        return torch.sinh(rest * width).log() - torch.sinh(s * width).log() + self._offset

    def time(self, log_snr: Tensor) -> Tensor:
        """Return the time of this log-SNR."""
        start, end = self._ends()
        return (self._position(log_snr) - start) / (end - start)

    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return ``-w (coth((1 - s) w) + coth(s w))`` times ds/dt."""
        start, end = self._ends()
        width, rest = self._half_width, (1 - start) - (end - start) * t
        s = start + (end - start) * t
        both = 1 / torch.tanh(rest * width) + 1 / torch.tanh(s * width)
        return -(end - start) * width * both

"""Linear betas: DDPM's discrete schedule and the VP SDE, which is its continuous limit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genailab.errors import InputError
from genailab.generative.diffusion.schedules.base import VariancePreserving, check_log_snr_ends

__all__ = ["LinearSchedule"]


@dataclass(frozen=True, kw_only=True)
class LinearSchedule(VariancePreserving):
    """The continuous limit of DDPM's linear betas, which is the VP SDE: one schedule under two names.

    ``alpha^2 = exp(-B)`` with ``B = beta_min s + (beta_max - beta_min) s^2 / 2``. Here ``s`` runs linearly in
    t between the two ends of the log-SNR: with the usual betas from a little above 0 to a little below 1.
    Song et al. 2021, "Score-Based Generative Modeling through Stochastic Differential Equations", equation
    29.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0
    log_snr_max: float = 13.0
    log_snr_min: float = -10.0

    def __post_init__(self) -> None:
        check_log_snr_ends(self)
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

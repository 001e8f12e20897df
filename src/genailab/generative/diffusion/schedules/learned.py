"""A schedule that is learned: a small network that can only fall."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from genailab.generative.diffusion.schedules.base import VariancePreserving, check_log_snr_ends

__all__ = ["LearnedSchedule", "VarianceGradient"]

N_BISECTIONS = 60  # halvings of [0, 1] until float64 has no time between two


class LearnedSchedule(nn.Module, VariancePreserving):
    """``-log_snr(t)`` is a monotone network of t, scaled to run between the two ends of the log-SNR.

    ``g(t) = a t + sum_i c_i sigmoid(b_i (t - p_i))`` with positive a, b and c rises, and ``log_snr = max -
    (max - min) (g(t) - g(0)) / (g(1) - g(0))``. Starts as nearly a straight line. The variational bound
    depends on the ends alone, not on the way between them, so the network is fitted to make the bound's
    estimate vary little. Kingma et al. 2021, "Variational Diffusion Models", appendices H and I.2.
    """

    def __init__(self, *, n_hidden: int = 64, log_snr_max: float = 13.0, log_snr_min: float = -10.0) -> None:
        super().__init__()
        self.log_snr_max, self.log_snr_min = log_snr_max, log_snr_min
        check_log_snr_ends(self)
        self.slope = nn.Parameter(torch.zeros(()))
        # Steps of the sigmoids spread over [0, 1], none of them large at first; softplus makes all positive.
        self.steepness = nn.Parameter(torch.full((n_hidden,), 10.0))
        self.place = nn.Parameter(torch.linspace(0, 1, n_hidden))
        self.height = nn.Parameter(torch.full((n_hidden,), -7.0))

    def _rise(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return g and its derivative, each of the shape of ``t``."""
        slope, steepness, height = (
            softplus(weight.to(t.dtype)) for weight in (self.slope, self.steepness, self.height)
        )
        steps = torch.sigmoid(steepness * (t[..., None] - self.place.to(t.dtype)))  # (..., n_hidden)
        rise = slope * t + (height * steps).sum(dim=-1)
        return rise, slope + (height * steepness * steps * (1 - steps)).sum(dim=-1)

    def _fall(self, t: Tensor) -> tuple[Tensor, Tensor]:
        ends, _ = self._rise(torch.tensor([0.0, 1.0], dtype=t.dtype, device=t.device))
        rise, slope = self._rise(t)
        scale = (self.log_snr_max - self.log_snr_min) / (ends[1] - ends[0])
        return self.log_snr_max - scale * (rise - ends[0]), -scale * slope

    def log_snr(self, t: Tensor) -> Tensor:
        """Return the log-SNR, shape of ``t``."""
        return self._fall(t)[0]

    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return its derivative by time."""
        return self._fall(t)[1]

    @torch.no_grad()
    def time(self, log_snr: Tensor) -> Tensor:
        """Return the time of this log-SNR, found by bisection: it carries no gradient."""
        wanted = log_snr.double()
        low, high = torch.zeros_like(wanted), torch.ones_like(wanted)
        for _ in range(N_BISECTIONS):
            middle = (low + high) / 2
            before = self.log_snr(middle) > wanted
            low, high = torch.where(before, middle, low), torch.where(before, high, middle)
        return ((low + high) / 2).to(log_snr.dtype)


class VarianceGradient(VariancePreserving):
    """A learned schedule whose parameters receive the gradient of the squared loss, not of the loss.

    As the mean loss does not depend on the schedule, ``E L^2`` is its variance and a constant, and ``grad L^2
    = 2 L grad L``: on the way back to the schedule each sample's gradient is multiplied by twice its loss,
    which takes one backward pass for network and schedule both. Kingma et al. 2021, "Variational Diffusion
    Models", appendix I.2. Times must be ``(batch,)``; call `learn_from` before the backward pass.
    """

    def __init__(self, schedule: LearnedSchedule) -> None:
        self.schedule = schedule
        self.log_snr_max, self.log_snr_min = schedule.log_snr_max, schedule.log_snr_min
        self.losses: Tensor | None = None

    def learn_from(self, losses: Tensor) -> None:
        """Take the loss of each sample, ``(batch,)``, for the backward pass to come."""
        self.losses = losses.detach()

    def log_snr(self, t: Tensor) -> Tensor:
        """Return that of the schedule."""
        return self._watched(self.schedule.log_snr(t))

    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return that of the schedule."""
        return self._watched(self.schedule.log_snr_derivative(t))

    def time(self, log_snr: Tensor) -> Tensor:
        """Return that of the schedule."""
        return self.schedule.time(log_snr)

    def _watched(self, values: Tensor) -> Tensor:
        if values.requires_grad:
            values.register_hook(self._squared)
        return values

    def _squared(self, gradient: Tensor) -> Tensor:
        assert self.losses is not None, "learn_from was not called"
        return 2 * self.losses * gradient

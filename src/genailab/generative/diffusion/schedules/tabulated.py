"""A schedule given by its values, for one read off a paper's figure or found by a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.schedules.base import VariancePreserving, check_falls

__all__ = ["TabulatedSchedule"]


@dataclass(frozen=True)
class TabulatedSchedule(VariancePreserving):
    """A variance-preserving schedule through log-SNRs at even times from 0 to 1, with lines between them.

    Raises
    ------
    InputError
        If there are fewer than two values, or they do not fall all the way: the time is named.

    Examples
    --------
    >>> TabulatedSchedule([10.0, 2.0, -8.0]).log_snr(torch.tensor([0.25, 1.0]))
    tensor([ 6., -8.])
    """

    values: Sequence[float]
    log_snr_max: float = field(init=False)
    log_snr_min: float = field(init=False)

    def __post_init__(self) -> None:
        values = tuple(float(value) for value in self.values)
        if len(values) < 2:
            raise InputError(f"a schedule of {len(values)} log-SNRs has no ends: give at least 2")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "log_snr_max", values[0])
        object.__setattr__(self, "log_snr_min", values[-1])
        times = torch.linspace(0, 1, len(values), dtype=torch.float64)
        check_falls(times, self._knots(times), name="the table")

    def _knots(self, like: Tensor) -> Tensor:
        return torch.tensor(self.values, dtype=like.dtype, device=like.device)

    def _piece(self, t: Tensor) -> Tensor:
        last = len(self.values) - 2
        return (t * (len(self.values) - 1)).floor().long().clamp(0, last)

    def log_snr(self, t: Tensor) -> Tensor:
        """Return the value on the line between the two neighbours."""
        knots, piece = self._knots(t), self._piece(t)
        share = t * (len(self.values) - 1) - piece
        return knots[piece] + share * knots.diff()[piece]

    def time(self, log_snr: Tensor) -> Tensor:
        """Return the time of this log-SNR."""
        knots = self._knots(log_snr)
        piece = torch.searchsorted(-knots, -log_snr.contiguous()) - 1
        piece = piece.clamp(0, len(self.values) - 2)
        return (piece + (log_snr - knots[piece]) / knots.diff()[piece]) / (len(self.values) - 1)

    def log_snr_derivative(self, t: Tensor) -> Tensor:
        """Return the slope of the line, at a value that of the line after it."""
        return self._knots(t).diff()[self._piece(t)] * (len(self.values) - 1)

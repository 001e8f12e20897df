"""Diffusion time as features."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from genailab.errors import InputError

__all__ = ["FourierTime"]


class FourierTime(nn.Module):
    """Sinusoidal features of time in [0, 1]: ``(batch,)`` to ``(batch, n_features)``.

    Frequencies run geometrically from 1 to ``max_frequency`` radians over the unit interval, half of the
    features are sines and half cosines. Vaswani et al. 2017, "Attention Is All You Need", section 3.5, as
    used for time by Ho et al. 2020, "Denoising Diffusion Probabilistic Models", appendix B.
    """

    frequencies: Tensor

    def __init__(self, n_features: int = 64, *, max_frequency: float = 1000.0) -> None:
        super().__init__()
        if n_features < 2 or n_features % 2:
            raise InputError(f"{n_features} features of time: give an even number, a sine for each cosine")
        exponents = torch.linspace(0, 1, n_features // 2)
        self.register_buffer("frequencies", torch.exp(exponents * math.log(max_frequency)), persistent=False)

    def forward(self, time: Tensor) -> Tensor:
        """Return ``(batch, n_features)``."""
        angles = time[:, None] * self.frequencies  # (batch, n_features / 2)
        return torch.cat([angles.sin(), angles.cos()], dim=1)

"""Where a token stands: sinusoids added to it, or a rotation of queries and keys."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genailab.errors import InputError

__all__ = ["Rotary", "sinusoidal_positions"]

BASE = 10_000.0  # longest wavelength over 2 pi, in positions, of both papers


def _angles(length: int, n_features: int, base: float, device: torch.device | str) -> Tensor:
    """One frequency a pair of features, from 1 down to nearly 1 / base: ``(length, n_features / 2)``."""
    if n_features < 2 or n_features % 2:
        raise InputError(f"{n_features} features of position: give an even number, a sine for each cosine")
    frequencies = base ** -(torch.arange(0, n_features, 2, device=device) / n_features)
    return torch.arange(length, device=device)[:, None] * frequencies


def sinusoidal_positions(
    length: int, n_features: int, *, base: float = BASE, device: torch.device | str = "cpu"
) -> Tensor:
    """Sines of each position, then its cosines: ``(length, n_features)``, to be added to the tokens.

    The dot product of two positions depends on their distance alone. Vaswani et al. 2017, "Attention Is All
    You Need", section 3.5.

    Examples
    --------
    >>> sinusoidal_positions(2, 2)
    tensor([[0.0000, 1.0000],
            [0.8415, 0.5403]])
    """
    angles = _angles(length, n_features, base, device)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Rotary(nn.Module):
    """Rotate each pair of features by an angle that grows with the position.

    ``(batch, heads, length, n_features)`` to the same shape and the same norms. The product of a rotated
    query at i and a rotated key at j depends on i - j alone, so attention sees distances, not places. Su et
    al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding", equation 34; feature f is
    paired with feature ``f + n_features / 2``.
    """

    def __init__(self, n_features: int, *, base: float = BASE) -> None:
        super().__init__()
        if n_features < 2 or n_features % 2:
            raise InputError(
                f"rotary positions turn pairs of features, but a head has {n_features}: make it even"
            )
        self.n_features, self.base = n_features, base

    def forward(self, x: Tensor, *, start: int = 0) -> Tensor:
        """Return ``x`` rotated as if its first token stood at position ``start``."""
        angles = _angles(start + x.shape[-2], self.n_features, self.base, x.device)[start:]
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)  # (length, n_features / 2)
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)

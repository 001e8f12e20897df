"""What a VAE is told beside the data: categories, or mixtures of categories between two labels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from genailab.nn.conditioning import Categories, OneHot

__all__ = ["MixedOneHot", "mix"]


class MixedOneHot(OneHot):
    """One-hot categories that may also be mixed: what lies between two labels.

    Codes are whole numbers ``(batch,)``, or the share of each category ``(batch, n_categories)`` as floats.
    """

    def forward(self, codes: Mapping[str, Tensor]) -> Tensor | None:
        """Return the features ``(batch, n_features)``, or None where there is no covariate."""
        if not self.sizes:
            return None
        return torch.cat([_shares(codes[key], size) for key, size in self.sizes.items()], dim=1).float()


def mix(
    start: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float, categories: Categories
) -> dict[str, Tensor]:
    """Return ``(1 - share) start + share end`` of each covariate's one-hot, ``(batch, n_categories)``.

    Examples
    --------
    >>> mix({"type": torch.tensor([0])}, {"type": torch.tensor([1])}, 0.25, {"type": ("B", "NK", "T")})
    {'type': tensor([[0.7500, 0.2500, 0.0000]])}
    """
    return {
        key: torch.lerp(_shares(start[key], len(names)), _shares(end[key], len(names)), share)
        for key, names in categories.items()
    }


def _shares(codes: Tensor, size: int) -> Tensor:
    return codes if codes.is_floating_point() else one_hot(codes, size).float()

"""Each row's combination of categories as one number."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from genailab.nn.conditioning import Categories

__all__ = ["condition_groups", "n_condition_groups"]


def n_condition_groups(categories: Categories) -> int:
    """Return how many combinations the covariates have; 1 where there are none.

    Examples
    --------
    >>> n_condition_groups({"cell_type": ("B", "NK"), "donor": ("d1", "d2", "d3")})
    6
    """
    n = 1
    for names in categories.values():
        n *= len(names)
    return n


def condition_groups(codes: Mapping[str, Tensor], categories: Categories, like: Tensor) -> Tensor:
    """Return the number of each row's combination of categories, ``(batch,)``; 0 where there are none."""
    groups = torch.zeros(len(like), dtype=torch.long, device=like.device)
    for key, names in categories.items():
        groups = groups * len(names) + codes[key]
    return groups

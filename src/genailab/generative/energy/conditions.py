"""The conditions of a batch: each row's combination of categories as one number."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.nn.checks import check_numbers
from genailab.nn.conditioning import Categories
from genailab.nn.model import Batch

__all__ = ["batch_conditions", "condition_groups", "n_condition_groups"]


def batch_conditions(batch: Batch, categories: Categories, *, n_rows: int) -> dict[str, Tensor]:
    """Return the codes ``(batch,)`` of each covariate, as long.

    Raises
    ------
    InputError
        If the batch lacks a covariate, or a row's code is none of its categories.
    """
    for key, names in categories.items():
        if key not in batch:
            raise InputError(f"the batch holds {sorted(batch)} but no {key!r}: give its codes (batch,)")
        check_numbers(batch[key], names, name=key, n_rows=n_rows)
    return {key: batch[key].long() for key in categories}


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

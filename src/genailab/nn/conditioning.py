"""Ways to tell a network what it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from genailab.errors import InputError, nearest
from genailab.nn.checks import check_numbers

__all__ = ["Categories", "Condition", "FiLM", "OneHot", "batch_codes", "encode_condition"]

# Category names of each covariate, in the order of their codes: {"cell_type": ("B", "NK", ...)}.
Categories = Mapping[str, tuple[str, ...]]

# What a user asks for: for each covariate one name for all, a name for each cell, or codes (n,).
Condition = Mapping[str, str | Sequence[str] | Tensor]


class OneHot(nn.Module):
    """Categorical covariates side by side: codes ``(batch,)`` each to ``(batch, n_features)``."""

    def __init__(self, categories: Categories) -> None:
        super().__init__()
        self.sizes = {key: len(names) for key, names in categories.items()}
        self.n_features = sum(self.sizes.values())

    def forward(self, codes: Mapping[str, Tensor]) -> Tensor | None:
        """Return the features, or None where there is no covariate."""
        if not self.sizes:
            return None
        return torch.cat([one_hot(codes[key], size) for key, size in self.sizes.items()], dim=1).float()


class FiLM(nn.Module):
    """Scale and shift features by a condition: ``h * (1 + scale(c)) + shift(c)``.

    Features ``(batch, n_features)`` and a condition ``(batch, n_condition)`` give ``(batch, n_features)``.
    Starts as the identity, so that a new condition can't spoil a network before it has learned anything.
    Perez et al. 2018, "FiLM: Visual Reasoning with a General Conditioning Layer", equation 2.
    """

    def __init__(self, n_features: int, n_condition: int) -> None:
        super().__init__()
        self.scale_and_shift = nn.Linear(n_condition, 2 * n_features)
        nn.init.zeros_(self.scale_and_shift.weight)
        nn.init.zeros_(self.scale_and_shift.bias)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Return features of the same shape."""
        scale, shift = self.scale_and_shift(condition).chunk(2, dim=1)
        return features * (1 + scale) + shift


def batch_codes(batch: Mapping[str, Tensor], categories: Categories, *, n_rows: int) -> dict[str, Tensor]:
    """Return the codes ``(batch,)`` of each covariate in a batch of ``n_rows``, as long.

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


def encode_condition(
    condition: Condition | None, categories: Categories, n: int, *, device: torch.device | str = "cpu"
) -> dict[str, Tensor]:
    """Turn names into codes ``(n,)`` for each covariate of ``categories``.

    Raises
    ------
    InputError
        If ``n`` is below 1, a covariate is missing or unknown, a name is not among its categories (the
        nearest are named), or there are not ``n`` of them.

    Examples
    --------
    >>> encode_condition({"cell_type": "NK"}, {"cell_type": ("B", "NK")}, 3)
    {'cell_type': tensor([1, 1, 1])}
    """
    if n < 1:
        raise InputError(f"asked for {n} samples: ask for at least 1")
    condition = condition or {}
    for key in condition:
        if key not in categories:
            raise InputError(f"the model knows no condition {key!r}: {nearest(key, categories)}")
    missing = [key for key in categories if key not in condition]
    if missing:
        raise InputError(
            f"the model needs a condition for {missing[0]!r}, one of {list(categories[missing[0]])[:8]}"
        )
    return {key: _codes(key, condition[key], names, n).to(device) for key, names in categories.items()}


def _codes(key: str, values: str | Sequence[str] | Tensor, names: tuple[str, ...], n: int) -> Tensor:
    if isinstance(values, str):
        values = [values] * n
    if len(values) != n:
        raise InputError(f"the condition {key!r} has {len(values)} values for {n} samples: give one, or {n}")
    if isinstance(values, Tensor):
        if values.is_floating_point():
            raise InputError(f"the codes of {key!r} are {values.dtype}: give names, or whole numbers")
        outside = (values < 0) | (values >= len(names))
        if outside.any():
            raise InputError(f"code {int(values[outside][0])} of {key!r} is outside 0 to {len(names) - 1}")
        return values.long()
    code_of = {name: code for code, name in enumerate(names)}
    for value in map(str, values):
        if value not in code_of:
            raise InputError(f"{value!r} is not a known {key}: {nearest(value, names)}")
    return torch.tensor([code_of[str(value)] for value in values])

"""Which noise goes with which data: pairs chosen within a batch so that their paths cross less.

A coupling maps data ``(batch, ...)`` and noise ``(batch, ...)`` to index pairs ``(data_index, noise_index)``,
each ``(batch,)``; whatever belongs to the data (any number of conditions) is taken with ``data_index``. Each
index is a permutation, so no row is lost or seen twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from genailab.errors import InputError, nearest

__all__ = [
    "COUPLINGS",
    "Coupling",
    "Pairs",
    "condition_aware",
    "couple",
    "independent",
    "minibatch_optimal_transport",
]

Pairs = tuple[Tensor, Tensor]
Coupling = Literal["independent", "optimal_transport", "condition_aware"]
COUPLINGS: tuple[Coupling, ...] = get_args(Coupling)


def couple(kind: Coupling, data: Tensor, noise: Tensor, codes: Mapping[str, Tensor] | None = None) -> Pairs:
    """Return the pairs of this kind of coupling; InputError where the kind is unknown."""
    if kind == "independent":
        return independent(data, noise)
    if kind == "optimal_transport":
        return minibatch_optimal_transport(data, noise)
    if kind == "condition_aware":
        return condition_aware(data, noise, codes or {})
    raise InputError(f"there is no coupling {kind!r}: {nearest(str(kind), COUPLINGS)}")


def independent(data: Tensor, noise: Tensor) -> Pairs:
    """Pair rows as they come; Lipman et al. 2023, "Flow Matching for Generative Modeling"."""
    _check(data, noise)
    rows = torch.arange(len(data), device=data.device)
    return rows, rows


def minibatch_optimal_transport(data: Tensor, noise: Tensor) -> Pairs:
    """Pair rows so that the sum of their squared distances is smallest, exactly.

    Costs the cube of the batch at worst. With conditions, use `condition_aware`: here the noise that a
    condition gets is no longer standard normal, which sampling takes it to be. Pooladian et al. 2023,
    "Multisample Flow Matching"; Tong et al. 2024, "Improving and Generalizing Flow-Based Generative Models
    with Minibatch Optimal Transport", section 3.2.
    """
    _check(data, noise)
    # float64: a squared distance is a difference of large numbers where data lie far from 0.
    x, y = data.detach().flatten(start_dim=1).double(), noise.detach().flatten(start_dim=1).double()
    cost = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").square()  # (batch, batch)
    rows, columns = linear_sum_assignment(cost.cpu().numpy())
    return tuple(torch.as_tensor(index, device=data.device) for index in (rows, columns))  # type: ignore[return-value]


def condition_aware(data: Tensor, noise: Tensor, codes: Mapping[str, Tensor]) -> Pairs:
    """Pair rows by optimal transport within each combination of conditions.

    The noise of a row is taken to be drawn for that row's condition, and stays with it, so that each
    condition's noise is standard normal, as sampling under it assumes. Without codes this is
    `minibatch_optimal_transport`. Cheng & Schwing 2025, "The Curse of Conditions: Analyzing and Improving
    Optimal Transport for Conditional Flow-Based Generation", section 3.2, with an infinite penalty.

    Parameters
    ----------
    data, noise
        Rows ``(batch, ...)`` of one shape.
    codes
        The codes of each condition, ``(batch,)``, by its name.
    """
    _check(data, noise)
    if not codes:
        return minibatch_optimal_transport(data, noise)
    groups = torch.stack([code.long() for code in codes.values()], dim=1)  # (batch, n_conditions)
    _, group = groups.unique(dim=0, return_inverse=True)
    noise_index = torch.empty(len(data), dtype=torch.long, device=data.device)
    for number in group.unique():
        rows = (group == number).nonzero()[:, 0]
        _, columns = minibatch_optimal_transport(data[rows], noise[rows])
        noise_index[rows] = rows[columns]
    return torch.arange(len(data), device=data.device), noise_index


def _check(data: Tensor, noise: Tensor) -> None:
    if data.shape != noise.shape:
        raise InputError(
            f"data are {tuple(data.shape)} but noise is {tuple(noise.shape)}: give as much noise as data"
        )

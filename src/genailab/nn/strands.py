"""Both strands of a double helix: a prediction that does not depend on which one was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

__all__ = ["Strands", "over_strands"]

Strands = Literal["given", "mean", "max"]


def over_strands(model: Callable[[Tensor], Tensor], x: Tensor, strands: Strands) -> Tensor:
    """Apply ``model`` to the strand that is given, or to both and take the mean or the larger output.

    Parameters
    ----------
    model
        From one-hot ``(batch, 4, length)`` to outputs of any shape without strand or position.
    x
        One-hot ``(batch, 4, length)`` in the order A, C, G, T (or U).
    strands
        With ``"mean"`` and ``"max"`` a sequence and its reverse complement get the same output to the last
        bit, whatever the weights (outside of dropout).
    """
    forward = model(x)
    if strands == "given":
        return forward
    # In the order A, C, G, T the complement is the reversed order of the channels.
    reverse = model(x.flip(1, 2))
    return torch.maximum(forward, reverse) if strands == "max" else (forward + reverse) / 2

"""Rows of different lengths in one padded batch: which positions count, and means over those alone."""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.data.sequences.padding import position_mask
from genailab.errors import InputError

__all__ = ["checked_lengths", "masked_mean", "position_mask"]


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Average each row over the positions that count: ``(batch, length, features)`` to ``(batch, features)``.

    Examples
    --------
    >>> masked_mean(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[True, True, False]])).item()
    2.0
    """
    return x.masked_fill(~mask[:, :, None], 0.0).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def checked_lengths(
    length: Tensor | None, *, n_rows: int, n_positions: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Return one length a row, ``(n_rows,)`` long; without any, every row is as long as the batch is wide.

    Raises
    ------
    InputError
        If there is not one whole number a row, or one is below 1 or beyond the row's end.
    """
    if length is None:
        return torch.full((n_rows,), n_positions, device=device)
    if length.shape != (n_rows,) or length.is_floating_point():
        raise InputError(
            f"length is {length.dtype} of shape {tuple(length.shape)} for {n_rows} sequences: give one whole "
            "number a sequence"
        )
    wrong = (length < 1) | (length > n_positions)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise InputError(
            f"sequence {row} of the batch has length {int(length[row])}: expected 1 to {n_positions}, the "
            "width of the padded batch; leave empty sequences out"
        )
    return length

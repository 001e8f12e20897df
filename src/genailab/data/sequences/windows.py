"""Overlapping or adjacent windows along sequences, without a copy."""

from __future__ import annotations

from torch import Tensor

from genailab.errors import InputError

__all__ = ["windows"]


def windows(sequences: Tensor, length: int, *, stride: int = 1) -> Tensor:
    """Look at every window of ``length`` positions along the last axis.

    The result is a view: it takes no memory, and writing into it writes into ``sequences`` (where windows
    overlap, into several at once). Positions after the last whole window are left out.

    Parameters
    ----------
    sequences
        Codes ``(..., length)``, one-hot ``(batch, 4, length)`` or any track along a sequence.
    length
        Positions in a window.
    stride
        Positions from the start of one window to the start of the next.

    Returns
    -------
    ``(..., n_windows, length)`` with ``n_windows = (L - length) // stride + 1``; window ``i`` begins at
    position ``i * stride`` (from 0).

    Raises
    ------
    InputError
        If a window is longer than the sequences, or ``length`` or ``stride`` is below 1.

    Examples
    --------
    >>> import torch
    >>> windows(torch.arange(7), 3, stride=2).tolist()
    [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    """
    if not isinstance(sequences, Tensor):
        raise InputError(
            f"windows takes a tensor, got a {type(sequences).__name__}: encode() turns text into one"
        )
    for name, value in (("length", length), ("stride", stride)):
        if value < 1:
            raise InputError(f"{name} must be at least 1 position, got {value}")
    if sequences.dim() == 0 or sequences.shape[-1] < length:
        available = sequences.shape[-1] if sequences.dim() else 0
        raise InputError(
            f"a window of {length} positions does not fit into sequences of {available}: "
            "take shorter windows or pad the sequences"
        )
    return sequences.unfold(-1, length, stride)  # (..., n_windows, length)

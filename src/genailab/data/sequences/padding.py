"""Sequences of different lengths as one tensor: filled up side by side, or laid end to end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError

__all__ = ["attention_mask", "pack", "pad", "position_mask", "unpack", "unpad"]


def pad(sequences: Sequence[Tensor], *, value: float = DNA.size) -> tuple[Tensor, Tensor]:
    """Put sequences side by side, short ones filled at the end.

    Parameters
    ----------
    sequences
        Codes ``(length,)``, or features ``(length, ...)`` that agree in all further axes.
    value
        What short ones are filled with; by default the unknown letter of DNA (20 in PROTEIN).

    Returns
    -------
    ``(batch, longest, ...)`` and the lengths, long ``(batch,)``.

    Examples
    --------
    >>> filled, lengths = pad([torch.tensor([0, 1, 2]), torch.tensor([3])], value=4)
    >>> filled.tolist(), lengths.tolist()
    ([[0, 1, 2], [3, 4, 4]], [3, 1])
    """
    _check(sequences)
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    filled = torch.nn.utils.rnn.pad_sequence(list(sequences), batch_first=True, padding_value=value)
    return filled, lengths.to(filled.device)  # (batch, longest, ...), (batch,)


def unpad(filled: Tensor, lengths: Tensor) -> list[Tensor]:
    """Take the sequences back out of ``(batch, longest, ...)``, as views: the inverse of `pad`."""
    _check_lengths(lengths, filled.shape[1], len(filled))
    return [row[:length] for row, length in zip(filled, lengths.tolist(), strict=True)]


def position_mask(length: Tensor, n_positions: int) -> Tensor:
    """Tell which positions count: lengths ``(batch,)`` to bool ``(batch, n_positions)``, unchecked.

    Examples
    --------
    >>> position_mask(torch.tensor([1, 3]), 3).int().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    return torch.arange(n_positions, device=length.device) < length[:, None]


def attention_mask(lengths: Tensor, *, longest: int | None = None) -> Tensor:
    """Mark the positions that hold something: bool ``(batch, longest)``, True before each row's length.

    Examples
    --------
    >>> attention_mask(torch.tensor([2, 0, 3])).int().tolist()
    [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
    """
    longest = int(lengths.max()) if longest is None else longest
    _check_lengths(lengths, longest, len(lengths))
    return position_mask(lengths, longest)


def pack(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Lay sequences end to end.

    Returns
    -------
    ``(total, ...)`` and the offsets, int32 ``(batch + 1,)``: sequence ``i`` lies from ``offsets[i]`` up to
    ``offsets[i + 1]``. Attention kernels for variable lengths call them ``cu_seqlens``.

    Examples
    --------
    >>> flat, offsets = pack([torch.tensor([0, 1, 2]), torch.tensor([3])])
    >>> flat.tolist(), offsets.tolist()
    ([0, 1, 2, 3], [0, 3, 4])
    """
    _check(sequences)
    lengths = torch.tensor([0, *(len(sequence) for sequence in sequences)])
    flat = torch.cat(list(sequences))  # (total, ...)
    return flat, lengths.cumsum(0).to(flat.device, torch.int32)


def unpack(flat: Tensor, offsets: Tensor) -> list[Tensor]:
    """Take the sequences back out of ``(total, ...)``, as views: the inverse of `pack`."""
    ends = offsets.tolist()
    if not ends or ends[0] != 0 or ends[-1] != len(flat) or ends != sorted(ends):
        raise InputError(f"offsets must rise from 0 to the {len(flat)} packed positions, got {ends[:8]}")
    return [flat[start:end] for start, end in pairwise(ends)]


def _check(sequences: Sequence[Tensor]) -> None:
    if not len(sequences):
        raise InputError("there are no sequences to put together: the list is empty")
    first = sequences[0]
    for row, sequence in enumerate(sequences):
        if sequence.dim() == 0 or sequence.shape[1:] != first.shape[1:] or sequence.dtype != first.dtype:
            raise InputError(
                f"sequence {row} (from 0) is {sequence.dtype} {tuple(sequence.shape)}, but sequence 0 is "
                f"{first.dtype} {tuple(first.shape)}: all but the first axis must agree"
            )


def _check_lengths(lengths: Tensor, longest: int, batch: int) -> None:
    if len(lengths) != batch:
        raise InputError(f"there are {len(lengths)} lengths for {batch} rows: give one to each")
    wrong = ((lengths < 0) | (lengths > longest)).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"row {row} (from 0) has length {int(lengths[row])}, but must be within 0 and {longest}"
        )

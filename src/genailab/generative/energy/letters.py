"""Sequences of few letters as energies take them: one-hot, and all of them where they can be counted."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from genailab.errors import InputError

__all__ = ["enumerate_sequences", "hot_letters"]

MOST = 1 << 22  # sequences that are still written out


def hot_letters(codes: Tensor, n_letters: int) -> Tensor:
    """One channel a letter: integer codes ``(batch, length)`` to floats ``(batch, n_letters, length)``.

    Raises
    ------
    InputError
        If the codes are no whole numbers ``(batch, length)``, or one stands for no single letter.

    Examples
    --------
    >>> hot_letters(torch.tensor([[0, 1]]), 2).tolist()
    [[[1.0, 0.0], [0.0, 1.0]]]
    """
    if codes.dim() != 2 or codes.is_floating_point():
        raise InputError(
            f"expected codes (batch, length) as whole numbers, got {codes.dtype} {tuple(codes.shape)}: use "
            "genailab.data.encode"
        )
    outside = (codes < 0) | (codes >= n_letters)
    if outside.any():
        row, position = outside.nonzero()[0].tolist()
        raise InputError(
            f"code {int(codes[row, position])} at position {position} of sequence {row} (both from 0) is "
            f"none of the {n_letters} letters: leave out sequences with unknown letters"
        )
    return functional.one_hot(codes.long(), n_letters).transpose(1, 2).float()  # (batch, n_letters, length)


def enumerate_sequences(n_letters: int, length: int) -> Tensor:
    """Return every sequence once, uint8 ``(n_letters ** length, length)``, in the order of a counter.

    Raises
    ------
    InputError
        If there are none, or more than four million.

    Examples
    --------
    >>> enumerate_sequences(2, 2).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    if n_letters < 1 or length < 1 or n_letters**length > MOST:
        raise InputError(
            f"{n_letters} letters at {length} positions cannot be enumerated: stay between 1 and {MOST} "
            "sequences, or estimate with annealed_importance_sampling"
        )
    letters = torch.arange(n_letters, dtype=torch.uint8)
    return torch.cartesian_prod(*[letters] * length).reshape(-1, length)

"""Batches and templates of letters that cannot be right, said in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genailab.data.sequences.alphabet import Alphabet
from genailab.data.sequences.encoding import encode
from genailab.errors import InputError
from genailab.nn.model import Batch

__all__ = ["checked_letters", "letters_allowed"]


def checked_letters(batch: Batch, alphabet: Alphabet, *, length: int | None = None) -> Tensor:
    """Return the batch's ``codes``, uint8 ``(batch, length)``, all of them letters with a channel.

    Any length will do where ``length`` is None.

    Raises
    ------
    InputError
        If there are none, they are not uint8 of two axes or not of that length, or one is unknown (N) or
        stands for several.
    """
    if "codes" not in batch:
        raise InputError(f"the batch holds {sorted(batch)} but no 'codes': give sequences as uint8 codes")
    codes = batch["codes"]
    if codes.dtype != torch.uint8 or codes.dim() != 2 or codes.shape[1] == 0:
        raise InputError(
            f"'codes' is {codes.dtype} of shape {tuple(codes.shape)}, expected uint8 (batch, length): "
            "use genailab.data.encode"
        )
    if length is not None and codes.shape[1] != length:
        raise InputError(
            f"the sequences are {codes.shape[1]} long, but this model's are {length}: cut them to {length}, "
            f"or train a model with length={codes.shape[1]}"
        )
    outside = codes >= alphabet.size
    if outside.any():
        row, position = (int(i) for i in outside.nonzero()[0])
        code = int(codes[row, position])
        sign = f" ({alphabet.symbols[code]!r})" if code < len(alphabet.symbols) else ""
        raise InputError(
            f"code {code}{sign} at position {position} of row {row} (both from 0) is none of the letters "
            f"{alphabet.letters}: leave sequences with other letters out, or cut them"
        )
    return codes


def letters_allowed(
    template: str | Sequence[str] | Tensor | None,
    alphabet: Alphabet,
    n: int,
    length: int | None,
    *,
    default: int,
) -> Tensor:
    """Return which letters a template allows, bool ``(1 or n, size, length)``; all of them without one.

    Raises
    ------
    InputError
        If the length is below 1 or not the template's, the template has neither 1 nor ``n`` rows, or it holds
        something that is no letter or stands for none (a stop).
    """
    if length is not None and length < 1:
        raise InputError(f"asked for sequences of length {length}: ask for at least 1")
    if template is None:
        return torch.ones(1, alphabet.size, length or default, dtype=torch.bool)
    codes = template if isinstance(template, Tensor) else encode(template, alphabet=alphabet)
    codes = codes.reshape(-1, codes.shape[-1]).cpu()
    if len(codes) not in (1, n):
        raise InputError(f"the template has {len(codes)} rows for {n} samples: give one, or {n}")
    if length is not None and codes.shape[1] != length:
        raise InputError(f"the template is {codes.shape[1]} long but length is {length}: give one of them")
    if int(codes.max()) >= len(alphabet.symbols):
        raise InputError(
            f"the template holds code {int(codes.max())}: codes end at {len(alphabet.symbols) - 1}"
        )
    return torch.from_numpy(alphabet.shares)[codes.long()].movedim(-1, 1) > 0

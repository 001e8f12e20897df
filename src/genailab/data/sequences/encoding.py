"""Text to codes to one-hot, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from genailab.data.sequences.alphabet import DNA, INVALID, Alphabet
from genailab.data.sequences.texts import as_texts, look_up, refuse_letter
from genailab.errors import InputError, nearest

__all__ = ["decode", "encode", "lowercase_mask", "one_hot"]

Unknown = Literal["zero", "uniform", "error"]
UNKNOWN = ("zero", "uniform", "error")

# Letters that are compared at a time: a block and its four channels stay in a core's cache.
_BLOCK = 1 << 16


def encode(sequences: str | Sequence[str], *, alphabet: Alphabet = DNA) -> Tensor:
    """Turn letters into codes; lower case is folded (`lowercase_mask` keeps it).

    Parameters
    ----------
    sequences
        One text or several. Those shorter than the longest are filled at the end with the unknown letter.
    alphabet
        DNA, RNA or PROTEIN.

    Returns
    -------
    uint8 ``(length,)`` for one text, ``(batch, length)`` for several: ``0 .. size - 1`` are the letters,
    ``size`` is unknown, above are letters that stand for several.

    Raises
    ------
    InputError
        If there is no sequence, one is empty or no text, or a letter is not of the alphabet.

    Examples
    --------
    >>> encode("gattaN").tolist()
    [2, 0, 3, 3, 0, 4]
    >>> encode(["ACGT", "R"]).tolist()
    [[0, 1, 2, 3], [5, 4, 4, 4]]
    """
    texts = as_texts(sequences)
    flat = look_up(texts, alphabet.encode_table)
    if flat.max() == INVALID:
        refuse_letter(texts, alphabet)
    codes = _rows(flat, texts, alphabet.size)
    return codes[0] if isinstance(sequences, str) else codes  # (batch, length)


def lowercase_mask(sequences: str | Sequence[str]) -> Tensor:
    """Mark lower-case letters, by which genomes mark repeats: bool, in the shape that `encode` gives.

    Examples
    --------
    >>> lowercase_mask("ACgtN").tolist()
    [False, False, True, True, False]
    """
    texts = as_texts(sequences)
    is_lower = np.zeros(256, np.uint8)
    is_lower[ord("a") : ord("z") + 1] = 1
    mask = _rows(look_up(texts, is_lower), texts, 0).bool()
    return mask[0] if isinstance(sequences, str) else mask  # (batch, length)


def decode(sequences: Tensor, *, alphabet: Alphabet = DNA) -> str | list[str]:
    """Write codes or one-hot sequences as capital letters: the inverse of `encode` and of `one_hot`.

    Parameters
    ----------
    sequences
        Codes ``(length,)`` or ``(batch, length)`` of an integer type; or ``(batch, size, length)``, where
        the letter with the largest value is taken, several that share it are written as the letter that
        stands for them (equal A and G as R), and all zeros as unknown.
    alphabet
        DNA, RNA or PROTEIN. Codes beyond its last are written as unknown.

    Returns
    -------
    One text for ``(length,)``, otherwise a list.

    Examples
    --------
    >>> decode(encode(["ACGT", "NNRY"]))
    ['ACGT', 'NNRY']
    >>> decode(one_hot("GATTACA"))
    ['GATTACA']
    """
    if not isinstance(sequences, Tensor):
        raise InputError(
            f"decode takes a tensor, got a {type(sequences).__name__}: torch.as_tensor() makes one"
        )
    if sequences.dim() == 3:
        sequences = _codes_of_one_hot(sequences, alphabet)
    elif sequences.dim() not in (1, 2) or sequences.is_floating_point():
        raise InputError(
            f"cannot read {sequences.dtype} {tuple(sequences.shape)} as letters: give integer codes "
            f"(batch, length) or one-hot (batch, {alphabet.size}, length)"
        )
    # A code above 255 must not come back as another letter.
    known = sequences.cpu().clamp(0, 255).numpy().astype(np.uint8)
    letters = alphabet.decode_table[known]  # (batch, length)
    if letters.ndim == 1:
        return letters.tobytes().decode()
    return [row.tobytes().decode() for row in letters]


def one_hot(
    sequences: str | Sequence[str] | Tensor,
    *,
    alphabet: Alphabet = DNA,
    unknown: Unknown = "zero",
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """One channel a letter, in the alphabet's order.

    Parameters
    ----------
    sequences
        Text, several texts, or integer codes ``(length,)`` or ``(batch, length)``.
    alphabet
        DNA, RNA or PROTEIN.
    unknown
        What becomes of N and of letters that stand for several: ``"zero"`` in all channels, ``"uniform"``
        shares of the letters that they stand for (R: 0.5 in A and in G), or an ``"error"``.
    dtype
        ``torch.bool`` and ``torch.uint8`` take a quarter of float32's memory.

    Returns
    -------
    ``(batch, size, length)`` on the device of the codes; one sequence is a batch of one.

    Raises
    ------
    InputError
        For what `encode` refuses, codes that are not integers, an unknown letter with ``"error"``, or
        ``"uniform"`` with a type that holds no fractions.

    Examples
    --------
    >>> one_hot("ACN", dtype=torch.uint8)
    tensor([[[1, 0, 0],
             [0, 1, 0],
             [0, 0, 0],
             [0, 0, 0]]], dtype=torch.uint8)
    """
    if unknown not in UNKNOWN:
        raise InputError(
            f"unknown must be one of {', '.join(UNKNOWN)}, got {unknown!r}: {nearest(unknown, UNKNOWN)}"
        )
    if unknown == "uniform" and not dtype.is_floating_point:
        raise InputError(
            f"unknown='uniform' needs fractions, which {dtype} cannot hold: pass dtype=torch.float32"
        )
    if not isinstance(sequences, Tensor):
        texts = as_texts(sequences)
        hot, only_letters = _one_hot_of_texts(texts, alphabet)
        if only_letters or unknown == "zero":
            return _cast(hot, dtype)
        sequences = encode(texts, alphabet=alphabet)
    return _one_hot_of_codes(sequences, alphabet, unknown, dtype)


def _rows(flat: np.ndarray, texts: Sequence[str], fill: int) -> Tensor:
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    longest = int(lengths.max())
    if len(flat) == longest * len(texts):
        return torch.from_numpy(flat.reshape(len(texts), longest))  # (batch, length)
    rows = np.full((len(texts), longest), fill, np.uint8)
    rows[np.arange(longest) < lengths[:, None]] = flat
    return torch.from_numpy(rows)  # (batch, length)


def _one_hot_of_texts(texts: Sequence[str], alphabet: Alphabet) -> tuple[Tensor, bool]:
    """Compare letters without a detour over codes; also tells whether all are letters of the alphabet."""
    # numpy asks the system for large pages, torch doesn't: on 100 Mb that is the greater part of the time.
    hot = np.empty((len(texts), alphabet.size, max(map(len, texts))), np.bool_)
    only_letters = True
    for row, text in enumerate(texts):
        only_letters &= len(text) == hot.shape[2]
        hot[row, :, len(text) :] = False
        for start in range(0, len(text), _BLOCK):
            part = text[start : start + _BLOCK]
            if not _compare(part, hot[row, :, start : start + len(part)], alphabet):
                only_letters = False
                if look_up([part], alphabet.encode_table).max() == INVALID:
                    refuse_letter(texts, alphabet)
    return torch.from_numpy(hot), only_letters  # (batch, size, length)


def _compare(part: str, hot: np.ndarray, alphabet: Alphabet) -> bool:
    capitals = np.frombuffer(part.encode("latin-1", "replace"), np.uint8) & 0xDF
    letters = np.frombuffer(alphabet.letters.encode(), np.uint8)
    np.equal(capitals, letters[:, None], out=hot)  # (size, length)
    return bool(hot.any(axis=0).all())


def _one_hot_of_codes(codes: Tensor, alphabet: Alphabet, unknown: Unknown, dtype: torch.dtype) -> Tensor:
    if codes.is_floating_point() or codes.dim() not in (1, 2):
        raise InputError(
            f"codes must be integers (batch, length), got {codes.dtype} {tuple(codes.shape)}: "
            "encode() makes them from text"
        )
    codes = codes if codes.dim() == 2 else codes[None]  # (batch, length)
    hot = _cast(_channels(codes, alphabet.size, dtype), dtype)  # (batch, size, length)
    if unknown == "zero":
        return hot
    row, position = (codes >= alphabet.size).nonzero(as_tuple=True)
    if unknown == "error" and len(row):
        letter = alphabet.decode_table[int(codes[row[0], position[0]])]
        raise InputError(
            f"{chr(letter)!r} at position {int(position[0])} of sequence {int(row[0])} (both from 0) stands "
            "for no single letter: pass unknown='zero' or 'uniform', or leave the sequence out"
        )
    shares = torch.from_numpy(alphabet.shares).to(hot.device, hot.dtype)  # (codes, size)
    ambiguous = codes[row, position].long()
    hot[row, :, position] = shares[ambiguous.where(ambiguous < len(shares), alphabet.size)]
    return hot


def _channels(codes: Tensor, size: int, dtype: torch.dtype) -> Tensor:
    if codes.device.type != "cpu":
        return codes[:, None] == torch.arange(size, dtype=codes.dtype, device=codes.device)[:, None]
    # On a CPU numpy takes a fifth of torch's time; the usual type is written without a pass over booleans.
    written = np.float32 if dtype == torch.float32 else np.bool_
    hot: np.ndarray = np.empty((codes.shape[0], size, codes.shape[1]), written)
    for channel in range(size):
        np.equal(codes.numpy(), channel, out=hot[:, channel])
    return torch.from_numpy(hot)  # (batch, size, length)


def _cast(hot: Tensor, dtype: torch.dtype) -> Tensor:
    # True is the byte 1, so that the small integers share the memory.
    return hot.view(dtype) if dtype in (torch.uint8, torch.int8) else hot.to(dtype)


def _codes_of_one_hot(hot: Tensor, alphabet: Alphabet) -> Tensor:
    if hot.shape[1] != alphabet.size:
        raise InputError(
            f"a one-hot of {alphabet.name} is (batch, {alphabet.size}, length), got {tuple(hot.shape)}: "
            "put the channels second, or pass the alphabet"
        )
    largest = hot.amax(dim=1, keepdim=True)
    leading = (hot == largest) & (largest > 0)  # (batch, size, length)
    codes = leading.to(torch.uint8).argmax(dim=1).to(torch.uint8)  # (batch, length)
    row, position = (leading.sum(dim=1) != 1).nonzero(as_tuple=True)
    if len(row):
        codes[row, position] = _ambiguous_codes(leading[row, :, position], alphabet)
    return codes


def _ambiguous_codes(leading: Tensor, alphabet: Alphabet) -> Tensor:
    """Find the code of each set of letters, given as bool ``(sets, size)``."""
    code_of = {
        frozenset(meant): alphabet.codes_of[letter] for letter, meant in alphabet.ambiguous.items() if meant
    }
    sets, inverse = leading.unique(dim=0, return_inverse=True)
    found = [
        code_of.get(
            frozenset(letter for letter, held in zip(alphabet.letters, one, strict=True) if held),
            alphabet.size,
        )
        for one in sets.tolist()
    ]
    return torch.tensor(found, dtype=torch.uint8, device=leading.device)[inverse]

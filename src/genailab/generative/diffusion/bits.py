"""Letters as analog bits: each letter a corner of a cube, a point that Gaussian noise can move.

    bit k of letter i:  +1 where k-th binary digit of i is 1, else -1,     k = 0 is the highest

The four nucleotides fill the square: A (-1, -1), C (-1, 1), G (1, -1), T (1, 1), so that the complement is
the opposite corner, and a reverse complement is ``-bits`` read backwards. Twenty amino acids are twenty of
the 32 corners of a five-dimensional cube. Chen, Zhang & Hinton 2022, "Analog Bits: Generating Discrete Data
using Diffusion Models with Self-Conditioning", section 2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.data.sequences.alphabet import DNA, Alphabet
from genailab.errors import InputError

__all__ = ["from_bits", "letter_bits", "n_bits", "to_bits"]


def n_bits(alphabet: Alphabet) -> int:
    """Return how many bits tell the letters apart: 2 for DNA and RNA, 5 for proteins."""
    return max(1, (alphabet.size - 1).bit_length())


def letter_bits(alphabet: Alphabet) -> Tensor:
    """Return the corner of each letter, -1 and 1, ``(size, n_bits)``.

    Examples
    --------
    >>> letter_bits(DNA).int().tolist()
    [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    """
    shifts = torch.arange(n_bits(alphabet) - 1, -1, -1)
    return (torch.arange(alphabet.size)[:, None] >> shifts & 1) * 2.0 - 1.0  # (size, n_bits)


def to_bits(codes: Tensor, *, alphabet: Alphabet = DNA) -> Tensor:
    """Turn codes of letters, ``(batch, length)``, into bits, float32 ``(batch, n_bits, length)``.

    Raises
    ------
    InputError
        If a code is no letter of the alphabet.
    """
    if (codes >= alphabet.size).any():
        code = int(codes[codes >= alphabet.size][0])
        raise InputError(
            f"code {code} is no single letter of {alphabet.name}, whose codes are 0 to {alphabet.size - 1}: "
            "bits can't say which letters an N or R stands for"
        )
    return letter_bits(alphabet).to(codes.device)[codes.long()].transpose(1, 2)


def from_bits(bits: Tensor, *, alphabet: Alphabet = DNA) -> Tensor:
    """Return the letter nearest to each position's bits: ``(batch, n_bits, length)`` to uint8 codes.

    Nearest in Euclidean distance, which for corners of a cube, all equally long, is the largest inner
    product. For DNA these are the signs of the bits; a corner of the proteins' cube that stands for no amino
    acid becomes the letter for which the least certain bits must turn. Of several as near the first is taken.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import decode, encode
    >>> decode(from_bits(0.3 * to_bits(encode(["GATTACA"]))))
    ['GATTACA']
    """
    if bits.dim() != 3 or bits.shape[1] != n_bits(alphabet):
        raise InputError(
            f"bits of {alphabet.name} are (batch, {n_bits(alphabet)}, length), got {tuple(bits.shape)}"
        )
    agreement = torch.einsum("bkl,ak->bal", bits, letter_bits(alphabet).to(bits))  # (batch, size, length)
    return agreement.argmax(dim=1).to(torch.uint8)  # (batch, length)

"""Shuffled sequences: the background that keeps composition and loses everything else.

Dinucleotide shuffles are drawn uniformly from all sequences with the same dinucleotide counts, after
Altschul & Erickson 1985, "Significance of nucleotide sequence alignments", and Kandel, Matias, Unger &
Winkler 1996, "Shuffling biological sequences". Read as steps from letter to letter, a sequence is a walk that
takes every edge of a graph once; all such walks begin and end alike. The last exits from the letters form a
tree towards the final letter, so a uniform walk is a uniform tree (Wilson 1996: random walks with their loops
erased) with all other exits taken in random order.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from genailab.errors import InputError, nearest

__all__ = ["shuffle"]

KINDS = ("dinucleotide", "mononucleotide")


def shuffle(
    codes: Tensor,
    *,
    kind: Literal["dinucleotide", "mononucleotide"] = "dinucleotide",
    n: int | None = None,
    generator: np.random.Generator,
) -> Tensor:
    """Shuffle each sequence on its own.

    Parameters
    ----------
    codes
        ``(batch, length)`` uint8. Every code is a letter of its own, N too: a run of N may move.
    kind
        ``"dinucleotide"`` keeps how often each letter follows each other one, hence the first and the last
        letter, uniformly among all sequences that do; ``"mononucleotide"`` keeps the letters only.
    n
        Shuffles of each sequence; by default one, without an axis for it.
    generator
        Where the randomness comes from; the same state gives the same shuffles.

    Returns
    -------
    ``(batch, length)`` uint8, or ``(batch, n, length)`` with ``n``; on the device of ``codes``.

    Raises
    ------
    InputError
        If ``codes`` isn't uint8 ``(batch, length)``, ``kind`` is unknown, ``n`` is below 1 or ``generator``
        isn't numpy's.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import decode, encode
    >>> codes = encode(["ACGTTGCAACGT"])
    >>> decode(shuffle(codes, kind="mononucleotide", generator=np.random.default_rng(0)))
    ['CGATGTATCGAC']
    """
    _check(codes, kind, n, generator)
    rows = np.repeat(codes.cpu().numpy(), n or 1, axis=0)  # (batch * n, length)
    if kind == "mononucleotide":
        shuffled = generator.permuted(rows, axis=1)
    else:
        # Importing numba takes half a second and compiling one more, so neither waits for the first import.
        from genailab.data.sequences.eulerian_walks import eulerian_walks

        shuffled = eulerian_walks(rows, int(rows.max(initial=0)) + 1, generator)
    result = torch.from_numpy(shuffled).to(codes.device)
    return result if n is None else result.unflatten(0, (-1, n))  # (batch, n, length)


def _check(codes: Tensor, kind: str, n: int | None, generator: object) -> None:
    if not isinstance(codes, Tensor):
        raise InputError(
            f"shuffle takes uint8 codes (batch, length), got a {type(codes).__name__}: encode() it"
        )
    if not isinstance(generator, np.random.Generator):
        raise InputError(
            f"shuffle draws from a numpy generator, got a {type(generator).__name__}: pass "
            "generator=numpy.random.default_rng(seed)"
        )
    if codes.dtype != torch.uint8 or codes.dim() != 2:
        raise InputError(
            f"shuffle takes uint8 codes (batch, length), got {codes.dtype} {tuple(codes.shape)}: "
            "encode() makes them from text"
        )
    if kind not in KINDS:
        raise InputError(f"there is no shuffle {kind!r}: {nearest(kind, KINDS)}")
    if n is not None and n < 1:
        raise InputError(f"n must be at least 1 shuffle of each sequence, got {n}")

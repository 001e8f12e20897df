"""The other strand, read in its own direction: of text, codes, one-hot sequences and predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
import torch
from torch import Tensor

from genailab.data.sequences.alphabet import DNA, Alphabet
from genailab.data.sequences.texts import as_texts, refuse_letter
from genailab.errors import InputError

__all__ = ["reverse_complement", "reverse_predictions"]


@overload
def reverse_complement(x: str, *, alphabet: Alphabet = ...) -> str: ...  # type: ignore[overload-overlap]
@overload
def reverse_complement(x: Tensor, *, alphabet: Alphabet = ...) -> Tensor: ...
@overload
def reverse_complement(x: Sequence[str], *, alphabet: Alphabet = ...) -> list[str]: ...
def reverse_complement(
    x: str | Sequence[str] | Tensor, *, alphabet: Alphabet = DNA
) -> str | list[str] | Tensor:
    """Read sequences on the other strand; the input is left as it is.

    Letters that stand for several become those that stand for the complements (R, a purine, becomes Y), and
    the case of text is kept.

    Parameters
    ----------
    x
        Text, a list of texts, codes ``(..., length)`` of an integer type, or one-hot sequences and
        attributions ``(..., 4, length)`` of a floating or boolean type.
    alphabet
        DNA or RNA.

    Returns
    -------
    The same type, shape and device.

    Raises
    ------
    InputError
        If the alphabet has no complements, a letter is not of the alphabet, or a one-hot has not its number
        of channels or comes as integers, which stand for codes.

    Examples
    --------
    >>> reverse_complement("GATTacaN")
    'NtgtAATC'
    >>> reverse_complement(["ACG", "R"])
    ['CGT', 'Y']
    """
    if not alphabet.complements:
        raise InputError(f"{alphabet.name} has no second strand: reverse_complement takes DNA or RNA")
    if not isinstance(x, Tensor):
        others = _of_texts(as_texts(x), alphabet)
        return others[0] if isinstance(x, str) else others
    if x.is_floating_point() or x.dtype == torch.bool:
        return _of_one_hot(x, alphabet)
    _check_is_codes(x, alphabet)
    # Long codes would otherwise come back as bytes.
    complement = torch.from_numpy(alphabet.complement_table).to(x.device, x.dtype)
    return complement[x.flip(-1).long()]  # (..., length)


def reverse_predictions(predictions: Tensor, *, partner: Sequence[int] | None = None) -> Tensor:
    """Turn predictions for a reverse complement into the forward strand's order of positions and tracks.

    A model ``f`` treats both strands alike where ``reverse_predictions(f(reverse_complement(x)))`` equals
    ``f(x)``; averaging the two makes any model do so.

    Parameters
    ----------
    predictions
        ``(batch, tracks, length)``, a value for each position (or bin) of each track.
    partner
        For each track the number of the track that the other strand gives: ``[1, 0]`` for a plus and a minus
        track, its own number for one without a strand. By default every track is its own.

    Returns
    -------
    ``(batch, tracks, length)``.

    Raises
    ------
    InputError
        If ``partner`` does not pair the tracks: ``partner[partner[i]]`` must be ``i``.

    Examples
    --------
    >>> plus_and_minus = torch.tensor([[[1, 2, 3], [7, 8, 9]]])
    >>> reverse_predictions(plus_and_minus, partner=[1, 0]).tolist()
    [[[9, 8, 7], [3, 2, 1]]]
    """
    if predictions.dim() != 3:
        raise InputError(f"predictions must be (batch, tracks, length), got {tuple(predictions.shape)}")
    order = list(range(predictions.shape[1]) if partner is None else partner)
    paired = sorted(order) == list(range(predictions.shape[1])) and all(
        order[other] == track for track, other in enumerate(order)
    )
    if not paired:
        raise InputError(
            f"partner {order} does not pair {predictions.shape[1]} tracks: give each track the number of the "
            "other strand's track, as [1, 0] does, or its own"
        )
    return predictions[:, order].flip(-1)  # (batch, tracks, length)


def _of_texts(texts: list[str], alphabet: Alphabet) -> list[str]:
    refuse_letter(texts, alphabet)
    letters = "".join(alphabet.complements)
    others = "".join(alphabet.complements.values())
    table = str.maketrans(letters + letters.lower(), others + others.lower())
    return [text.translate(table)[::-1] for text in texts]


def _of_one_hot(x: Tensor, alphabet: Alphabet) -> Tensor:
    if x.dim() < 2 or x.shape[-2] != alphabet.size:
        raise InputError(
            f"one-hot sequences must be (batch, {alphabet.size}, length), got {tuple(x.shape)}: "
            "codes are integers, of dtype torch.uint8"
        )
    channels = torch.from_numpy(alphabet.complement_table[: alphabet.size].astype(np.int64)).to(x.device)
    return x.index_select(-2, channels).flip(-1)  # (..., 4, length)


def _check_is_codes(x: Tensor, alphabet: Alphabet) -> None:
    # Every column of a one-hot sums to 1; codes do that only if one row alone is not A, at every position.
    if x.dim() == 3 and x.shape[1] == alphabet.size and x.shape[2] > 3 and bool((x.sum(dim=1) == 1).all()):
        raise InputError(
            f"this {x.dtype} tensor of shape {tuple(x.shape)} looks like a one-hot, but integers stand for "
            "codes: make it torch.bool or floating"
        )

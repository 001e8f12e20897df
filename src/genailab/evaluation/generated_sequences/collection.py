"""Sequences to be judged: codes side by side, filled up where lengths differ, with the classes asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from genailab.data.sequences.alphabet import DNA, Alphabet
from genailab.data.sequences.encoding import encode
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.errors import InputError
from genailab.evaluation.arrays import IntArray

__all__ = ["SequenceCollection", "Sequences", "together"]

Sequences = Tensor | Sequence[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceCollection:
    """A set of sequences of one alphabet. Make it with `of`.

    Parameters
    ----------
    codes
        uint8 ``(n, longest)``; short sequences are filled at the end with the unknown letter, which no metric
        counts.
    lengths
        Letters of each sequence, ``(n,)``.
    alphabet
        What the codes mean.
    labels
        The class of each sequence, or the one that was asked for, ``(n,)``; None where there is none.
    """

    codes: Tensor
    lengths: IntArray
    alphabet: Alphabet
    labels: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        sequences: Sequences,
        *,
        alphabet: Alphabet = DNA,
        labels: Sequence[str] | None = None,
        kind: str = "given",
        least: int = 2,
    ) -> SequenceCollection:
        """Take uint8 codes ``(n, length)``, or text of any lengths; ``kind`` is how errors call them.

        Raises
        ------
        InputError
            If there are fewer than ``least`` sequences, one holds no known letter, codes are no uint8
            ``(n, length)``, a letter is not of the alphabet, or there are not as many labels as sequences.

        Examples
        --------
        >>> found = SequenceCollection.of(["ACG", "T"])
        >>> found.codes.tolist(), found.lengths.tolist()
        ([[0, 1, 2], [3, 4, 4]], [3, 1])
        """
        if len(sequences) < least:
            raise InputError(
                f"there are {len(sequences)} {kind} sequences, but at least {least} are compared: add more"
            )
        codes, lengths = _encoded(sequences, alphabet, kind)
        if labels is not None and len(labels) != len(codes):
            raise InputError(
                f"there are {len(labels)} labels for {len(codes)} {kind} sequences: give one to each"
            )
        return cls(
            codes=codes,
            lengths=lengths,
            alphabet=alphabet,
            labels=None if labels is None else tuple(map(str, labels)),
        )

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def aligned(self) -> bool:
        """Whether all sequences have one length, so that a position means the same in each."""
        return bool((self.lengths == self.lengths[0]).all())

    def subset(self, rows: IntArray) -> SequenceCollection:
        """Keep these rows, in this order."""
        kept = self.lengths[rows]
        return SequenceCollection(
            codes=self.codes[torch.from_numpy(np.asarray(rows))][:, : int(kept.max())],
            lengths=kept,
            alphabet=self.alphabet,
            labels=None if self.labels is None else tuple(self.labels[row] for row in rows),
        )

    def subsample(self, most: int, generator: np.random.Generator) -> SequenceCollection:
        """Return at most ``most`` sequences, drawn without replacement and kept in order."""
        if len(self) <= most:
            return self
        return self.subset(np.sort(generator.choice(len(self), size=most, replace=False)))

    def words(self, *, both_strands: bool) -> list[bytes]:
        """Each sequence's codes as bytes; with ``both_strands`` those of the strand that comes first.

        Two sequences are then equal where they are copies, also of each other's reverse complement.
        """
        forward = _bytes(self.codes.numpy(), self.lengths)
        if not both_strands or not self.alphabet.complements:
            return forward
        return [min(pair) for pair in zip(forward, _bytes(self.reversed_codes(), self.lengths), strict=True)]

    def reversed_codes(self) -> np.ndarray:
        """Return the other strand of each sequence, ``(n, longest)`` uint8, filled up at the end as well."""
        codes = reverse_complement(self.codes, alphabet=self.alphabet).numpy()
        place = (np.arange(codes.shape[1]) + codes.shape[1] - self.lengths[:, None]) % codes.shape[1]
        return np.take_along_axis(codes, place, axis=1)


def together(first: SequenceCollection, second: SequenceCollection) -> SequenceCollection:
    """Put two sets one after the other, without their labels."""
    longest = max(first.codes.shape[1], second.codes.shape[1])
    size = first.alphabet.size
    codes = [pad(each.codes, (0, longest - each.codes.shape[1]), value=size) for each in (first, second)]
    return SequenceCollection(
        codes=torch.cat(codes),
        lengths=np.concatenate([first.lengths, second.lengths]),
        alphabet=first.alphabet,
    )


def _encoded(sequences: Sequences, alphabet: Alphabet, kind: str) -> tuple[Tensor, IntArray]:
    if not isinstance(sequences, Tensor):
        codes = encode(list(sequences), alphabet=alphabet)
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    else:
        _check_codes(sequences, alphabet, kind)
        codes = sequences.cpu()
        lengths = np.full(len(codes), codes.shape[1], dtype=np.int64)
    nothing = np.flatnonzero(~(codes < alphabet.size).any(dim=1).numpy())
    if len(nothing):
        raise InputError(
            f"{kind} sequence {nothing[0]} (from 0) has no letter of {alphabet.letters}: leave it out"
        )
    return codes, lengths


def _check_codes(codes: Tensor, alphabet: Alphabet, kind: str) -> None:
    if codes.dtype != torch.uint8 or codes.dim() != 2:
        raise InputError(
            f"{kind} sequences are {codes.dtype} {tuple(codes.shape)}: give uint8 codes (n, length) as "
            "encode() makes them, or a list of texts"
        )
    wrong = (codes >= len(alphabet.symbols)).nonzero()
    if len(wrong):
        row, position = wrong[0].tolist()
        raise InputError(
            f"{kind} sequence {row} has code {int(codes[row, position])} at position {position} (both from "
            f"0), which is no letter of {alphabet.name}: codes are 0 to {len(alphabet.symbols) - 1}"
        )


def _bytes(codes: np.ndarray, lengths: IntArray) -> list[bytes]:
    return [row[:length].tobytes() for row, length in zip(codes, lengths, strict=True)]

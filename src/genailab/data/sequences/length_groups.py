"""Sequences of different lengths, in groups of similar length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from genailab.errors import InputError

__all__ = ["LengthGroups"]

IGNORED = -100  # the label of a position that doesn't count


class LengthGroups:
    """Labelled sequences for `training.fit`; a "row" of this dataset is a group of them, padded together.

    Groups hold about equally many positions, so train with ``batch_size=1`` (one group a step): every
    position then weighs the same. Groups are made once, from neighbours in length; the noise keeps a group
    from being all of one length.

    Parameters
    ----------
    codes
        One uint8 tensor ``(length,)`` a sequence.
    labels
        One long tensor ``(length,)`` a sequence, -100 where the label isn't known.
    positions
        Positions in a group, counting its padding.
    generator
        Source of the noise; without one, sequences are grouped strictly by length.

    Examples
    --------
    >>> texts = [torch.zeros(n, dtype=torch.uint8) for n in (3, 9, 4, 10)]
    >>> groups = LengthGroups(codes=texts, labels=[text.long() for text in texts], positions=20)
    >>> [groups.__getitems__([i])["length"].tolist() for i in range(len(groups))]
    [[4, 3], [10, 9]]
    """

    def __init__(
        self,
        *,
        codes: Sequence[Tensor],
        labels: Sequence[Tensor],
        positions: int = 8192,
        generator: np.random.Generator | None = None,
    ) -> None:
        lengths = np.array([len(row) for row in codes])
        if len(codes) != len(labels) or any(len(a) != len(b) for a, b in zip(codes, labels, strict=False)):
            raise InputError("codes and labels differ in number or in length: give a label for each position")
        if len(codes) == 0 or lengths.min() < 1:
            raise InputError("there are no sequences, or one is empty: leave empty sequences out")
        self.codes, self.labels = list(codes), list(labels)
        noise = generator.uniform(0.9, 1.1, len(lengths)) if generator is not None else 1.0
        self.groups = _groups(np.argsort(lengths * noise, kind="stable"), lengths, positions)

    def __len__(self) -> int:
        return len(self.groups)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        rows = [row for index in indices for row in self.groups[index]]
        rows.sort(key=lambda row: -len(self.codes[row]))
        return {
            "codes": pad_sequence([self.codes[row] for row in rows], batch_first=True),  # (rows, longest)
            "label": pad_sequence(
                [self.labels[row] for row in rows], batch_first=True, padding_value=IGNORED
            ),
            "length": torch.tensor([len(self.codes[row]) for row in rows]),
        }


def _groups(order: np.ndarray, lengths: np.ndarray, positions: int) -> list[list[int]]:
    groups: list[list[int]] = [[]]
    longest = 0
    for row in order.tolist():
        longest = max(longest, int(lengths[row]))
        if groups[-1] and longest * (len(groups[-1]) + 1) > positions:
            groups.append([])
            longest = int(lengths[row])
        groups[-1].append(row)
    return groups

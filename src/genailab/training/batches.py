"""Which rows make up which batch: fixed by the seed and the epoch alone, so that a run can go on anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

__all__ = ["BatchedDataset", "EpochBatches", "make_loader"]


class BatchedDataset(Protocol):
    """Rows that are fetched many at a time, as a mapping of tensors whose first axis is the row."""

    def __len__(self) -> int: ...

    def __getitems__(self, indices: Sequence[int]) -> Mapping[str, Tensor]: ...


class EpochBatches(Sampler[list[int]]):
    """A new order of the rows every epoch, cut into batches of nearly equal size.

    Equal sizes, because a last batch of one row breaks batch normalisation. ``epoch`` and ``start`` (batches
    to skip) are set by the training loop: a resumed run sees exactly the batches that the unbroken one would
    have seen.
    """

    def __init__(
        self, n_rows: int, batch_size: int, *, seed: int, shuffle: bool = True, multiple_of: int = 1
    ) -> None:
        self.n_rows, self.seed, self.shuffle = n_rows, seed, shuffle
        self.n_batches = max(1, math.ceil(n_rows / (batch_size * multiple_of))) * multiple_of
        self.epoch = 0
        self.start = 0

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[list[int]]:
        order = np.arange(self.n_rows)
        if self.shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(self.n_rows)
        for rows in np.array_split(order, self.n_batches)[self.start :]:
            yield rows.tolist()


def make_loader(dataset: BatchedDataset, batches: EpochBatches, *, workers: int = 0) -> DataLoader:
    """Return a loader that fetches each batch in one call and draws nothing from the global random state."""
    return DataLoader(
        dataset,  # type: ignore[arg-type]  # torch's Dataset is the same protocol by another name
        batch_sampler=batches,
        collate_fn=_as_it_is,  # type: ignore[arg-type]  # __getitems__ gives a whole batch, not a list
        num_workers=workers,
        generator=torch.Generator().manual_seed(batches.seed),
        persistent_workers=workers > 0,
    )


def _as_it_is(batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return batch

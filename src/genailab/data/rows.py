"""Tensors of equal length side by side, fetched many rows at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["TensorRows"]


class TensorRows:
    """Named tensors that share their first axis: what `training.fit` takes, kept compact in memory.

    Sequences stay uint8 codes ``(rows, length)``; the model makes them one-hot on its device.

    Examples
    --------
    >>> rows = TensorRows(codes=torch.zeros(5, 9, dtype=torch.uint8), label=torch.arange(5))
    >>> len(rows), rows.__getitems__([4, 0])["label"].tolist()
    (5, [4, 0])
    """

    def __init__(self, **columns: Tensor | np.ndarray) -> None:
        self.columns = {name: torch.as_tensor(column) for name, column in columns.items()}
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) != 1:
            raise InputError(f"columns have different numbers of rows: {lengths}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: column[index] for name, column in self.columns.items()}

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        rows = torch.as_tensor(indices)
        return {name: column[rows] for name, column in self.columns.items()}

    def subset(self, rows: Sequence[int] | np.ndarray | Tensor) -> TensorRows:
        """Keep these rows, in this order."""
        return TensorRows(**self.__getitems__(rows))  # type: ignore[arg-type]

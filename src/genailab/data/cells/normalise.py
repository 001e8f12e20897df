"""Normalisation of counts for looking at and comparing cells; models are given the counts themselves."""

from __future__ import annotations

from typing import overload

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

__all__ = ["log_normalise"]


@overload
def log_normalise(
    counts: Tensor, *, target: float = ..., library_size: Tensor | np.ndarray | None = ...
) -> Tensor: ...
@overload
def log_normalise(
    counts: sp.csr_matrix, *, target: float = ..., library_size: Tensor | np.ndarray | None = ...
) -> sp.csr_matrix: ...
def log_normalise(
    counts: Tensor | sp.csr_matrix,
    *,
    target: float = 1e4,
    library_size: Tensor | np.ndarray | None = None,
) -> Tensor | sp.csr_matrix:
    """Scale every cell to the same total, then take ``log1p``.

    ``log(1 + count / library_size * target)``; the same as scanpy's ``normalize_total`` and ``log1p``. A cell
    without any count stays 0.

    Parameters
    ----------
    counts
        ``(cells, genes)``, dense on any device or sparse rows. Left as it is.
    target
        Counts per cell after scaling.
    library_size
        Total counts of each cell, ``(cells,)``; by default the sum over the genes given.

    Returns
    -------
    The same kind and shape as ``counts``, in natural-log units.

    Examples
    --------
    >>> log_normalise(torch.tensor([[1.0, 3.0], [0.0, 0.0]]), target=4)
    tensor([[0.6931, 1.3863],
            [0.0000, 0.0000]])
    """
    if isinstance(counts, Tensor):
        total = counts.sum(dim=1) if library_size is None else torch.as_tensor(library_size).to(counts)
        return torch.log1p(counts * _factor(total, target)[:, None])  # (cells, genes)
    sizes = counts @ np.ones(counts.shape[1]) if library_size is None else library_size
    factor = _factor(torch.as_tensor(np.asarray(sizes)).double().ravel(), target).numpy()
    scaled = counts.data * np.repeat(factor, np.diff(counts.indptr))
    logged = np.log1p(scaled).astype(np.float32)
    return sp.csr_matrix((logged, counts.indices.copy(), counts.indptr.copy()), shape=counts.shape)


def _factor(total: Tensor, target: float) -> Tensor:
    return torch.where(total > 0, target / total, 0.0)

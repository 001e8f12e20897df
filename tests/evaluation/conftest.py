"""Cells made of known counts, for laws of the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genailab.data.cells.dataset import CellDataset


def dataset(counts: np.ndarray, types: Sequence[str] | None = None) -> CellDataset:
    return CellDataset(
        counts=sp.csr_matrix(np.asarray(counts, dtype=np.float32)),
        genes=tuple(f"gene{column}" for column in range(counts.shape[1])),
        cells=tuple(f"cell{row}" for row in range(counts.shape[0])),
        covariates={} if types is None else {"type": pd.Categorical(list(types))},
        label_key=None if types is None else "type",
    )


def three_types(n: int, *, seed: int, n_genes: int = 40, programme: float = 0.0) -> CellDataset:
    """Poisson cells of types A, B and C (half, a third, a sixth); ``programme`` moves ten genes together."""
    generator = np.random.default_rng(seed)
    types = np.repeat(["A", "B", "C"], [n // 2, n // 3, n - n // 2 - n // 3])
    level = np.random.default_rng(99).gamma(2.0, 2.0, size=(3, n_genes))
    mean = level[(types == "B") + 2 * (types == "C")] * generator.gamma(20.0, 1 / 20, size=(n, 1))
    shared = np.exp(programme * generator.standard_normal((n, 1)) - programme**2 / 2)
    mean[:, :10] *= shared
    return dataset(generator.poisson(mean), types)


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., CellDataset]:
    return dataset


@pytest.fixture(scope="session")
def make_cells() -> Callable[..., CellDataset]:
    return three_types

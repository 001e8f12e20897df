"""Cells as a model sees them: raw counts, gene names and labels, kept compact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from torch import Tensor

from genailab.data.cells.counts import find_counts
from genailab.errors import InputError, nearest

__all__ = ["CellDataset"]

KEPT_EXPANDED = 2**28  # bytes: picking rows of a smaller matrix takes a fifth of the time that expanding does
_IN_EVERY_BATCH = ("counts", "library_size")
_WRITTEN_GAPS = ("", "nan", "NaN", "<NA>")  # what files and str() make of a missing value


@dataclass(frozen=True, kw_only=True, eq=False)
class CellDataset:
    """Raw counts of single cells with the names and labels that give them meaning.

    A map-style torch dataset that is asked for whole batches: pass ``collate_fn`` a function that returns its
    argument. The counts stay sparse; a batch is expanded when it is asked for (small data once and for all).

    Parameters
    ----------
    counts
        ``(cells, genes)`` float32 sparse rows of whole, non-negative numbers.
    genes, cells
        Unique names, in the order of the columns and rows of ``counts``.
    covariates
        Categorical annotations of the cells by name: the label, and batch or donor where there is one.
    label_key
        Which of the covariates is the label (the cell type, as a rule).
    source
        Where in the AnnData the counts were found: ``"X"``, ``"layers['counts']"`` or ``"raw.X"``.

    Raises
    ------
    InputError
        If the parts don't fit each other, or a name occurs twice.

    Examples
    --------
    >>> from genailab.data import load_pbmc
    >>> cells = load_pbmc()
    >>> batch = cells.__getitems__([0, 5, 9])
    >>> batch["counts"].shape, batch["library_size"].tolist(), batch["bulk_labels"].tolist()
    (torch.Size([3, 765]), [628.0, 876.0, 730.0], [0, 1, 0])
    """

    counts: sp.csr_matrix
    genes: tuple[str, ...]
    cells: tuple[str, ...]
    covariates: Mapping[str, pd.Categorical] = field(default_factory=dict)
    label_key: str | None = None
    source: str = "X"

    def __post_init__(self) -> None:
        if self.counts.shape != (len(self.cells), len(self.genes)):
            raise InputError(
                f"counts are {self.counts.shape[0]} x {self.counts.shape[1]}, but there are "
                f"{len(self.cells)} cell names and {len(self.genes)} gene names: give "
                "one name to each row and column"
            )
        _check_unique(self.genes, kind="gene", remedy="adata.var_names_make_unique()")
        _check_unique(self.cells, kind="cell", remedy="adata.obs_names_make_unique()")
        for key, values in self.covariates.items():
            self._check_covariate(key, values)
        if self.label_key is not None and self.label_key not in self.covariates:
            raise InputError(
                f"label_key {self.label_key!r} is not among the covariates: "
                f"{nearest(self.label_key, self.covariates)}"
            )

    def _check_covariate(self, key: str, values: pd.Categorical) -> None:
        if key in _IN_EVERY_BATCH:
            raise InputError(f"covariate {key!r} has the name of a batch's own entry: rename the column")
        if len(values) != self.n_cells:
            raise InputError(
                f"covariate {key!r} has {len(values)} values for {self.n_cells} cells: give one to each"
            )

    @classmethod
    def from_anndata(
        cls,
        adata: ad.AnnData,
        *,
        label_key: str | None = None,
        layer: str | None = None,
        covariates: Sequence[str] = (),
    ) -> CellDataset:
        """Take the raw counts of ``adata`` from ``X``, a layer or ``raw``, wherever they are.

        Parameters
        ----------
        adata
            Annotated cells; left as it is.
        label_key, covariates
            Columns of ``adata.obs`` to keep. Cells without a value are refused, not dropped.
        layer
            The layer to take; by default the first of ``X``, the layers and ``raw`` that holds raw counts.

        Raises
        ------
        InputError
            If no raw counts are found, a name occurs twice, or a column is absent or has gaps.
        """
        # Columns first: a mistyped key should not wait for every count to be read.
        keys = dict.fromkeys([*([label_key] if label_key else []), *covariates])
        kept = {key: _categorical(adata.obs, key) for key in keys}
        counts, genes, source = find_counts(adata, layer=layer)
        return cls(
            counts=counts,
            genes=tuple(map(str, genes)),
            cells=tuple(map(str, adata.obs_names)),
            covariates=kept,
            label_key=label_key,
            source=source,
        )

    def __len__(self) -> int:
        return len(self.cells)

    def __getitems__(self, indices: Sequence[int] | np.ndarray | Tensor) -> dict[str, Tensor]:
        """Return the cells at these positions as one batch.

        Returns
        -------
        dict
            ``counts`` float32 ``(batch, genes)``, ``library_size`` float32 ``(batch,)`` in counts, and for
            each covariate the int64 codes of its categories ``(batch,)`` under its own name.
        """
        rows = np.asarray(indices, dtype=np.intp)
        library_size = torch.from_numpy(self._library_sizes[rows].astype(np.float32))
        batch = {"counts": self._expanded(rows), "library_size": library_size}
        for key, values in self.covariates.items():
            batch[key] = torch.from_numpy(values.codes[rows].astype(np.int64))  # (batch,)
        return batch

    def _expanded(self, rows: np.ndarray) -> Tensor:
        if 4 * self.n_cells * self.n_genes > KEPT_EXPANDED:
            return torch.from_numpy(self.counts[rows].toarray())
        return self._all_expanded.index_select(0, torch.from_numpy(rows))

    @cached_property
    def _all_expanded(self) -> Tensor:
        return torch.from_numpy(self.counts.toarray())

    @cached_property
    def _library_sizes(self) -> np.ndarray:
        # scipy's own sum adds in float32, which is inexact beyond 2^24.
        return self.counts @ np.ones(self.n_genes)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.cells)

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return len(self.genes)

    @property
    def labels(self) -> pd.Categorical:
        """The label of each cell, ``(cells,)``; InputError if the cells are not labelled."""
        if self.label_key is None:
            raise InputError("these cells carry no labels: pass label_key= when the dataset is made")
        return self.covariates[self.label_key]

    @property
    def categories(self) -> dict[str, tuple[str, ...]]:
        """The category names of every covariate, in the order of their codes."""
        return {key: tuple(values.categories) for key, values in self.covariates.items()}

    @property
    def library_sizes(self) -> np.ndarray:
        """Counts of each cell over the genes kept here, float64 ``(cells,)``."""
        return self._library_sizes.copy()

    def gene_shares(self) -> Tensor:
        """Return each gene's mean share of a cell's counts, over cells with any; float32 ``(genes,)``."""
        sizes = self.library_sizes
        weights = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0) / max(1, (sizes > 0).sum())
        return torch.from_numpy((self.counts.T @ weights).astype(np.float32))

    def subset(self, cells: Sequence[int] | np.ndarray) -> CellDataset:
        """Return the cells at these positions (or under this mask), in the order given.

        Every category stays, even where no cell has it any more: its code means the same in each subset.
        """
        chosen = np.asarray(cells)
        if chosen.dtype == bool and len(chosen) != self.n_cells:
            raise InputError(f"the mask has {len(chosen)} entries for {self.n_cells} cells: give one to each")
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.intp)
        return replace(
            self,
            counts=self.counts[rows],
            cells=tuple(self.cells[row] for row in rows),
            covariates={key: values[rows] for key, values in self.covariates.items()},
        )

    def select_genes(self, names: Iterable[str]) -> CellDataset:
        """Return the same cells with these genes only, in the order given.

        Raises
        ------
        InputError
            If a gene is not there (with the nearest names) or is asked for twice.
        """
        column_of = {name: column for column, name in enumerate(self.genes)}
        genes = tuple(names)
        for name in genes:
            if name not in column_of:
                raise InputError(
                    f"gene {name!r} is not among the {self.n_genes} genes: {nearest(name, self.genes)}"
                )
        return replace(self, counts=self.counts[:, [column_of[name] for name in genes]], genes=genes)

    def to_anndata(self) -> ad.AnnData:
        """Return an AnnData with int32 counts in ``X`` and the covariates in ``obs``."""
        obs = pd.DataFrame(dict(self.covariates), index=pd.Index(self.cells))
        var = pd.DataFrame(index=pd.Index(self.genes))
        return ad.AnnData(sp.csr_matrix(self.counts, dtype=np.int32), obs=obs, var=var)


def _check_unique(names: Sequence[str], *, kind: str, remedy: str) -> None:
    if len(set(names)) == len(names):
        return
    twice, times = Counter(names).most_common(1)[0]
    first = names.index(twice)
    second = names.index(twice, first + 1)
    raise InputError(
        f"{kind} name {twice!r} occurs {times} times (first at positions {first} and {second}): make the "
        f"names unique, for example with {remedy}"
    )


def _categorical(obs: pd.DataFrame, key: str) -> pd.Categorical:
    if len(obs.columns) == 0:
        raise InputError(
            f"there is no column {key!r} in adata.obs, nor any other: give a table of the cells' labels with "
            "--labels TABLE, or genailab.data.join_labels in Python"
        )
    if key not in obs:
        raise InputError(f"there is no column {key!r} in adata.obs: {nearest(key, obs.columns)}")
    written = obs[key].astype(str)
    missing = np.flatnonzero(obs[key].isna() | written.isin(_WRITTEN_GAPS))
    if len(missing):
        raise InputError(
            f"{len(missing)} of {len(obs)} cells have no value in adata.obs[{key!r}] (first: "
            f"cell {str(obs.index[missing[0]])!r}): fill them in, for example with 'unknown', or remove "
            "those cells"
        )
    # Sorted strings, whatever the column's type was: the order of the codes must not depend on the file.
    return pd.Categorical(written.to_numpy(dtype=object))

"""700 real blood cells that every installation carries: the project's offline example.

Peripheral blood mononuclear cells of one healthy donor, labelled by comparison with sorted cells (Zheng et
al. 2017, "Massively parallel digital transcriptional profiling of single cells"), thinned out and
log-normalised as scanpy's ``pbmc68k_reduced``.
"""

from __future__ import annotations

import warnings

import anndata as ad
import numpy as np
import scipy.sparse as sp

from genailab.data.cells.dataset import CellDataset
from genailab.errors import InputError

__all__ = ["load_pbmc", "load_pbmc_anndata"]

_PER_CELL = 1e4  # what scanpy scaled each cell to before log1p
_LARGEST_RESIDUE = 0.1  # seen: 0.082; anything above means that the file is not the one known


def load_pbmc() -> CellDataset:
    """Load 700 PBMC x 765 genes with raw counts and 10 cell types (``bulk_labels``); offline.

    The library sizes of the dataset are sums over these 765 genes. The types are uneven: 240 dendritic cells
    (enriched by the authors of the subset), 8 naive CD4 T cells.

    Returns
    -------
    CellDataset
        With ``label_key="bulk_labels"``.

    Raises
    ------
    InputError
        If the installed scanpy carries another version of the data.

    Examples
    --------
    >>> cells = load_pbmc()
    >>> cells.n_cells, cells.n_genes, len(cells.labels.categories)
    (700, 765, 10)
    """
    return CellDataset.from_anndata(load_pbmc_anndata(), label_key="bulk_labels")


def load_pbmc_anndata() -> ad.AnnData:
    """Load the same cells as an AnnData: recovered counts in ``X``, scanpy's annotations in ``obs``.

    ``obs["n_counts"]`` is the library size over the whole transcriptome, with which the counts are
    recovered: ``count = expm1(value) * n_counts / 1e4``. The values had been rounded by at most 0.0005, while
    neighbouring counts lie at least 0.0039 apart in log space, so only one whole number fits each value.
    """
    import scanpy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the age of the file's format
        reduced = scanpy.datasets.pbmc68k_reduced()
    logged = sp.csr_matrix(reduced.raw.X, dtype=np.float64)
    counts = _undo_log_normalisation(logged, reduced.obs["n_counts"].to_numpy(dtype=np.float64))
    return ad.AnnData(counts, obs=reduced.obs.copy(), var=reduced.raw.var.copy())


def _undo_log_normalisation(logged: sp.csr_matrix, library_sizes: np.ndarray) -> sp.csr_matrix:
    counts = (sp.diags_array(library_sizes / _PER_CELL) @ logged.expm1()).tocsr()
    whole = np.rint(counts.data)
    residue = np.abs(counts.data - whole).max()
    if residue > _LARGEST_RESIDUE:
        raise InputError(
            f"the counts of scanpy's pbmc68k_reduced cannot be recovered: one lies {residue:.3f} from a "
            f"whole number (limit {_LARGEST_RESIDUE}), so install scanpy 1.11 or 1.12"
        )
    return sp.csr_matrix((whole.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)

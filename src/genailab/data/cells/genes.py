"""Choosing the genes that tell cells apart, on training cells only."""

from __future__ import annotations

import warnings

import anndata as ad
import numpy as np
import pandas as pd

from genailab.data.cells.dataset import CellDataset
from genailab.errors import InputError

__all__ = ["highly_variable_genes"]


def highly_variable_genes(train: CellDataset, n_genes: int) -> list[str]:
    """Choose the genes whose counts vary most beyond what sampling them explains.

    Ranked by the variance of their Pearson residuals under a negative binomial with one rate a gene, scaled
    by the cell's library: ``(x - mu) / sqrt(mu + mu^2 / 100)``, through scanpy (Lause, Berens & Kobak 2021,
    "Analytic Pearson residuals for normalization of single-cell RNA-seq UMI data"). Preferred to binned
    dispersions (``flavor="seurat"``): it works on the counts themselves, and bins go wrong on panels of some
    hundred genes, where the strongest markers end up alone in a bin with nothing to stand out from.

    Parameters
    ----------
    train
        The training cells and no others: genes chosen with the help of test cells flatter every score.
        Left as it is.
    n_genes
        How many genes to choose, from 1 to the number with a count in ``train``.

    Returns
    -------
    Names in the order of ``train.genes``, ready for ``select_genes``. Equal variances are settled by the
    name, so the order of cells and genes has no say.

    Raises
    ------
    InputError
        If ``n_genes`` is less than 1 or more than there are genes with a count.

    Examples
    --------
    >>> from genailab.data import load_pbmc
    >>> cells = load_pbmc()
    >>> chosen = highly_variable_genes(cells, 100)
    >>> len(chosen), "GNLY" in chosen, "RPL3" in chosen
    (100, True, False)
    """
    expressed = _expressed(train)
    if not 1 <= n_genes <= len(expressed):
        raise InputError(
            f"{n_genes} genes were asked for, but {len(expressed)} of {train.n_genes} genes have a count in "
            f"the {train.n_cells} training cells: ask for 1 to {len(expressed)}"
        )
    if n_genes == len(expressed):
        return expressed
    chosen = set(_most_variable_first(train.select_genes(expressed))[:n_genes])
    return [name for name in expressed if name in chosen]


def _expressed(train: CellDataset) -> list[str]:
    total = np.asarray(train.counts.sum(axis=0)).ravel()  # (genes,)
    silent = [name for name, count in zip(train.genes, total, strict=True) if count == 0]
    if silent:
        warnings.warn(
            f"{len(silent)} of {train.n_genes} genes have no count in the {train.n_cells} training cells and "
            f"are left out (first: {silent[0]!r})",
            stacklevel=3,
        )
    return [name for name, count in zip(train.genes, total, strict=True) if count > 0]


def _most_variable_first(train: CellDataset) -> list[str]:
    import scanpy

    adata = ad.AnnData(train.counts, var=pd.DataFrame(index=pd.Index(train.genes)))
    table = scanpy.experimental.pp.highly_variable_genes(
        adata, flavor="pearson_residuals", n_top_genes=1, check_values=False, inplace=False
    )
    # Ranked here, because scanpy leaves the order of equal variances to the order of the columns.
    ranked = pd.DataFrame({"variance": table["residual_variances"].to_numpy(), "gene": train.genes})
    return ranked.sort_values(["variance", "gene"], ascending=[False, True])["gene"].tolist()

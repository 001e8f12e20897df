"""A sample of whole transcriptomes that the celltypist package carries; loaded where it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import anndata as ad
import pandas as pd
import scipy.sparse as sp

from genailab.errors import InputError

__all__ = ["load_celltypist_sample"]

SAMPLE = Path("data") / "samples" / "sample_cell_by_gene.csv"


def load_celltypist_sample() -> ad.AnnData:
    """Load 559 cells x 32,786 genes with raw counts and no labels (Dominguez Conde et al. 2022).

    The file is read from the installed package, which is not imported.

    Raises
    ------
    InputError
        If celltypist is not installed, or carries the sample no more.
    """
    found = importlib.util.find_spec("celltypist")
    if found is None or not found.submodule_search_locations:
        raise InputError("the sample comes with celltypist, which isn't installed: pip install celltypist")
    path = Path(next(iter(found.submodule_search_locations))) / SAMPLE
    if not path.is_file():
        raise InputError(f"the installed celltypist has no {SAMPLE}: pip install celltypist==1.7.1")
    counts = pd.read_csv(path, index_col=0)
    return ad.AnnData(
        sp.csr_matrix(counts.to_numpy("float32")),
        obs=pd.DataFrame(index=counts.index.astype(str).rename(None)),
        var=pd.DataFrame(index=counts.columns.astype(str)),
    )

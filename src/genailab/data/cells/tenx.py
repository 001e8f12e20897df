"""What Cell Ranger writes: an HDF5 file, or a folder with a matrix, barcodes and genes."""

from __future__ import annotations

import warnings
from pathlib import Path

import anndata as ad
import pandas as pd
import scipy.sparse as sp

from genailab.data.cells.files import check_readable, check_text
from genailab.errors import InputError

__all__ = ["matrix_of_10x_folder", "read_10x_h5", "read_mtx"]

_GENES = "Gene Expression"


def read_10x_h5(path: Path) -> ad.AnnData:
    """Read the HDF5 file of Cell Ranger 2 or later; genes only, with unique names."""
    import h5py
    import scanpy

    with h5py.File(path, "r") as file:
        if "obs" in file and "var" in file:
            raise InputError(
                f"{path} is an AnnData file, not a 10x one: rename it to {path.stem + '.h5ad'!r}"
            )
        if not any(isinstance(group, h5py.Group) and "barcodes" in group for group in file.values()):
            raise InputError(
                f"{path} is HDF5 but not a 10x file: none of its {len(file)} groups holds barcodes, so give "
                "the .h5 that Cell Ranger wrote"
            )
    return _tidy(scanpy.read_10x_h5(path, gex_only=False), path)


def matrix_of_10x_folder(path: Path) -> Path:
    """Find the one ``*matrix.mtx[.gz]`` of a folder that has its barcodes and genes beside it."""
    try:
        files = sorted(path.iterdir())
    except OSError as error:
        raise InputError(
            f"the folder {path} cannot be opened ({error.strerror}): check its permissions"
        ) from error
    found = [file for file in files if file.name.endswith(("matrix.mtx", "matrix.mtx.gz"))]
    if len(found) != 1:
        listed = ", ".join(repr(file.name) for file in found[:4])
        what = f"{len(found)} matrices ({listed})" if found else "no matrix.mtx or matrix.mtx.gz"
        raise InputError(f"the folder {path} holds {what}: give a file, or a 10x folder with one matrix")
    barcodes, genes = _names_beside(found[0])
    if barcodes is None or genes is None:
        absent = "barcodes.tsv" if barcodes is None else "genes.tsv or features.tsv"
        raise InputError(f"the folder {path} has no {absent} beside {found[0].name!r}: add it")
    return found[0]


def read_mtx(path: Path) -> ad.AnnData:
    """Read a matrix: as 10x where barcodes and genes lie beside it, else as cells x genes without names."""
    import scanpy

    barcodes, genes = _names_beside(path)
    if barcodes is None or genes is None:
        return scanpy.read_mtx(path)
    return _read_10x(path, barcodes, genes)


def _names_beside(matrix: Path) -> tuple[Path | None, Path | None]:
    prefix = matrix.name.partition("matrix.mtx")[0] if "matrix.mtx" in matrix.name else ""

    def beside(*kinds: str) -> Path | None:
        names = (f"{prefix}{kind}.tsv{ending}" for kind in kinds for ending in ("", ".gz"))
        return next((matrix.parent / name for name in names if (matrix.parent / name).is_file()), None)

    return beside("barcodes"), beside("features", "genes")


def _read_10x(matrix: Path, barcodes_file: Path, genes_file: Path) -> ad.AnnData:
    import scanpy

    adata = scanpy.read_mtx(matrix).T  # the file has genes in rows
    barcodes, genes = _names(barcodes_file), _names(genes_file)
    for names, file, expected, what in (
        (barcodes, barcodes_file, adata.n_obs, "columns"),
        (genes, genes_file, adata.n_vars, "rows"),
    ):
        if len(names) != expected:
            raise InputError(
                f"{file} has {len(names)} lines, but the matrix {matrix.name!r} has {expected} {what}: "
                "give the files of one run"
            )
    var = pd.DataFrame({"gene_ids": genes[0].to_numpy()}, index=pd.Index(genes[min(1, genes.shape[1] - 1)]))
    if genes.shape[1] > 2:
        var["feature_types"] = genes[2].to_numpy()
    var.index.name = None
    obs = pd.DataFrame(index=pd.Index(barcodes[0].to_numpy()))
    return _tidy(ad.AnnData(sp.csr_matrix(adata.X), obs=obs, var=var), matrix)


def _names(path: Path) -> pd.DataFrame:
    check_readable(path)
    try:
        check_text(path)
        # A gene may be called NA, and quotes mean nothing here.
        return pd.read_csv(path, sep="\t", header=None, dtype=str, na_filter=False, quoting=3)
    except EOFError as error:
        raise InputError(f"{path} is truncated, it ends too early: copy or download it again") from error


def _tidy(adata: ad.AnnData, path: Path) -> ad.AnnData:
    """Keep gene expression and make gene names unique, saying how many that concerns."""
    if "feature_types" in adata.var:
        others = adata.var["feature_types"] != _GENES
        if others.any():
            kinds = ", ".join(sorted(set(adata.var.loc[others, "feature_types"].astype(str))))
            warnings.warn(
                f"{others.sum()} features of {path} are not genes ({kinds}): left out", stacklevel=2
            )
            adata = adata[:, ~others.to_numpy()].copy()
    again = adata.var_names.duplicated()
    if again.any():
        warnings.warn(
            f"{again.sum()} genes of {path} have a name that another gene has (first: "
            f"{adata.var_names[again][0]!r}): made unique with -1, -2, ...; var['gene_ids'] tells them apart",
            stacklevel=2,
        )
        adata.var_names_make_unique()
    return adata

"""Files of single cells, read into an AnnData; each failure is one sentence that says what to do."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import anndata as ad

from genailab.data.cells.files import check_hdf5, check_readable, check_text
from genailab.data.cells.tables import read_table
from genailab.data.cells.tenx import matrix_of_10x_folder, read_10x_h5, read_mtx
from genailab.errors import InputError

__all__ = ["read_cells"]


def read_cells(path: str | Path) -> ad.AnnData:
    """Read single cells from a file, or from a folder that Cell Ranger wrote.

    ==============================  ==========================================================================
    ``.h5ad``                       AnnData
    ``.h5``                         10x Genomics, Cell Ranger 2 or later
    folder, ``.mtx``, ``.mtx.gz``   10x Genomics: the matrix with barcodes and genes (or features) beside it;
                                    a matrix alone is read as cells x genes, with numbers for names
    ``.loom``                       loom; needs the extra ``loom``
    ``.csv``, ``.tsv`` (``.gz``)    cells in lines, genes in columns, names in the first line and column
    ==============================  ==========================================================================

    In 10x files the genes are named by symbol. Symbols that occur more than once are made unique as scanpy
    does (``-1``, ``-2``), and features other than gene expression are left out; both with a warning that
    counts them.

    Parameters
    ----------
    path
        A file or folder; ``~`` is the home folder.

    Raises
    ------
    InputError
        If there is no such file, or it is empty, truncated, not what its name says, or of no known kind.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        path = matrix_of_10x_folder(path)
    check_readable(path)
    for ending, (kind, check, read) in _READERS.items():
        if path.name.lower().endswith(ending):
            return _attempt(path, kind, check, read)
    raise InputError(
        f"{path} has an ending that genailab doesn't know: give a 10x folder or a file that ends in "
        f"{', '.join(_READERS)}"
    )


def _attempt(
    path: Path, kind: str, check: Callable[[Path], None], read: Callable[[Path], ad.AnnData]
) -> ad.AnnData:
    with warnings.catch_warnings():
        # The readers' own remarks on formats and names; ours, which count what changed, come through.
        warnings.filterwarnings("ignore", module=r"(?!genailab)")
        try:
            check(path)
            return read(path)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # each library has its own ways to fail on a damaged file
            raise InputError(_unreadable(path, kind, error)) from error


def _unreadable(path: Path, kind: str, error: Exception) -> str:
    said = str(error).strip().splitlines() or [type(error).__name__]
    if "truncated" in said[0].lower() or isinstance(error, EOFError):
        return f"{path} is truncated, it ends too early: copy or download it again"
    if isinstance(error, UnicodeDecodeError):
        return f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8"
    shown = re.sub(r"\s+", " ", said[0])[:200].rstrip(".")
    return f"{path} could not be read as {kind} ({shown}): it may be damaged, so copy or download it again"


def _read_h5ad(path: Path) -> ad.AnnData:
    import h5py

    with h5py.File(path, "r") as file:
        absent = [name for name in ("obs", "var") if name not in file]
        if absent:
            raise InputError(
                f"{path} is HDF5 but not an AnnData file: it has no group {absent[0]!r} (but "
                f"{', '.join(map(repr, list(file)[:5])) or 'nothing'}), so give the .h5ad that scanpy wrote"
            )
    return ad.read_h5ad(path)


def _read_loom(path: Path) -> ad.AnnData:
    try:
        import loompy  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"{path} needs loompy to be read: install it with pip install 'genailab[loom]'"
        ) from error
    import h5py

    with h5py.File(path, "r") as file:
        for group in ("matrix", "col_attrs", "row_attrs"):
            if group not in file:
                raise InputError(f"{path} is HDF5 but not loom: it has no {group!r}, so give a .loom file")
        cells, genes = set(file["col_attrs"]), set(file["row_attrs"])
    return ad.io.read_loom(
        path,
        X_name="",  # the main matrix; anndata would take the spliced part where there is one
        obs_names=_first_of(("CellID", "obs_names", "cell_names", "barcode", "index"), cells),
        var_names=_first_of(("Gene", "var_names", "gene_names", "gene", "index"), genes),
    )


def _first_of(wanted: tuple[str, ...], there: set[str]) -> str:
    return next((name for name in wanted if name in there), wanted[0])


def _check_mtx(path: Path) -> None:
    check_text(path, starts_with="%%MatrixMarket")


def _read_csv(path: Path) -> ad.AnnData:
    return read_table(path, separator=",")


def _read_tsv(path: Path) -> ad.AnnData:
    return read_table(path, separator="\t")


_READERS: dict[str, tuple[str, Callable[[Path], None], Callable[[Path], ad.AnnData]]] = {
    ".h5ad": ("AnnData", check_hdf5, _read_h5ad),
    ".h5": ("a 10x HDF5 file", check_hdf5, read_10x_h5),
    ".loom": ("loom", check_hdf5, _read_loom),
    ".mtx": ("Matrix Market", _check_mtx, read_mtx),
    ".mtx.gz": ("Matrix Market", _check_mtx, read_mtx),
    ".csv": ("a table", check_text, _read_csv),
    ".csv.gz": ("a table", check_text, _read_csv),
    ".tsv": ("a table", check_text, _read_tsv),
    ".tsv.gz": ("a table", check_text, _read_tsv),
}

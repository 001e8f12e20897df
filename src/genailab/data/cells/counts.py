"""Raw counts: where an AnnData keeps them, and whether they are counts at all.

A count model fitted to log-normalised or scaled values trains without complaint and means nothing, so every
stored value is looked at before a model sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from genailab.errors import InputError, nearest

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["check_counts", "find_counts"]

_USUAL_LAYERS = ("counts", "raw_counts", "raw", "umi", "umis", "umi_counts")
_LARGEST_EXACT = 2**24  # float32 holds every whole number up to here, and not beyond
_LARGEST_LOG = 16.0  # log1p of 1e4 or 1e6 per cell stays below; a table of expression levels doesn't
_BLOCK = 2**20  # values looked at together: the check needs a few megabytes, whatever the file's size


def find_counts(adata: AnnData, *, layer: str | None = None) -> tuple[sp.csr_matrix, list[str], str]:
    """Find the raw counts of an AnnData: in ``X``, else in a layer, else in ``raw``.

    Parameters
    ----------
    adata
        Annotated cells; left as it is. A file opened in backed mode is read into memory.
    layer
        The layer to take, whatever else there is. By default the first place that holds raw counts: ``X``,
        then the layers (those with a usual name such as ``counts`` first), then ``raw.X``.

    Returns
    -------
    counts
        ``(cells, genes)`` float32, a copy without stored zeros or duplicate entries.
    genes
        The names of its columns: those of ``raw`` where the counts come from there.
    source
        Where they were: ``"X"``, ``"layers['counts']"`` or ``"raw.X"``.

    Raises
    ------
    InputError
        If there is no cell, no gene or no such layer, or if none of the places holds raw counts; the message
        says what was found in each instead.
    """
    if adata.n_obs == 0 or (adata.n_vars == 0 and adata.raw is None):
        raise InputError(
            f"adata holds {adata.n_obs} cells x {adata.n_vars} genes: there is nothing to learn from, so "
            "check the filter or the file it came from"
        )
    if layer is not None:
        return _from_layer(adata, layer)
    faults: dict[str, str] = {}
    for source, matrix, genes in _places(adata):
        counts = _canonical(matrix, f"adata.{source}")
        fault = _fault(counts, adata.obs_names, genes)
        if fault is None:
            return counts.astype(np.float32), list(genes), source
        faults[source] = fault
    raise InputError(_no_counts(faults))


def check_counts(matrix: Any, where: str, cells: Sequence[str], genes: Sequence[str]) -> None:
    """Raise unless every value is a raw count: whole, finite, not negative and at most 2^24.

    Parameters
    ----------
    matrix
        ``(cells, genes)``, dense or sparse in any layout; sparse ones are not expanded.
    where
        What the message calls the matrix, such as ``"adata.X"``.
    cells, genes
        The names of its rows and columns.

    Raises
    ------
    InputError
        With the share of wrong values and the first one, its cell and its gene.

    Examples
    --------
    >>> check_counts([[0, 3], [1, 0]], "adata.X", ["AAAC-1", "AAAG-1"], ["CD3D", "MS4A1"])
    >>> check_counts([[0, 1.386]], "adata.X", ["AAAC-1"], ["CD3D", "MS4A1"])
    Traceback (most recent call last):
    ...
    genailab.errors.InputError: expected raw counts in adata.X, but 100% of the non-zero values are not whole
    numbers (first: 1.386 at cell 'AAAC-1', gene 'MS4A1'), as after log-normalisation: pass layer= with the
    name of the layer that holds raw counts, or undo the normalisation
    """
    fault = _fault(_canonical(matrix, where), cells, genes)
    if fault is not None:
        raise InputError(f"expected raw counts in {where}, but {fault}: {_REMEDY}")


_REMEDY = "pass layer= with the name of the layer that holds raw counts, or undo the normalisation"


def _from_layer(adata: AnnData, layer: str) -> tuple[sp.csr_matrix, list[str], str]:
    if layer not in adata.layers:
        raise InputError(f"there is no layer {layer!r} in adata.layers: {nearest(layer, adata.layers)}")
    source = f"layers[{layer!r}]"
    counts = _canonical(adata.layers[layer], f"adata.{source}")
    fault = _fault(counts, adata.obs_names, adata.var_names)
    if fault is not None:
        raise InputError(f"expected raw counts in adata.{source}, but {fault}: {_REMEDY}")
    return counts.astype(np.float32), list(adata.var_names), source


def _places(adata: AnnData) -> Iterator[tuple[str, Any, Sequence[str]]]:
    if adata.X is not None:
        yield "X", adata.X, adata.var_names
    usual = [name for wanted in _USUAL_LAYERS for name in adata.layers if name.lower() == wanted]
    for name in dict.fromkeys([*usual, *adata.layers]):
        yield f"layers[{name!r}]", adata.layers[name], adata.var_names
    if adata.raw is not None:
        yield "raw.X", adata.raw.X, adata.raw.var_names


def _canonical(matrix: Any, where: str) -> sp.csr_matrix:
    """Copy into sparse rows in which each stored value is non-zero and stands for one cell and gene."""
    for to_memory in ("to_memory", "compute"):  # backed sparse, dask
        if hasattr(matrix, to_memory):
            matrix = getattr(matrix, to_memory)()
    if not sp.issparse(matrix):
        matrix = np.asarray(matrix)
    if matrix.dtype.kind not in "buif":
        raise InputError(
            f"{where} holds values of type {matrix.dtype}, not real numbers: convert them to counts first"
        )
    counts = sp.csr_matrix(matrix, dtype=np.uint8 if matrix.dtype.kind == "b" else None, copy=True)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts


def _fault(counts: sp.csr_matrix, cells: Sequence[str], genes: Sequence[str]) -> str | None:
    """Say in what way stored values are not counts; None where they are."""
    values = counts.data
    if len(values) == 0:
        return f"all {counts.shape[0]} x {counts.shape[1]} values are 0"
    low, high = values.min(), values.max()  # NaN where one of the values is
    if np.isnan(low):
        return _wrong_values(counts, np.isnan(values), "are NaN", cells, genes)
    if np.isinf(low) or np.isinf(high):
        return _wrong_values(counts, np.isinf(values), "are infinite", cells, genes)
    whole = _all_whole(values)
    if low < 0:
        hint = "" if whole else ", as after scaling to mean 0"
        return _wrong_values(counts, values < 0, "are negative", cells, genes) + hint
    if not whole:
        wrong = np.rint(values) != values
        return _wrong_values(counts, wrong, "are not whole numbers", cells, genes) + _normalisation(counts)
    if high > _LARGEST_EXACT:
        return _wrong_values(counts, values > _LARGEST_EXACT, "are above 2^24 = 16,777,216", cells, genes)
    return None


def _all_whole(values: np.ndarray) -> bool:
    if values.dtype.kind != "f":
        return True
    blocks = (values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK))
    return all(bool((np.rint(block) == block).all()) for block in blocks)


def _wrong_values(
    counts: sp.csr_matrix, wrong: np.ndarray, what: str, cells: Sequence[str], genes: Sequence[str]
) -> str:
    """Say how many stored values are wrong and where the first stands, cell by cell."""
    first = int(np.argmax(wrong))
    row = int(np.searchsorted(counts.indptr, first, side="right")) - 1
    return (
        f"{_share(wrong)} of the non-zero values {what} (first: {_shown(counts.data[first])} at cell "
        f"{str(cells[row])!r}, gene {str(genes[counts.indices[first]])!r})"
    )


def _share(wrong: np.ndarray) -> str:
    return f"{wrong.mean():.0%}" if wrong.mean() >= 0.01 else f"{wrong.sum():,}"


def _shown(value: np.generic) -> str:
    """Four digits, unless they hide what is wrong: 3.0000002 must not be shown as 3."""
    number = float(value)
    short = f"{number:.4g}"
    return short if number.is_integer() or not float(short).is_integer() else repr(number)


def _normalisation(counts: sp.csr_matrix) -> str:
    sums = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    sums = sums[sums > 0]
    if len(sums) > 1 and np.ptp(sums) < 1e-3 * sums.mean():
        return f", as after normalisation to {sums.mean():,.4g} per cell"
    return ", as after log-normalisation" if counts.data.max() < _LARGEST_LOG else ""


def _no_counts(faults: dict[str, str]) -> str:
    if not faults:
        return "adata has no X, no layers and no raw: read the file that holds the counts"
    if len(faults) == 1:
        source, fault = next(iter(faults.items()))
        return (
            f"expected raw counts in adata.{source}, but {fault}, and there are no others in layers or raw: "
            "store them in adata.layers['counts'], or undo the normalisation"
        )
    found = "; ".join(f"in {source} {fault}" for source, fault in list(faults.items())[:4])
    return f"no raw counts in adata: {found}: store them in adata.layers['counts'], or undo the normalisation"

"""Laws of finding and checking raw counts."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genailab.data import check_counts, find_counts
from genailab.errors import InputError

COUNTS = np.array([[0, 3, 1], [2, 0, 0], [0, 0, 7], [1, 1, 1]])
LOGGED = np.log1p(COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e4)
LAYOUTS = [np.asarray, sp.csr_matrix, sp.csc_matrix, sp.coo_matrix, sp.csr_array]


def annotated(x, *, layers=None, raw=None) -> ad.AnnData:
    names = {"obs": pd.DataFrame(index=list("abcd")), "var": pd.DataFrame(index=["CD3D", "MS4A1", "NKG7"])}
    adata = ad.AnnData(x, layers=layers, **names)
    if raw is not None:
        adata.raw = ad.AnnData(raw, **names)
    return adata


def check(matrix) -> None:
    check_counts(matrix, "adata.X", list("abcd"), ["CD3D", "MS4A1", "NKG7"])


@given(arrays(np.int64, (4, 3), elements=st.integers(0, 2**24)).filter(np.any), st.sampled_from(LAYOUTS))
@settings(max_examples=60, deadline=None)
def test_every_layout_and_type_gives_the_same_counts(dense, layout):
    for dtype in (np.float32, np.float64, np.int32, np.uint32):
        x = layout(dense.astype(dtype))
        if sp.issparse(x) and x.format == "coo":
            check(x)  # AnnData itself holds no COO
            continue
        counts, genes, source = find_counts(annotated(x))
        assert np.array_equal(counts.toarray(), dense)
        assert (counts.dtype, counts.format, counts.has_canonical_format) == (np.float32, "csr", True)
        assert genes == ["CD3D", "MS4A1", "NKG7"]
        assert source == "X"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_duplicate_entries_add_up_and_stored_zeros_vanish_without_touching_the_original(dtype):
    data, columns, starts = (
        np.array([1, 2, 0, 4], dtype=dtype),
        np.array([1, 1, 0, 2]),
        np.array([0, 3, 3, 3, 4]),
    )
    x = sp.csr_matrix((data, columns, starts), shape=(4, 3))
    counts, _, _ = find_counts(annotated(x))
    assert counts.nnz == 2
    assert counts[0, 1] == 3
    assert x.data.tolist() == [1, 2, 0, 4]
    counts.data[:] = 9
    assert x.data.tolist() == [1, 2, 0, 4]


@pytest.mark.parametrize(
    ("adata", "source"),
    [
        (annotated(COUNTS, layers={"counts": COUNTS}), "X"),
        (annotated(LOGGED, layers={"scaled": LOGGED - 1, "counts": COUNTS}), "layers['counts']"),
        (annotated(LOGGED, layers={"other": COUNTS, "UMI": COUNTS}), "layers['UMI']"),
        (annotated(LOGGED, layers={"spliced": COUNTS}, raw=COUNTS), "layers['spliced']"),
        (annotated(LOGGED - 1, layers={"logged": LOGGED}, raw=COUNTS), "raw.X"),
        (annotated(None, layers={"counts": COUNTS}), "layers['counts']"),
    ],
)
def test_says_where_the_counts_were(adata, source):
    counts, _, found = find_counts(adata)
    assert found == source
    assert np.array_equal(counts.toarray(), COUNTS)


def test_raw_brings_its_own_genes():
    adata = annotated(COUNTS)
    adata.raw = adata.copy()
    adata = adata[:, :2].copy()
    adata.X = LOGGED[:, :2]
    counts, genes, source = find_counts(adata)
    assert (counts.shape, genes, source) == ((4, 3), ["CD3D", "MS4A1", "NKG7"], "raw.X")


def test_a_named_layer_is_taken_or_refused_but_never_replaced():
    adata = annotated(COUNTS, layers={"spliced": 2 * COUNTS, "logged": LOGGED})
    counts, _, source = find_counts(adata, layer="spliced")
    assert (counts.sum(), source) == (2 * COUNTS.sum(), "layers['spliced']")
    with pytest.raises(
        InputError, match=r"expected raw counts in adata\.layers\['logged'\], but 100% .* log-norm"
    ):
        find_counts(adata, layer="logged")
    with pytest.raises(InputError, match=r"no layer 'splice' in adata\.layers: did you mean 'spliced'"):
        find_counts(adata, layer="splice")


def test_reads_a_file_opened_in_backed_mode(tmp_path):
    for name, x in {"sparse": sp.csr_matrix(COUNTS), "dense": COUNTS}.items():
        annotated(x).write_h5ad(tmp_path / f"{name}.h5ad")
        backed = ad.read_h5ad(tmp_path / f"{name}.h5ad", backed="r")
        assert np.array_equal(find_counts(backed)[0].toarray(), COUNTS)
        backed.file.close()


def wrong(value, *, row=2, column=1):
    matrix = COUNTS.astype(np.float64)
    matrix[row, column] = value
    return matrix


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (
            wrong(0.5),
            r"12% of the non-zero values are not whole numbers \(first: 0.5 at cell 'c', gene 'MS4A1'\)",
        ),
        (wrong(2.0000001), r"\(first: 2.0000001 at cell 'c'"),
        (
            wrong(-2),
            r"12% of the non-zero values are negative \(first: -2 at cell 'c', gene 'MS4A1'\): pass layer=",
        ),
        (wrong(np.nan), r"are NaN \(first: nan at cell 'c', gene 'MS4A1'\)"),
        (wrong(np.inf), r"are infinite \(first: inf at cell 'c', gene 'MS4A1'\)"),
        (wrong(-np.inf), r"are infinite \(first: -inf at cell 'c', gene 'MS4A1'\)"),
        (wrong(2**24 + 2), r"are above 2\^24 = 16,777,216 \(first: 1.678e\+07 at cell 'c', gene 'MS4A1'\)"),
        (
            LOGGED,
            r"100% .* \(first: 8.923 at cell 'a', gene 'MS4A1'\), as after log-normalisation: pass layer=",
        ),
        (
            LOGGED - LOGGED.mean(axis=0),
            r"\(first: -4.331 at cell 'a', gene 'CD3D'\), as after scaling to mean 0",
        ),
        (COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e4 / 3, "as after normalisation to 3,333 per cell"),
        (np.zeros((4, 3)), "all 4 x 3 values are 0"),
    ],
)
def test_says_what_is_not_a_count_and_where(matrix, message, layout):
    with pytest.raises(InputError, match=message) as raised:
        check(layout(matrix))
    assert str(raised.value).startswith("expected raw counts in adata.X, but ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("at", [0, 2**20 - 1, 2**20, 2**20 + 5])
def test_looks_at_every_value_of_a_large_matrix(at):
    # Beyond one block of the check, with the only wrong value anywhere.
    values = np.ones(2**20 + 6, dtype=np.float32)
    values[at] = 1.5
    names = [str(cell) for cell in range(len(values))]
    with pytest.raises(
        InputError, match=rf" 1 of the non-zero values .* \(first: 1.5 at cell '{at}', gene 'CD3D'"
    ):
        check_counts(sp.csr_matrix(values[:, None]), "adata.X", names, ["CD3D"])


def test_tells_what_each_place_holds_where_none_holds_counts():
    with pytest.raises(
        InputError, match=r"no raw counts in adata: in X .*negative.*; in raw\.X .*log-normal.*store"
    ):
        find_counts(annotated(LOGGED - 3, raw=LOGGED))
    with pytest.raises(
        InputError, match=r"in adata\.X, but .*, and there are no others in layers or raw: store"
    ):
        find_counts(annotated(LOGGED))
    with pytest.raises(InputError, match="has no X, no layers and no raw"):
        find_counts(annotated(None))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_refuses_no_cells_and_no_genes(shape):
    with pytest.raises(InputError, match=rf"holds {shape[0]} cells x {shape[1]} genes.*check the filter"):
        find_counts(ad.AnnData(np.zeros(shape)))


def test_refuses_what_is_not_a_real_number():
    with pytest.raises(InputError, match="values of type complex128, not real numbers: convert"):
        check(COUNTS.astype(complex))

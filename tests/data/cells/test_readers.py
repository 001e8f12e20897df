"""Reading files: every format gives the same cells, and every failure is one sentence with the remedy."""

import gzip
import os
import sys
import warnings
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

from genailab.data import CellDataset, read_cells, split_cells
from genailab.errors import InputError

N_CELLS, N_GENES = 12, 8
COUNTS = np.random.default_rng(0).poisson(1.0, (N_CELLS, N_GENES))
CELLS = [f"AAAC{i}-1" for i in range(N_CELLS)]
GENES = ["CD3D", "MS4A1", "NA", "NKG7", "LYZ", "PPBP", "GNLY", "CD8A"]  # pandas would take NA for a gap
SHARED = Path(__file__).parents[3] / ".." / "shared" / "data" / "ifnb_pbmc.h5ad"


def annotated() -> ad.AnnData:
    obs, var = pd.DataFrame(index=CELLS), pd.DataFrame(index=GENES)
    return ad.AnnData(sp.csr_matrix(COUNTS.astype(np.float32)), obs=obs, var=var)


def write(path: Path, text: str) -> Path:
    """Write text, gzip-compressed where the name says so."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def table(separator: str, corner: str | None = "") -> str:
    head = GENES if corner is None else [corner, *GENES]
    rows = [[cell, *map(str, row)] for cell, row in zip(CELLS, COUNTS, strict=True)]
    return "".join(separator.join(line) + "\n" for line in [head, *rows])


def matrix_market(matrix) -> str:
    from io import BytesIO

    target = BytesIO()
    scipy.io.mmwrite(target, sp.coo_matrix(matrix))
    return target.getvalue().decode()


def tenx_folder(folder: Path, *, genes="genes.tsv", ending="", prefix="", symbols=GENES, kinds=None) -> Path:
    lines = [f"ENSG{i}\t{symbol}" for i, symbol in enumerate(symbols)]
    if kinds:
        lines = [f"{line}\t{kind}" for line, kind in zip(lines, kinds, strict=True)]
    write(folder / f"{prefix}{genes}{ending}", "\n".join(lines) + "\n")
    write(folder / f"{prefix}barcodes.tsv{ending}", "\n".join(CELLS) + "\n")
    write(folder / f"{prefix}matrix.mtx{ending}", matrix_market(COUNTS.T))
    return folder


def tenx_h5(path: Path, *, symbols=GENES, kinds=None) -> Path:
    by_gene = sp.csc_matrix(COUNTS.T)
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        group["barcodes"] = np.array(CELLS, dtype="S")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(by_gene, name)
        group["shape"] = by_gene.shape
        features = group.create_group("features")
        features["id"] = np.array([f"ENSG{i}" for i in range(N_GENES)], dtype="S")
        features["name"] = np.array(symbols, dtype="S")
        features["feature_type"] = np.array(kinds or ["Gene Expression"] * N_GENES, dtype="S")
        features["genome"] = np.array(["GRCh38"] * N_GENES, dtype="S")
    return path


def written(kind: str, folder: Path) -> Path:
    if kind == "h5ad":
        annotated().write_h5ad(folder / "cells.h5ad")
        return folder / "cells.h5ad"
    if kind == "loom":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            annotated().write_loom(folder / "cells.loom")
        return folder / "cells.loom"
    makers = {
        "csv": lambda: write(folder / "cells.csv", table(",")),
        "csv.gz": lambda: write(folder / "cells.csv.gz", table(",", "cell")),
        "csv with a byte-order mark": lambda: write(folder / "bom.csv", "\ufeff" + table(",")),
        "tsv as R writes it": lambda: write(folder / "cells.tsv", table("\t", None)),
        "tsv with Windows line ends": lambda: write(folder / "w.tsv", table("\t").replace("\n", "\r\n")),
        "10x v2": lambda: tenx_folder(folder / "v2"),
        "10x v3": lambda: tenx_folder(folder / "v3", genes="features.tsv", ending=".gz"),
        "10x v3, unpacked": lambda: tenx_folder(folder / "v3u", genes="features.tsv"),
        "10x with a prefix": lambda: tenx_folder(folder / "p", prefix="GSM1_"),
        "10x by its matrix": lambda: tenx_folder(folder / "m", ending=".gz") / "matrix.mtx.gz",
        "10x h5": lambda: tenx_h5(folder / "cells.h5"),
    }
    return makers[kind]()


KINDS = [
    *["h5ad", "loom", "csv", "csv.gz", "csv with a byte-order mark", "tsv as R writes it"],
    *["tsv with Windows line ends", "10x v2", "10x v3", "10x v3, unpacked", "10x with a prefix"],
    *["10x by its matrix", "10x h5"],
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_cells_silently(kind, tmp_path):
    path = written(kind, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cells = CellDataset.from_anndata(read_cells(str(path)))
    assert np.array_equal(cells.counts.toarray(), COUNTS)
    assert cells.cells == tuple(CELLS)
    assert cells.genes == tuple(GENES)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_read_can_be_written_as_h5ad(kind, tmp_path):
    adata = read_cells(written(kind, tmp_path))
    adata.write_h5ad(tmp_path / "again.h5ad")
    again = read_cells(tmp_path / "again.h5ad")
    assert np.array_equal(again.X.toarray(), COUNTS)
    assert (again.obs_names.tolist(), again.var_names.tolist()) == (CELLS, GENES)


def test_a_matrix_alone_is_cells_x_genes_with_numbers_for_names(tmp_path):
    adata = read_cells(write(tmp_path / "counts.mtx", matrix_market(COUNTS)))
    assert np.array_equal(adata.X.toarray(), COUNTS)
    assert adata.obs_names[:2].tolist() == ["0", "1"]
    adata.write_h5ad(tmp_path / "counts.h5ad")


def test_the_main_matrix_of_a_loom_is_taken_not_its_spliced_part(tmp_path):
    adata = annotated()
    adata.layers["spliced"] = sp.csr_matrix(adata.X.shape, dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata.write_loom(tmp_path / "cells.loom")
    assert np.array_equal(read_cells(tmp_path / "cells.loom").X.toarray(), COUNTS)


def test_a_table_of_more_genes_than_pandas_reads_at_once_is_read(tmp_path):
    n_cells, n_genes = 40, 30_000
    lines = [",".join(["cell", *(f"g{gene}" for gene in range(n_genes))])]
    lines += [",".join([f"Cell_{cell}", *(["0"] * (n_genes - 1)), str(cell)]) for cell in range(n_cells)]
    (tmp_path / "wide.csv").write_text("\n".join(lines) + "\n")
    cells = read_cells(tmp_path / "wide.csv")
    assert list(cells.obs_names) == [f"Cell_{cell}" for cell in range(n_cells)]
    assert cells.X[:, -1].toarray().ravel().tolist() == list(range(n_cells))


@pytest.mark.parametrize("make", [tenx_h5, lambda path, **what: tenx_folder(path.with_suffix(""), **what)])
def test_gene_names_that_occur_twice_are_made_unique_and_counted(make, tmp_path):
    symbols = ["CD3D", "TBCE", "TBCE", "NKG7", "LYZ", "TBCE", "GNLY", "LYZ"]
    with pytest.warns(
        UserWarning, match=r"3 genes of .* have a name that another gene has \(first: 'TBCE'\)"
    ):
        adata = read_cells(made := make(tmp_path / "cells.h5", symbols=symbols))
    assert made.exists()
    assert adata.var_names.tolist() == ["CD3D", "TBCE", "TBCE-1", "NKG7", "LYZ", "TBCE-2", "GNLY", "LYZ-1"]
    assert adata.var["gene_ids"].tolist() == [f"ENSG{i}" for i in range(N_GENES)]


@pytest.mark.parametrize(
    "make", [tenx_h5, lambda path, **what: tenx_folder(path.with_suffix(""), genes="features.tsv", **what)]
)
def test_features_that_are_no_genes_are_left_out_and_counted(make, tmp_path):
    kinds = ["Gene Expression"] * 5 + ["Antibody Capture"] * 3
    with pytest.warns(UserWarning, match=r"3 features of .* are not genes \(Antibody Capture\): left out"):
        adata = read_cells(make(tmp_path / "cells.h5", kinds=kinds))
    assert np.array_equal(adata.X.toarray(), COUNTS[:, :5])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pbmc.h5ad", r"there is no file .*pbmc\.h5ad: did you mean 'pbmcs\.h5ad' or "),
        ("nowhere/pbmc.h5ad", r"there is no file .*, nor a folder .*nowhere: check the path$"),
        ("empty.h5ad", r"empty\.h5ad is empty \(0 bytes\): copy or download it again$"),
        ("pbmcs.h5ad", r"pbmcs\.h5ad ends in \.h5ad but is something else \(text\), not HDF5: give its true"),
        (
            "cells.rds",
            r"cells\.rds has an ending that genailab doesn't know: give a 10x folder or .*\.h5ad, \.h5",
        ),
        (
            "folder",
            r"the folder .*folder holds no matrix\.mtx or matrix\.mtx\.gz: give a file, or a 10x folder",
        ),
        ("folder.h5ad", r"the folder .*folder\.h5ad holds no matrix\.mtx"),
        (
            "packed.mtx",
            r"packed\.mtx is gzip-compressed but doesn't end in \.gz: rename it to 'packed\.mtx\.gz'",
        ),
        (
            "plain.csv.gz",
            r"plain\.csv\.gz ends in \.gz but is something else \(text\), not gzip.*'plain\.csv'",
        ),
        ("text.mtx", r"text\.mtx is something else \(text\), not text that begins with '%%MatrixMarket'"),
        ("page.csv.h5", r"page\.csv\.h5 ends in \.h5 but is a web page or XML, not HDF5"),
        ("binary.csv", r"binary\.csv is an HDF5 file, not text: give its true ending"),
        ("latin.csv", r"latin\.csv is not UTF-8 at byte 4: save it as UTF-8$"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_told(name, message, tmp_path):
    for folder in ("folder", "folder.h5ad"):
        (tmp_path / folder).mkdir()
    (tmp_path / "empty.h5ad").touch()
    for text in ("pbmcs.h5ad", "cells.rds", "plain.csv.gz", "text.mtx"):
        (tmp_path / text).write_text("hello\n")
    (tmp_path / "packed.mtx").write_bytes(gzip.compress(b"%%MatrixMarket"))
    (tmp_path / "page.csv.h5").write_text("<html>404</html>")
    (tmp_path / "binary.csv").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99))
    (tmp_path / "latin.csv").write_bytes(b",CD3\xe9,B\nc1,1,2\n")
    fails(tmp_path / name, message)


def fails(path: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        read_cells(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["h5ad", "loom", "10x h5", "csv.gz", "10x by its matrix"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_file_is_told(kind, share, tmp_path):
    path = written(kind, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    fails(path, r"is truncated, it ends too early: copy or download it again$")


def test_a_truncated_part_of_a_10x_folder_is_told_by_its_own_name(tmp_path):
    for part in ("matrix.mtx.gz", "barcodes.tsv.gz", "genes.tsv.gz"):
        folder = tenx_folder(tmp_path / part.partition(".")[0], ending=".gz")
        (folder / part).write_bytes((folder / part).read_bytes()[:-12])
        fails(folder, rf"{part} is truncated")


def test_a_truncated_matrix_is_told(tmp_path):
    lines = matrix_market(COUNTS).splitlines()
    fails(
        write(tmp_path / "counts.mtx", "\n".join(lines[:20]) + "\n"), "is truncated, it ends too early: copy"
    )


@pytest.mark.parametrize(
    ("name", "groups", "message"),
    [
        ("x.h5ad", ["y"], r"x\.h5ad is HDF5 but not an AnnData file: it has no group 'obs' \(but 'y'\)"),
        ("x.h5", ["y"], "is HDF5 but not a 10x file: none of its 1 groups holds barcodes, so give the .h5"),
        ("x.h5", ["obs", "var"], r"is an AnnData file, not a 10x one: rename it to 'x\.h5ad'"),
        ("x.loom", ["matrix"], "is HDF5 but not loom: it has no 'col_attrs'"),
    ],
)
def test_hdf5_of_another_kind_is_told(name, groups, message, tmp_path):
    with h5py.File(tmp_path / name, "w") as file:
        for group in groups:
            file.create_group(group)
    fails(tmp_path / name, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            ",A,B\nc1,1,2\nc2,3,x\n",
            r"'x' at line 3 of .*t\.csv, column 'B' \(cell 'c2'\) is not a number: give",
        ),
        (",A,B\nc1,1,2\nc2,,4\n", r"'' at line 3 of .*, column 'A' \(cell 'c2'\) is not a number"),
        (",A,B\n\nc1,1,2\n\nc2,NA,4\n", r"'NA' at line 5 of .*, column 'A'"),
        (
            ",A,B\nc1,1,2\nc2,3\n",
            "line 3 of .* has 2 fields where 3 were expected: the file may be truncated",
        ),
        (",A,B\nc1,1,2\nc2,3,4,5\n", "line 3 of .* has 4 fields where 3 were expected"),
        ("x,y,A,B\nc1,1\n", "line 2 of .* has 2 fields where 4 were expected"),
        (
            ";A;B\nc1;1;2\n",
            "line 2 of .* has no ',' in it: save the table as .csv with commas or as .tsv with",
        ),
        (",A,B\n", "holds one line and so no cells: give a line of gene names, then one a cell"),
    ],
)
def test_a_table_with_a_fault_is_told_by_line_and_column(text, message, tmp_path):
    fails(write(tmp_path / "t.csv", text), message)


def test_a_10x_folder_that_lacks_or_doubles_a_part_is_told(tmp_path):
    folder = tenx_folder(tmp_path / "run")
    write(folder / "barcodes.tsv", "\n".join(CELLS[:-1]) + "\n")
    fails(
        folder,
        r"barcodes\.tsv has 11 lines, but the matrix 'matrix\.mtx' has 12 columns: give the files of one",
    )
    (folder / "barcodes.tsv").unlink()
    fails(folder, r"has no barcodes\.tsv beside 'matrix\.mtx': add it")
    write(folder / "other_matrix.mtx", "x")
    fails(
        folder,
        r"holds 2 matrices \('matrix\.mtx', 'other_matrix\.mtx'\): give a file, or a 10x folder with one",
    )


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    path = written("csv", tmp_path)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything
        original = Path.open

        def refuse(self, *args, **options):
            if self == path:
                raise PermissionError(13, "Permission denied")
            return original(self, *args, **options)

        monkeypatch.setattr(Path, "open", refuse)
    fails(path, r"cells\.csv cannot be opened \(Permission denied\): check its permissions$")


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    fails(tmp_path, r"the folder .* cannot be opened \(Permission denied\): check its permissions$")


def test_loom_without_loompy_names_the_extra(tmp_path, monkeypatch):
    path = written("loom", tmp_path)
    monkeypatch.setitem(sys.modules, "loompy", None)
    fails(path, r"cells\.loom needs loompy to be read: install it with pip install 'genailab\[loom\]'$")


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is absent")
def test_real_cells_of_two_donors_are_read_and_split_by_sample():
    adata = read_cells(SHARED)
    cells = CellDataset.from_anndata(adata, label_key="cluster_id", covariates=["sample_id", "group_id"])
    assert (cells.n_cells, cells.n_genes, len(cells.labels.categories), cells.source) == (1556, 1267, 5, "X")
    assert {key: len(names) for key, names in cells.categories.items()} == {
        "cluster_id": 5,
        "sample_id": 4,
        "group_id": 2,
    }
    split = split_cells(cells, group_key="sample_id")
    samples = [
        set(cells.subset(part).covariates["sample_id"]) for part in (split.train, split.valid, split.test)
    ]
    assert sum(map(len, samples)) == len(set.union(*samples)) == 4
    with pytest.raises(InputError, match=r"no column 'cluster' in adata\.obs: did you mean 'cluster_id'"):
        CellDataset.from_anndata(adata, label_key="cluster")

"""Labels from a table reach the cells they name, whatever its order; what cannot be joined is told."""

import gzip
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data import CellDataset, join_labels
from genailab.errors import InputError

CELLS = [f"AAAC{number}-1" for number in range(6)]
TYPES = ["B cell", "T cell, naive", "NK", "NK", "B cell", "T cell, naive"]
DONORS = ["01", "02", "01", "02", "01", "02"]  # as numbers they would lose their zero


def cells() -> ad.AnnData:
    obs = pd.DataFrame({"n": range(6)}, index=CELLS)
    return ad.AnnData(np.ones((6, 2), dtype=np.float32), obs=obs, var=pd.DataFrame(index=["A", "B"]))


def table(order=range(6)) -> pd.DataFrame:
    return pd.DataFrame({"cell_type": TYPES, "donor": DONORS}, index=CELLS).iloc[list(order)]


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def joined(path) -> ad.AnnData:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return join_labels(cells(), path)


@given(order=st.permutations(range(6)))
@settings(max_examples=20, deadline=None)
def test_each_cell_gets_its_own_labels_whatever_the_order(order, tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "types.csv"
    table(order).to_csv(path)
    found = joined(path)
    assert found.obs_names.tolist() == CELLS
    assert found.obs["cell_type"].tolist() == TYPES
    assert found.obs["donor"].tolist() == DONORS
    assert found.obs["n"].tolist() == list(range(6))


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.tsv.gz", "as R writes it.tsv", "bom.CSV"])
def test_every_kind_of_table_gives_the_same(name, tmp_path):
    text = table().to_csv(sep="\t" if ".tsv" in name else ",")
    if "R" in name:
        text = text.removeprefix("\t")  # no name for the column of names
    if "bom" in name:
        text = "\ufeff" + text.replace("\n", "\r\n")
    found = joined(str(write(tmp_path / name, text)))
    assert found.obs[["cell_type", "donor"]].astype(str).to_dict("list") == table().to_dict("list")


def test_the_cells_given_stay_as_they_are_and_the_joined_can_be_written(tmp_path):
    table().to_csv(tmp_path / "t.csv")
    before = cells()
    found = join_labels(before, tmp_path / "t.csv")
    found.X[0, 0] = 9
    assert list(before.obs) == ["n"]
    assert (before.X == 1).all()
    found.write_h5ad(tmp_path / "cells.h5ad")
    assert ad.read_h5ad(tmp_path / "cells.h5ad").obs["cell_type"].tolist() == TYPES


def test_rows_of_other_cells_are_counted(tmp_path):
    path = write(tmp_path / "t.csv", table().to_csv() + "GGG-1,NK,03\nTTT-1,NK,03\n")
    with pytest.warns(
        UserWarning, match=r"^2 of 8 rows of .*t\.csv name no cell of the data \(first: 'GGG-1'\)"
    ):
        found = join_labels(cells(), path)
    assert found.obs["cell_type"].tolist() == TYPES
    assert "03" not in found.obs["donor"].cat.categories


def test_a_column_that_is_there_already_is_replaced_and_named(tmp_path):
    table().rename(columns={"donor": "n"}).to_csv(tmp_path / "t.csv")
    with pytest.warns(UserWarning, match=r"adata\.obs already has 'n': replaced by the table's in .*t\.csv"):
        assert join_labels(cells(), tmp_path / "t.csv").obs["n"].tolist() == DONORS


@pytest.mark.parametrize("gap", ["", "NA", "NaN"])
def test_a_gap_in_the_table_is_a_missing_label(gap, tmp_path):
    text = table().to_csv().replace("AAAC2-1,NK", f"AAAC2-1,{gap}")
    with pytest.raises(InputError, match=r"1 of 6 cells have no value in .*'cell_type'.*cell 'AAAC2-1'"):
        CellDataset.from_anndata(joined(write(tmp_path / "t.csv", text)), label_key="cell_type")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.xlsx", "x", r"t\.xlsx cannot be a table of labels: give a file in \.csv, \.csv\.gz, \.tsv"),
        ("t.csv", "", r"t\.csv is empty \(0 bytes\)"),
        ("t.csv", "cell,type\n", r"t\.csv names no cell: give a line of column names, then one line a cell"),
        ("t.csv", "cell;type\nAAAC0-1;B\n", r"line 2 of .*t\.csv has no ',' in it: save the table as \.csv"),
        ("t.csv", "cell,type\nAAAC0-1,B\n\nAAAC1-1\n", "line 4 of .* has 1 fields where 2 were expected"),
        ("t.csv", "cell,type\nAAAC0-1,B,C,D\n", "line 2 of .* has 4 fields where 2 were expected"),
        ("t.csv", "cell,a,a\nAAAC0-1,B,C\n", r"column 'a' occurs twice in .*t\.csv: give each column a name"),
        (
            "t.csv",
            table().to_csv() + "AAAC2-1,B,01\n",
            r"cell 'AAAC2-1' is named at line 4 and again at line 8 of .*t\.csv: keep one",
        ),
        (
            "t.csv",
            table([0, 1, 3, 5]).to_csv(),
            r"2 of 6 cells have no row in .*t\.csv \(first: cell 'AAAC2-1'\): add them, .*or remove",
        ),
        (
            "t.csv",
            table().to_csv().replace("-1,", ","),
            r"no cell is named in .*t\.csv: the data's first is 'AAAC0-1', the table's 'AAAC0'; write",
        ),
    ],
)
def test_a_table_that_cannot_be_joined_is_told(name, text, message, tmp_path):
    fails(write(tmp_path / name, text), message)


def fails(path, message):
    with pytest.raises(InputError, match=message) as raised:
        join_labels(cells(), path)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_what_it_should_be_is_told(tmp_path):
    table().to_csv(tmp_path / "types.csv")
    fails(tmp_path / "type.csv", r"there is no file .*type\.csv: did you mean 'types\.csv'")
    (tmp_path / "latin.csv").write_bytes(b"cell,type\nAAAC0-1,caf\xe9\n")
    fails(tmp_path / "latin.csv", r"latin\.csv is not UTF-8 at byte \d+: save it as UTF-8$")
    packed = gzip.compress(table().to_csv().encode())
    (tmp_path / "short.csv.gz").write_bytes(packed[:-12])
    fails(tmp_path / "short.csv.gz", r"short\.csv\.gz is truncated, it ends too early")
    (tmp_path / "book.csv").write_bytes(b"PK\x03\x04\0\0")
    fails(tmp_path / "book.csv", r"book\.csv is a zip archive, not text")

"""Laws of the dataset: nothing is renamed, reordered or lost on the way to a batch and back."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from genailab.data import CellDataset
from genailab.errors import InputError

N_CELLS, N_GENES = 30, 12


def annotated(seed: int = 0) -> ad.AnnData:
    rng = np.random.default_rng(seed)
    obs = pd.DataFrame(
        {
            "cell_type": rng.permutation(np.resize(["T", "B", "NK"], N_CELLS)),
            "donor": pd.Categorical(rng.permutation(np.resize([2, 1], N_CELLS)), categories=[2, 1]),
        },
        index=[f"cell{i}" for i in range(N_CELLS)],
    )
    var = pd.DataFrame(index=[f"gene{j}" for j in range(N_GENES)])
    return ad.AnnData(sp.csr_matrix(rng.poisson(1.0, (N_CELLS, N_GENES))), obs=obs, var=var)


def dataset(seed: int = 0) -> CellDataset:
    return CellDataset.from_anndata(annotated(seed), label_key="cell_type", covariates=["donor"])


@given(st.lists(st.integers(0, N_CELLS - 1), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_a_batch_holds_the_rows_asked_for_in_order(rows):
    cells, adata = dataset(), annotated()
    batch = cells.__getitems__(rows)
    dense = adata.X.toarray()[rows]
    assert np.array_equal(batch["counts"], dense)
    assert np.array_equal(batch["library_size"], dense.sum(axis=1))
    for key in ("cell_type", "donor"):
        names = np.array(cells.categories[key])[batch[key].numpy()]
        assert names.tolist() == adata.obs[key].astype(str).iloc[rows].tolist()
    kinds = {key: value.dtype for key, value in batch.items()}
    long, real = torch.int64, torch.float32
    assert kinds == {"counts": real, "library_size": real, "cell_type": long, "donor": long}


@pytest.mark.parametrize("rows", [[4, 4, 0], np.array([4, 4, 0]), torch.tensor([4, 4, 0])])
def test_indices_may_be_a_list_an_array_or_a_tensor(rows):
    assert torch.equal(dataset().__getitems__(rows)["counts"], dataset().__getitems__([4, 4, 0])["counts"])


def test_writing_into_a_batch_leaves_the_dataset_alone():
    cells = dataset()
    before = cells.counts.toarray()
    batch = cells.__getitems__(range(N_CELLS))
    batch["counts"].fill_(99)
    batch["donor"].fill_(99)
    assert np.array_equal(cells.counts.toarray(), before)
    assert set(cells.covariates["donor"].codes) == {0, 1}


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_gives_every_cell_once(workers):
    cells = dataset()
    loader = DataLoader(cells, batch_size=7, num_workers=workers, collate_fn=lambda batch: batch)
    batches = list(loader)
    assert [len(batch["counts"]) for batch in batches] == [7, 7, 7, 7, 2]
    assert np.array_equal(torch.cat([batch["counts"] for batch in batches]), cells.counts.toarray())


@given(st.lists(st.integers(0, N_CELLS - 1), unique=True), st.lists(st.integers(0, N_GENES - 1), unique=True))
@settings(max_examples=40, deadline=None)
def test_choosing_cells_and_genes_commutes_and_keeps_names_with_values(rows, columns):
    cells = dataset()
    names = [f"gene{column}" for column in columns]
    chosen = cells.subset(rows).select_genes(names)
    other = cells.select_genes(names).subset(rows)
    expected = cells.counts.toarray()[np.ix_(rows, columns)]
    for result in (chosen, other):
        assert np.array_equal(result.counts.toarray(), expected)
        assert result.cells == tuple(f"cell{row}" for row in rows)
        assert result.genes == tuple(names)
        assert np.array_equal(result.library_sizes, expected.sum(axis=1))
        assert result.categories == cells.categories  # codes mean the same in every subset


def test_a_mask_is_the_positions_where_it_is_true():
    cells = dataset()
    mask = np.asarray(cells.labels == "NK")
    assert cells.subset(mask).cells == cells.subset(np.flatnonzero(mask)).cells
    with pytest.raises(InputError, match="the mask has 3 entries for 30 cells"):
        cells.subset(np.array([True, False, True]))


def test_to_anndata_and_back_changes_nothing(tmp_path):
    cells = dataset()
    cells.to_anndata().write_h5ad(tmp_path / "cells.h5ad")
    adata = ad.read_h5ad(tmp_path / "cells.h5ad")
    assert adata.X.dtype == np.int32
    back = CellDataset.from_anndata(adata, label_key="cell_type", covariates=["donor"])
    assert (back.genes, back.cells, back.categories) == (cells.genes, cells.cells, cells.categories)
    assert (back.counts != cells.counts).nnz == 0
    assert list(back.covariates["donor"]) == list(cells.covariates["donor"])


def test_codes_do_not_depend_on_the_rows_order_or_the_columns_type():
    adata = annotated()
    turned = adata[::-1].copy()
    turned.obs["donor"] = turned.obs["donor"].astype(int)
    first = CellDataset.from_anndata(adata, label_key="cell_type", covariates=["donor"])
    second = CellDataset.from_anndata(turned, label_key="cell_type", covariates=["donor"])
    assert first.categories == second.categories == {"cell_type": ("B", "NK", "T"), "donor": ("1", "2")}
    assert np.array_equal(first.covariates["donor"].codes, second.covariates["donor"].codes[::-1])


def test_from_anndata_leaves_the_original_alone():
    adata = annotated()
    before = adata.copy()
    cells = CellDataset.from_anndata(adata, label_key="cell_type")
    cells.counts.data[:] = 7
    assert np.array_equal(adata.X.toarray(), before.X.toarray())
    pd.testing.assert_frame_equal(adata.obs, before.obs)


def test_library_sizes_are_exact_beyond_float32():
    counts = sp.csr_matrix(np.array([[2**24, 1, 1, 1]], dtype=np.float32))
    cells = CellDataset(counts=counts, genes=tuple("abcd"), cells=("one",))
    assert cells.library_sizes.tolist() == [2**24 + 3]


def test_gene_shares_are_the_mean_profile_whatever_the_depth():
    counts = np.array([[1, 3, 0], [20, 0, 20], [0, 0, 0]], dtype=np.float32)
    cells = CellDataset(counts=sp.csr_matrix(counts), genes=tuple("abc"), cells=tuple("xyz"))
    assert cells.gene_shares().tolist() == [0.375, 0.375, 0.25]  # the empty cell has no say
    assert cells.subset([2]).gene_shares().tolist() == [0, 0, 0]


def test_label_key_that_is_absent_is_told_with_the_nearest_names():
    with pytest.raises(InputError, match=r"no column 'celltype' in adata\.obs: did you mean 'cell_type'\?"):
        CellDataset.from_anndata(annotated(), label_key="celltype")
    with pytest.raises(InputError, match="carry no labels: pass label_key="):
        _ = CellDataset.from_anndata(annotated()).labels


@pytest.mark.parametrize("gap", [np.nan, None, pd.NA, "", "nan"])
def test_labels_with_gaps_are_refused_and_counted(gap):
    adata = annotated()
    labels = adata.obs["cell_type"].astype(object)
    labels.iloc[[4, 9]] = gap
    adata.obs["cell_type"] = labels
    message = (
        r"2 of 30 cells have no value in adata\.obs\['cell_type'\] \(first: cell 'cell4'\): fill them in"
    )
    with pytest.raises(InputError, match=message):
        CellDataset.from_anndata(adata, label_key="cell_type")


@pytest.mark.filterwarnings("ignore:.*names are not unique")
@pytest.mark.parametrize(("axis", "kind"), [("obs_names", "cell"), ("var_names", "gene")])
def test_names_that_occur_twice_are_refused(axis, kind):
    adata = annotated()
    names = list(getattr(adata, axis))
    names[7] = names[3]
    setattr(adata, axis, names)
    message = (
        rf"{kind} name '{kind}3' occurs 2 times \(first at positions 3 and 7\): .*{axis}_make_unique\(\)"
    )
    with pytest.raises(InputError, match=message):
        CellDataset.from_anndata(adata)


def test_genes_that_are_absent_or_asked_for_twice_are_refused():
    with pytest.raises(InputError, match="gene 'gene99' is not among the 12 genes: did you mean 'gene9'"):
        dataset().select_genes(["gene1", "gene99"])
    with pytest.raises(InputError, match="gene name 'gene1' occurs 2 times"):
        dataset().select_genes(["gene1", "gene1"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"genes": ("a",)}, "counts are 2 x 3, but there are 2 cell names and 1 gene names"),
        ({"covariates": {"donor": pd.Categorical(["x"])}}, "covariate 'donor' has 1 values for 2 cells"),
        (
            {"covariates": {"counts": pd.Categorical(["x", "y"])}},
            "covariate 'counts' has the name of a batch's own",
        ),
        ({"label_key": "type"}, "label_key 'type' is not among the covariates: there are none"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, message):
    parts = {"counts": sp.csr_matrix(np.eye(2, 3)), "genes": tuple("abc"), "cells": ("c1", "c2")}
    with pytest.raises(InputError, match=message):
        CellDataset(**{**parts, **changes})


def test_batches_of_large_data_are_expanded_one_by_one_to_the_same(monkeypatch):
    cells = CellDataset.from_anndata(annotated(), label_key="cell_type")
    kept = cells.__getitems__([3, 1, 3])
    kept["counts"][0] = -1  # a batch is the caller's own
    kept = cells.__getitems__([3, 1, 3])
    monkeypatch.setattr("genailab.data.cells.dataset.KEPT_EXPANDED", 0)
    one_by_one = CellDataset.from_anndata(annotated(), label_key="cell_type").__getitems__([3, 1, 3])
    assert kept.keys() == one_by_one.keys()
    assert all(torch.equal(kept[name], one_by_one[name]) for name in kept)
    assert torch.equal(kept["counts"][0], torch.from_numpy(cells.counts[3].toarray()[0]))

"""The bundled cells: the recovered counts are exact."""

import warnings

import numpy as np
import pytest
import scanpy
import scipy.sparse as sp

from genailab.data import load_pbmc, load_pbmc_anndata, log_normalise
from genailab.data.cells.pbmc import _undo_log_normalisation
from genailab.errors import InputError


@pytest.fixture(scope="module")
def reduced():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scanpy.datasets.pbmc68k_reduced()


def test_loads_silently_with_names_and_labels(reduced):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cells = load_pbmc()
    assert (cells.n_cells, cells.n_genes, cells.label_key, cells.source) == (700, 765, "bulk_labels", "X")
    assert cells.cells == tuple(reduced.obs_names)
    assert cells.genes == tuple(reduced.raw.var_names)
    assert list(cells.labels) == reduced.obs["bulk_labels"].tolist()


def test_log_normalising_the_counts_gives_the_published_values_back(reduced):
    counts = load_pbmc().counts
    assert np.array_equal(counts.data, np.rint(counts.data))
    assert counts.data.min() == 1
    again = log_normalise(counts, library_size=reduced.obs["n_counts"].to_numpy())
    assert np.abs(again.toarray() - reduced.raw.X.toarray()).max() <= 0.000501


def test_no_other_whole_number_would_fit(reduced):
    counts = load_pbmc_anndata().X.tocsr()
    size = np.repeat(reduced.obs["n_counts"].to_numpy(dtype=float), np.diff(counts.indptr))
    to_next = np.log1p((counts.data + 1) * 1e4 / size) - np.log1p(counts.data * 1e4 / size)
    assert to_next.min() > 2 * 0.0005


def test_counts_of_a_cell_do_not_exceed_its_library(reduced):
    assert (load_pbmc().library_sizes <= reduced.obs["n_counts"].to_numpy()).all()


def test_refuses_values_that_are_no_counts():
    with pytest.raises(
        InputError, match=r"one lies 0\.500 from a whole number \(limit 0\.1\), so install scanpy"
    ):
        _undo_log_normalisation(sp.csr_matrix(np.log1p([[1.5]])), np.array([1e4]))

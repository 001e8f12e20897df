"""Log-normalisation: the same numbers as scanpy's, whatever holds the counts."""

import anndata as ad
import numpy as np
import pytest
import scanpy
import scipy.sparse as sp
import torch

from genailab.data import log_normalise

COUNTS = np.random.default_rng(0).poisson(0.7, (40, 25)).astype(np.float32)
COUNTS[3] = 0


@pytest.mark.filterwarnings("ignore:Some cells have zero counts")
def test_agrees_with_scanpy():
    adata = ad.AnnData(sp.csr_matrix(COUNTS))
    scanpy.pp.normalize_total(adata, target_sum=1e4)
    scanpy.pp.log1p(adata)
    expected = adata.X.toarray()
    assert np.allclose(log_normalise(sp.csr_matrix(COUNTS)).toarray(), expected, rtol=1e-6)
    assert np.allclose(log_normalise(torch.from_numpy(COUNTS)).numpy(), expected, rtol=1e-6)


def test_every_cell_with_a_count_adds_up_to_the_target():
    totals = torch.expm1(log_normalise(torch.from_numpy(COUNTS).double(), target=500)).sum(dim=1)
    expected = torch.full((40,), 500.0, dtype=torch.float64)
    expected[3] = 0  # no count, and no NaN
    assert torch.allclose(totals, expected)


@pytest.mark.parametrize("library_size", [np.full(40, 1e4), torch.full((40,), 1e4)])
def test_a_library_size_given_is_used(library_size):
    assert np.allclose(log_normalise(torch.from_numpy(COUNTS), library_size=library_size), np.log1p(COUNTS))
    assert np.allclose(
        log_normalise(sp.csr_matrix(COUNTS), library_size=library_size).toarray(), np.log1p(COUNTS)
    )


def test_changes_nothing_given():
    dense, sparse = torch.from_numpy(COUNTS.copy()), sp.csr_matrix(COUNTS)
    log_normalise(dense), log_normalise(sparse).data.fill(0)
    assert np.array_equal(dense, COUNTS)
    assert np.array_equal(sparse.toarray(), COUNTS)


def test_gradients_pass():
    counts = torch.rand(5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(log_normalise, (counts,))

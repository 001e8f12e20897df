"""Laws of choosing genes: training cells alone decide, and nothing is dropped without a word."""

import numpy as np
import pytest
import scipy.sparse as sp

from genailab.data import CellDataset, highly_variable_genes, load_pbmc, split_cells
from genailab.errors import InputError


@pytest.fixture(scope="module")
def pbmc() -> CellDataset:
    return load_pbmc()


def simulated(counts: np.ndarray) -> CellDataset:
    n_cells, n_genes = counts.shape
    return CellDataset(
        counts=sp.csr_matrix(counts.astype(np.float32)),
        genes=tuple(f"gene{j}" for j in range(n_genes)),
        cells=tuple(f"cell{i}" for i in range(n_cells)),
    )


def test_finds_the_genes_that_differ_between_cells():
    rng = np.random.default_rng(0)
    rates = rng.gamma(2.0, 1.0, 60) * np.ones((200, 1))
    rates[:100, :5] *= 8  # the first five genes mark half of the cells
    chosen = highly_variable_genes(simulated(rng.poisson(rates)), 5)
    assert chosen == [f"gene{j}" for j in range(5)]


@pytest.mark.parametrize("n_genes", [1, 37, 764, 765])
def test_gives_as_many_as_asked_for_in_the_datasets_order(pbmc, n_genes):
    chosen = highly_variable_genes(pbmc, n_genes)
    assert len(chosen) == n_genes
    assert chosen == [name for name in pbmc.genes if name in set(chosen)]


def test_more_genes_never_lose_one_chosen_before(pbmc):
    assert set(highly_variable_genes(pbmc, 50)) < set(highly_variable_genes(pbmc, 60))


def test_the_order_of_cells_and_genes_has_no_say(pbmc):
    rng = np.random.default_rng(0)
    turned = pbmc.subset(rng.permutation(pbmc.n_cells)).select_genes(rng.permutation(pbmc.genes).tolist())
    assert set(highly_variable_genes(turned, 100)) == set(highly_variable_genes(pbmc, 100))


@pytest.mark.filterwarnings("ignore:8 of 700 cells", "ignore:1 of 765 genes")
def test_test_cells_have_no_say_and_nothing_is_changed(pbmc):
    split = split_cells(pbmc)
    chosen = highly_variable_genes(pbmc.subset(split.train), 80)
    counts = pbmc.counts.copy()
    for row in split.test:
        counts.data[counts.indptr[row] : counts.indptr[row + 1]] = 1
    changed = CellDataset(counts=counts, genes=pbmc.genes, cells=pbmc.cells)
    assert highly_variable_genes(changed.subset(split.train), 80) == chosen
    before = pbmc.counts.copy()
    assert highly_variable_genes(changed, 80) != chosen  # they would have had one
    assert (pbmc.counts != before).nnz == 0


def test_genes_without_a_count_are_left_out_with_a_warning():
    counts = np.random.default_rng(0).poisson(2.0, (50, 20))
    counts[:, [4, 7]] = 0
    with pytest.warns(UserWarning, match=r"2 of 20 genes have no count in the 50 training cells.*'gene4'"):
        chosen = highly_variable_genes(simulated(counts), 18)
    assert not {"gene4", "gene7"} & set(chosen)
    with (
        pytest.warns(UserWarning, match="2 of 20 genes"),
        pytest.raises(
            InputError, match=r"19 genes were asked for, but 18 of 20 genes have a count .* 1 to 18"
        ),
    ):
        highly_variable_genes(simulated(counts), 19)


@pytest.mark.parametrize("n_genes", [0, -3, 766])
def test_numbers_that_cannot_be_are_refused(pbmc, n_genes):
    with pytest.raises(
        InputError, match=rf"{n_genes} genes were asked for, but 765 of 765 .* ask for 1 to 765"
    ):
        highly_variable_genes(pbmc, n_genes)

"""What is refused before anything is computed, and what is let through."""

import math

import numpy as np
import pytest

from genailab.errors import InputError
from genailab.evaluation.comparable import comparable, subsample
from genailab.evaluation.options import ComparisonOptions


def test_the_same_genes_in_another_order_are_put_in_order(make_dataset):
    cells = make_dataset(np.arange(12).reshape(4, 3))
    swapped = cells.select_genes(["gene2", "gene0", "gene1"])
    back = comparable(swapped, genes=cells.genes, kind="generated", min_cells=2)
    assert back.genes == cells.genes
    np.testing.assert_array_equal(back.counts.toarray(), cells.counts.toarray())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -2.0])
def test_a_count_that_cannot_be_is_named_with_its_cell_and_gene(make_dataset, bad):
    counts = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, bad]])
    with pytest.raises(InputError, match=rf"generated cell 'cell2' has {bad} counts of gene 'gene2'"):
        comparable(make_dataset(counts), genes=("gene0", "gene1", "gene2"), kind="generated", min_cells=2)


def test_other_genes_are_refused_both_ways(make_dataset):
    cells = make_dataset(np.ones((4, 3)))
    with pytest.raises(
        InputError, match="1 of the training cells' 3 genes are not among the generated cells'"
    ):
        comparable(cells, genes=("gene0", "gene1", "CD3D"), kind="generated", min_cells=2)
    with pytest.raises(InputError, match=r"1 genes of the generated cells .* \(first: 'gene2'\)"):
        comparable(cells, genes=("gene0", "gene1"), kind="generated", min_cells=2)


def test_too_few_cells_are_refused(make_dataset):
    with pytest.raises(InputError, match="there are 0 generated cells, but at least 6 are compared"):
        comparable(make_dataset(np.ones((0, 2))), genes=("gene0", "gene1"), kind="generated", min_cells=6)


def test_a_subsample_is_distinct_in_order_and_everything_when_small(make_dataset):
    cells = make_dataset(np.arange(40).reshape(20, 2))
    few = subsample(cells, 8, np.random.default_rng(0))
    positions = [cells.cells.index(name) for name in few.cells]
    assert positions == sorted(set(positions))
    assert len(positions) == 8
    assert subsample(cells, 20, np.random.default_rng(0)) is cells


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="n_folds is 1: it must be at least 2"):
        ComparisonOptions(n_folds=1)
    with pytest.raises(InputError, match="n_bootstrap is 0: it must be at least 1"):
        ComparisonOptions(n_bootstrap=0)

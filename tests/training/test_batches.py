import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.training.batches import EpochBatches


@given(
    n_rows=st.integers(4, 300),
    batch_size=st.integers(1, 64),
    processes=st.integers(1, 4),
    epoch=st.integers(0, 5),
)
@settings(max_examples=50, deadline=None)
def test_every_row_comes_once_in_batches_of_nearly_one_size(n_rows, batch_size, processes, epoch):
    batches = EpochBatches(n_rows, batch_size, seed=0, multiple_of=processes)
    batches.epoch = epoch
    found = list(batches)
    assert sorted(row for batch in found for row in batch) == list(range(n_rows))
    lengths = [len(batch) for batch in found]
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) <= batch_size
    assert len(found) == len(batches)
    assert len(found) % processes == 0


@pytest.mark.parametrize("start", [0, 1, 5])
def test_a_start_skips_batches_and_changes_none(start):
    whole, rest = (EpochBatches(50, 8, seed=1) for _ in range(2))
    rest.start = start
    assert list(rest) == list(whole)[start:]


def test_the_order_changes_with_the_epoch_and_the_seed_and_with_nothing_else():
    def order(seed, epoch):
        batches = EpochBatches(50, 8, seed=seed)
        batches.epoch = epoch
        return [row for batch in batches for row in batch]

    np.random.default_rng(0)
    assert order(0, 0) == order(0, 0)
    assert len({tuple(order(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


def test_without_shuffling_the_rows_stand_as_they_are():
    batches = EpochBatches(10, 3, seed=0, shuffle=False)
    assert [row for batch in batches for row in batch] == list(range(10))

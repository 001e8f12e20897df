"""Laws of a dataset of windows: rows and labels stay together, augmentation is repeatable."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from genailab.data.genome.genome import Genome
from genailab.data.genome.genome_dataset import Augment, GenomeDataset
from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError
from genailab.training.batches import EpochBatches, make_loader

N_ROWS, WINDOW = 40, 24


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    path = tmp_path_factory.mktemp("genome") / "x.fa"
    letters = np.random.default_rng(0).choice(list("ACGT"), 2000)
    path.write_text(">chr1\n" + "".join(letters[:1500]) + "\n>chr2\n" + "".join(letters[1500:]) + "\n")
    return Genome(path)


@pytest.fixture(scope="module")
def peaks() -> pd.DataFrame:
    generator = np.random.default_rng(1)
    starts = generator.integers(100, 300, N_ROWS)
    return pd.DataFrame({
        "chrom": generator.choice(["chr1", "chr2"], N_ROWS),
        "start": starts,
        "end": starts + WINDOW,
        "strand": generator.choice(["+", "-", "."], N_ROWS),
    })  # fmt: skip


def augmented(genome, peaks, *, seed=0, **options):
    return GenomeDataset(
        genome, peaks, np.arange(N_ROWS), window=WINDOW, augment=Augment(**options), seed=seed
    )


@given(st.lists(st.integers(0, N_ROWS - 1), max_size=30))
@settings(max_examples=30, deadline=None)
def test_a_batch_is_its_rows_in_their_order(genome, peaks, rows):
    dataset = GenomeDataset(genome, peaks, np.arange(N_ROWS), window=WINDOW)
    batch = dataset.__getitems__(rows)
    assert batch["label"].tolist() == rows
    assert torch.equal(batch["codes"], genome.windows(peaks, WINDOW)[rows])
    assert batch["codes"].dtype == torch.uint8
    assert len(dataset) == N_ROWS
    for row in rows[:2]:
        assert torch.equal(dataset[row]["codes"], genome.windows(peaks, WINDOW)[row])


def reverse_complement(codes):
    return torch.from_numpy(DNA.complement_table[codes.numpy()[..., ::-1]])


def test_the_other_strand_is_read_half_the_time_and_nothing_else_changes(genome, peaks):
    plain, rows = genome.windows(peaks, WINDOW), list(range(N_ROWS)) * 50
    found = augmented(genome, peaks, reverse_complement=True).__getitems__(rows)["codes"]
    same = (found == plain[rows]).all(dim=1)
    other = (found == reverse_complement(plain[rows])).all(dim=1)
    assert (same ^ other).all()
    assert abs(same.float().mean() - 0.5) < 5 * 0.5 / len(rows) ** 0.5


def test_shifts_are_even_within_the_limit_and_bring_in_the_genome(genome, peaks):
    rows = list(range(N_ROWS)) * 50
    found = augmented(genome, peaks, shift=2).__getitems__(rows)["codes"]
    wide = genome.windows(peaks, WINDOW + 4)
    matches = torch.stack(
        [(found == wide[rows, by : by + WINDOW]).all(dim=1) for by in range(5)], dim=1
    )  # (rows, 5)
    assert (matches.sum(dim=1) == 1).all()
    shares = matches.float().mean(dim=0)
    assert (shares - 0.2).abs().max() < 5 * (0.2 * 0.8 / len(rows)) ** 0.5


def test_augmentation_depends_on_the_seed_and_the_batch_alone(genome, peaks):
    options = {"reverse_complement": True, "shift": 3}
    one, same = (augmented(genome, peaks, **options) for _ in range(2))
    rows = list(range(N_ROWS))
    first = one.__getitems__(rows)["codes"]
    torch.manual_seed(7)
    np.random.default_rng(7).random()
    assert torch.equal(first, one.__getitems__(rows)["codes"])
    assert torch.equal(first, same.__getitems__(rows)["codes"])
    assert not torch.equal(first, augmented(genome, peaks, seed=1, **options).__getitems__(rows)["codes"])


def test_another_batch_is_augmented_in_another_way(genome, peaks):
    # So is the next epoch's, which holds other rows or the same in another order.
    plain, dataset = genome.windows(peaks, WINDOW), augmented(genome, peaks, reverse_complement=True)
    turned = []
    for seed in range(4):
        rows = np.random.default_rng(seed).permutation(N_ROWS).tolist()
        turned.append((dataset.__getitems__(rows)["codes"] != plain[rows]).any(dim=1))
    assert len({tuple(pattern.tolist()) for pattern in turned}) == len(turned)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_make_the_same_batches_however_they_start(genome, peaks, method):
    dataset = augmented(genome, peaks, reverse_complement=True, shift=3)
    loader = make_loader(dataset, EpochBatches(N_ROWS, 8, seed=3))
    workers = DataLoader(
        dataset,
        batch_sampler=EpochBatches(N_ROWS, 8, seed=3),
        collate_fn=loader.collate_fn,
        num_workers=1,
        multiprocessing_context=method,
    )
    for ours, theirs in zip(loader, workers, strict=True):
        assert torch.equal(ours["codes"], theirs["codes"])
        assert torch.equal(ours["label"], theirs["label"])


def test_labels_keep_their_kind_and_their_names(genome, peaks):
    def batch(labels):
        return GenomeDataset(genome, peaks, labels, window=8).__getitems__([3, 1])

    assert set(batch(None)) == {"codes"}
    assert batch(np.arange(N_ROWS))["label"].dtype == torch.int64
    assert batch(pd.Series(np.arange(N_ROWS) / 2))["target"].tolist() == [1.5, 0.5]
    assert batch([True] * N_ROWS)["label"].tolist() == [1, 1]
    several = batch({"target": np.ones((N_ROWS, 2)), "tissue": np.arange(N_ROWS)})
    assert several["target"].shape == (2, 2)
    assert several["target"].dtype == torch.float32
    assert several["tissue"].tolist() == [3, 1]


def test_says_what_is_wrong(genome, peaks):
    def make(labels=None, table=peaks, **options):
        return GenomeDataset(genome, table, labels, **{"window": WINDOW, **options})

    with pytest.raises(InputError, match=r"label holds 3 values of shape \(3,\) for 40 intervals"):
        make([0, 1, 1])
    with pytest.raises(InputError, match=r"target of row 2 is not finite \(nan\): leave the row out"):
        make([0.0, 1.0, np.nan, *[1.0] * (N_ROWS - 3)])
    with pytest.raises(InputError, match="label holds <U3 values, not numbers"):
        make(["yes"] * N_ROWS)
    with pytest.raises(InputError, match="may not be called 'codes'"):
        make({"codes": np.zeros(N_ROWS)})
    with pytest.raises(InputError, match=r"chr2:500-501 in row 0 lies outside the contig"):
        make(table=pd.DataFrame({"chrom": ["chr2"], "start": [500], "end": [501]}))
    with pytest.raises(InputError, match="no column 'chrom'"):
        make(table=peaks.drop(columns="chrom"))
    with pytest.raises(InputError, match="window of 0 bases"):
        make(window=0)
    with pytest.raises(InputError, match="shift is -1: pass"):
        Augment(shift=-1)

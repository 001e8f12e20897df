"""Random windows of a 100 Mb genome: genailab's Genome and GenomeDataset against pyfaidx.

Two jobs. As codes: windows of 1 kb of tables of 20,000 random intervals, ours with one call of
`Genome.windows`, pyfaidx's one after the other as text (``as_raw``, its fastest) and through a look-up table.
Ready for training: one-hot float32 batches of 256 in shuffled order, ours through GenomeDataset with codes
made one-hot in the main process, pyfaidx's through a map-style Dataset that makes each window one-hot with
numpy; by torch's DataLoader, with 2 workers (ours also without), timed from the second batch on, when the
workers are up.

One thread a process. The programs take turns, and ratios are formed round by round. The FASTA is made here,
so its pages are in memory (warm) for both. Where other programs share the cores, the seconds of processor
time (of the first job, which runs in one process) say what an idle core would do. pyfaidx is in the ``dev``
extra.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from machine import save_result
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from genailab.data.genome.genome import Genome
from genailab.data.genome.genome_dataset import Augment, GenomeDataset
from genailab.data.sequences.encoding import one_hot
from genailab.training.batches import EpochBatches, make_loader

LENGTH, BATCH, LINE = 1000, 256, 60
CONTIGS, CONTIG_LENGTH = 10, 10_000_020
CODE_PAIRS = {"genailab": "pyfaidx", "genailab, processor time": "pyfaidx, processor time"}
BATCH_PAIRS = dict.fromkeys(("genailab, 2 workers", "genailab, no worker"), "pyfaidx, 2 workers")
CODE_OF = np.full(256, 4, np.uint8)
CODE_OF[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)
ROWS_OF = np.zeros((256, 4), np.float32)
ROWS_OF[np.frombuffer(b"ACGT", np.uint8)] = np.eye(4, dtype=np.float32)


class PyfaidxWindows(Dataset):
    """What is commonly written: one window at a time, text to one-hot by a table."""

    def __init__(self, path: Path, intervals: pd.DataFrame) -> None:
        self.path, self.fasta = path, None
        self.places = list(zip(intervals["chrom"], intervals["start"], intervals["end"], strict=True))

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        self.fasta = self.fasta or open_pyfaidx(self.path)  # opened in the worker: a handle can't be shared
        chrom, start, end = self.places[index]
        letters = np.frombuffer(self.fasta[chrom][start:end].encode(), np.uint8)
        return torch.from_numpy(ROWS_OF[letters].T), index


def open_pyfaidx(path: Path):
    import pyfaidx

    return pyfaidx.Fasta(str(path), as_raw=True, sequence_always_upper=True)


def write_genome(path: Path) -> None:
    generator = np.random.default_rng(0)
    with path.open("wb") as file:
        for number in range(CONTIGS):
            lines = np.full((CONTIG_LENGTH // LINE, LINE + 1), ord("\n"), np.uint8)
            lines[:, :LINE] = np.frombuffer(b"ACGT", np.uint8)[
                generator.integers(0, 4, lines[:, :LINE].shape)
            ]
            file.write(f">chr{number}\n".encode() + lines.tobytes())


def random_intervals(genome: Genome, n: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    starts = generator.integers(0, CONTIG_LENGTH - LENGTH, n)
    chroms = generator.choice(list(genome.chromosomes), n)
    return pd.DataFrame({"chrom": chroms.astype(object), "start": starts, "end": starts + LENGTH})


def all_windows(genome: Genome, parts: list[pd.DataFrame]) -> None:
    for part in parts:
        genome.windows(part, LENGTH)


def pyfaidx_codes(fasta, intervals: pd.DataFrame) -> Tensor:
    codes = np.empty((len(intervals), LENGTH), np.uint8)
    for row, (chrom, start, end) in enumerate(
        zip(intervals["chrom"], intervals["start"], intervals["end"], strict=True)
    ):
        codes[row] = CODE_OF[np.frombuffer(fasta[chrom][start:end].encode(), np.uint8)]
    return torch.from_numpy(codes)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the time by the wall's clock and by the processor's."""
    started, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - used


def batches_a_second(loader: Iterable, ready: Callable) -> float:
    """Windows a second after the first batch, when the workers are up."""
    batches = iter(loader)
    ready(next(batches))
    started, windows = time.perf_counter(), 0
    for batch in batches:
        windows += len(ready(batch))
    return windows / (time.perf_counter() - started)


def our_loader(genome: Genome, intervals: pd.DataFrame, *, workers: int, augment: Augment | None = None):
    dataset = GenomeDataset(genome, intervals, np.arange(len(intervals)), window=LENGTH, augment=augment)
    return make_loader(dataset, EpochBatches(len(dataset), BATCH, seed=0), workers=workers)


def compare_codes(genome: Genome, path: Path, rounds: int) -> dict[str, list[float]]:
    fasta = open_pyfaidx(path)
    rates: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):  # the first round warms up
        many, few = (random_intervals(genome, n, number) for n in (200_000, 10_000))
        assert torch.equal(genome.windows(few[:500], LENGTH), pyfaidx_codes(fasta, few[:500]))
        parts = [many[first : first + 20_000] for first in range(0, len(many), 20_000)]
        for name, n, work in (
            ("genailab", len(many), partial(all_windows, genome, parts)),
            ("pyfaidx", len(few), partial(pyfaidx_codes, fasta, few)),
        ):
            wall, processor = seconds(work)
            rates[name].append(n / wall)
            rates[f"{name}, processor time"].append(n / processor)
    return rates


def compare_batches(genome: Genome, path: Path, rounds: int) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        many, few = (random_intervals(genome, n * BATCH, number) for n in (300, 60))
        theirs = DataLoader(PyfaidxWindows(path, few), batch_size=BATCH, shuffle=True, num_workers=2)
        augment = Augment(reverse_complement=True, shift=20)
        for name, loader, ready in (
            ("genailab, 2 workers", our_loader(genome, many, workers=2), our_batch),
            ("pyfaidx, 2 workers", theirs, their_batch),
            ("genailab, no worker", our_loader(genome, many, workers=0), our_batch),
            (
                "genailab, no worker, augmented",
                our_loader(genome, many, workers=0, augment=augment),
                our_batch,
            ),
        ):
            rates[name].append(batches_a_second(loader, ready))
    return rates


def our_batch(batch) -> Tensor:
    return one_hot(batch["codes"])  # (batch, 4, length)


def their_batch(batch) -> Tensor:
    return batch[0]  # (batch, 4, length)


def summary(rates: dict[str, list[float]], pairs: dict[str, str]) -> dict[str, object]:
    """Leave the first round out; ratios are of the same round."""
    kept = {name: values[1:] for name, values in rates.items()}
    ratios = {
        f"{ours} / {theirs}": [a / b for a, b in zip(kept[ours], kept[theirs], strict=True)]
        for ours, theirs in pairs.items()
    }
    return {
        "windows_per_second": {name: spread(values, digits=0) for name, values in kept.items()},
        "ratio": {name: spread(values, digits=1) for name, values in ratios.items()},
    }


def spread(values: list[float], *, digits: int) -> dict[str, float]:
    found = {"min": min(values), "median": statistics.median(values), "max": max(values)}
    return {name: round(value, digits) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.fa"
        write_genome(path)
        indexing = {"pyfaidx": seconds(lambda: open_pyfaidx(path)), "genailab": seconds(lambda: Genome(path))}
        genome = Genome(path)
        genome.fetch("chr0", 0, 1)
        result = {
            "genome": f"{CONTIGS} contigs of {CONTIG_LENGTH:,} bases, lines of {LINE}; windows of {LENGTH}",
            "rounds": rounds,
            "load_average": round(os.getloadavg()[0], 1),
            "index_seconds": {name: round(wall, 2) for name, (wall, _) in indexing.items()},
            "codes": summary(compare_codes(genome, path, rounds), CODE_PAIRS),
            "batches": summary(compare_batches(genome, path, rounds), BATCH_PAIRS),
        }
    save_result("genome_windows", result, packages=("pyfaidx",))


if __name__ == "__main__":
    main()

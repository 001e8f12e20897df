"""One-hot encoding of 100 Mb of DNA on one thread, beside tangermeme and SeqPro, in alternating runs.

Each library gets the same text and returns one byte a value in its own layout. genailab: ``(1, 4, length)``
uint8, channels first and contiguous, as a convolution reads it. tangermeme: ``(4, length)`` int8, a
transposed view of ``(length, 4)``, and once more made contiguous. SeqPro: ``(length, 4)`` uint8. genailab
also folds lower case and takes IUPAC letters, which tangermeme refuses. "genailab codes" begins at the codes
that a `Genome` keeps. Seconds are those of the processor, so that other programs on the machine weigh less;
the wall's are beside them.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1", MKL_NUM_THREADS="1")

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import seqpro
import torch
from machine import save_result
from tangermeme.utils import one_hot_encode

from genailab.data.sequences.encoding import encode, one_hot

LENGTH = 100_000_000
ROUNDS = 15
REFERENCE = "genailab text"


def main() -> None:
    torch.set_num_threads(1)
    letters = np.frombuffer(b"ACGT", np.uint8)[np.random.default_rng(0).integers(0, 4, LENGTH, np.uint8)]
    text = letters.tobytes().decode()
    codes = encode(text)
    runs: dict[str, Callable[[], Any]] = {
        REFERENCE: lambda: one_hot(text, dtype=torch.uint8),
        "genailab codes": lambda: one_hot(codes, dtype=torch.uint8),
        "tangermeme text": lambda: one_hot_encode(text),
        "tangermeme text, contiguous": lambda: one_hot_encode(text).contiguous(),
        "seqpro text": lambda: seqpro.ohe(text, seqpro.DNA),
        "seqpro bytes": lambda: seqpro.ohe(letters.view("S1"), seqpro.DNA),
    }
    check_same(text[:1001], runs)
    cpu, wall = alternate(runs)
    save_result(
        "one_hot_speed",
        {
            "letters": LENGTH,
            "rounds": ROUNDS,
            "cpu_seconds": {name: spread(values) for name, values in cpu.items()},
            "wall_seconds": {name: spread(values) for name, values in wall.items()},
            "cpu_over_genailab_from_text": {name: ratios(cpu[name], cpu[REFERENCE]) for name in runs},
            "wall_over_genailab_from_text": {name: ratios(wall[name], wall[REFERENCE]) for name in runs},
        },
        packages=("tangermeme", "seqpro", "numpy"),
    )


def check_same(text: str, runs: dict[str, Callable[[], Any]]) -> None:
    """Compile what is compiled at the first call, and see that all agree."""
    ours = one_hot(text, dtype=torch.uint8)[0]
    assert torch.equal(ours, one_hot_encode(text).to(torch.uint8))
    assert np.array_equal(ours.numpy().T, seqpro.ohe(text, seqpro.DNA))
    for run in runs.values():
        run()


def alternate(runs: dict[str, Callable[[], Any]]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Take turns in an order that changes: what one leaves in memory must not weigh on the same other."""
    order = np.random.default_rng(0)
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    wall: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name in order.permutation(list(runs)):
            began, began_cpu = time.perf_counter(), time.process_time()
            result = runs[name]()
            cpu[name].append(time.process_time() - began_cpu)
            wall[name].append(time.perf_counter() - began)
            del result
    return cpu, wall


def spread(values: list[float]) -> dict[str, float]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def ratios(values: list[float], reference: list[float]) -> dict[str, float]:
    """Compare round by round: how many times the reference's seconds."""
    return spread([value / other for value, other in zip(values, reference, strict=True)])


if __name__ == "__main__":
    main()

"""Windows of a genome with their labels, a batch at a time, as codes.

A window of 1 kb is 1 kB as codes and 16 kB one-hot: the codes travel to the device and the model makes them
one-hot there.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from genailab.data.genome.genome import Genome
from genailab.data.genome.window_places import is_minus, window_starts
from genailab.errors import InputError

__all__ = ["Augment", "GenomeDataset"]


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Changes of a window that leave its label as it is.

    Parameters
    ----------
    reverse_complement
        Read half of the windows, drawn at random, on the other strand.
    shift
        Move each window by up to so many bases either way, drawn evenly; what comes in is the genome's.
    """

    reverse_complement: bool = False
    shift: int = 0

    def __post_init__(self) -> None:
        if self.shift < 0:
            raise InputError(f"shift is {self.shift}: pass the most bases to move a window by, 0 or more")


class GenomeDataset:
    r"""Windows centred on intervals, with labels, for `training.fit` and any torch ``DataLoader``.

    What a batch is augmented with is drawn from ``seed`` and the rows of the batch in their order, and from
    nothing else: the same batch is the same in every process, with any number of workers and after a resume,
    and differs between epochs because a shuffled epoch makes other batches. A dataset that must never change
    (for validation) takes ``augment=None``.

    Parameters
    ----------
    genome
        The genome, or the path of its FASTA. Forked and spawned workers open it anew.
    intervals
        Columns ``chrom``, ``start``, ``end`` (0-based half-open) and, where there is one, ``strand``: rows on
        the minus strand are reverse complemented. All must lie on the genome (see `check_intervals`).
    labels
        One value an interval, ``label`` in a batch where they are whole numbers (int64) and ``target`` where
        they are not (float32); or several by name, each with the rows first. They must not depend on the
        strand or on the place in the window if these are augmented.
    window
        Bases of a window.
    augment
        None leaves every window as it is.
    seed
        Of the augmentation.

    Raises
    ------
    InputError
        If an interval isn't on the genome, or the labels are not one an interval or not finite; with the row.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "small.fa"
    >>> _ = path.write_text(">chr1\nACGTTGCAAC\n")
    >>> peaks = pd.DataFrame({"chrom": "chr1", "start": [1, 4], "end": [5, 8], "strand": ["+", "-"]})
    >>> batch = GenomeDataset(path, peaks, [0, 1], window=4).__getitems__([1, 0])
    >>> batch["codes"].tolist(), batch["label"].tolist()
    ([[3, 2, 1, 0], [1, 2, 3, 3]], [1, 0])
    """

    def __init__(
        self,
        genome: Genome | str | Path,
        intervals: pd.DataFrame,
        labels: ArrayLike | Mapping[str, ArrayLike] | None = None,
        *,
        window: int,
        augment: Augment | None = None,
        seed: int = 0,
    ) -> None:
        self.genome = genome if isinstance(genome, Genome) else Genome(genome)
        self.window, self.augment, self.seed = window, augment or Augment(), seed
        self.contigs = self.genome.check_inside(intervals)
        self.starts = window_starts(intervals, window)
        self.minus = is_minus(intervals)
        self.labels = _as_tensors(labels, len(intervals))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: rows[0] for name, rows in self.__getitems__([index]).items()}

    def __getitems__(self, indices: Sequence[int] | np.ndarray | Tensor) -> dict[str, Tensor]:
        """Return the windows at these positions: ``codes`` uint8 ``(batch, window)``, and their labels."""
        rows = np.asarray(indices, dtype=np.int64)
        starts, minus = self._augmented(rows)
        codes = self.genome.take(self.contigs[rows], starts, self.window, minus=minus)
        chosen = torch.from_numpy(rows)
        return {"codes": codes, **{name: values[chosen] for name, values in self.labels.items()}}

    def _augmented(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        starts, minus = self.starts[rows], self.minus[rows]
        if self.augment == Augment():
            return starts, minus
        generator = np.random.default_rng([self.seed, zlib.crc32(rows.tobytes())])
        shift = self.augment.shift
        starts = starts + generator.integers(-shift, shift, size=len(rows), endpoint=True)
        if self.augment.reverse_complement:
            minus = minus ^ (generator.random(len(rows)) < 0.5)
        return starts, minus


def _as_tensors(labels: ArrayLike | Mapping[str, ArrayLike] | None, n_rows: int) -> dict[str, Tensor]:
    if labels is None:
        return {}
    if isinstance(labels, Mapping):
        return {str(name): _as_tensor(str(name), values, n_rows) for name, values in labels.items()}
    values = np.asarray(labels)
    return {
        name: _as_tensor(name, values, n_rows) for name in ["target" if values.dtype.kind == "f" else "label"]
    }


def _as_tensor(name: str, values: ArrayLike, n_rows: int) -> Tensor:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"{name} holds {array.dtype} values, not numbers: pass class numbers or measurements"
        )
    if name == "codes":
        raise InputError(
            "labels may not be called 'codes', the name of the sequences in a batch: rename them"
        )
    if array.ndim == 0 or len(array) != n_rows:
        raise InputError(
            f"{name} holds {array.size} values of shape {array.shape} for {n_rows} intervals: give one to "
            "each"
        )
    wrong = np.flatnonzero(~np.isfinite(array).all(axis=tuple(range(1, array.ndim))))
    if len(wrong):
        raise InputError(f"{name} of row {wrong[0]} is not finite ({array[wrong[0]]}): leave the row out")
    return torch.from_numpy(array.astype(np.float32 if array.dtype.kind == "f" else np.int64))

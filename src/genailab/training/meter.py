"""Running means of the loss and its terms, without waiting for the device at every step."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from accelerate import Accelerator
from torch import Tensor

from genailab.errors import InputError

__all__ = ["Meter"]

PENDING = 50  # steps between two looks at the values: each look makes the CPU wait for a GPU


class Meter:
    """Mean over rows of the loss and of each term; stops training at the first value that isn't finite."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.sums: dict[str, float] = {}
        self.rows = 0
        self.batches = 0
        self._pending: list[tuple[Tensor, int]] = []

    def add(self, total: Tensor, terms: Mapping[str, Tensor], *, rows: int) -> None:
        """Take in a batch."""
        self.names = ("loss", *terms)
        self._pending.append((torch.stack([total, *terms.values()]).detach(), rows))
        if len(self._pending) >= PENDING:
            self.settle()

    def settle(self) -> None:
        """Add up what is pending, and check it."""
        if not self._pending:
            return
        values = torch.stack([value for value, _ in self._pending]).double().tolist()
        for row, (_, n_rows) in zip(values, self._pending, strict=True):
            self.batches += 1
            for name, value in zip(self.names, row, strict=True):
                if not math.isfinite(value):
                    raise InputError(
                        f"{name} is {value} in batch {self.batches} of this epoch: lower the learning rate, "
                        "set clip_norm=1, or look for values in the data that are not finite; the last "
                        "checkpoint, if any, is from before it"
                    )
                self.sums[name] = self.sums.get(name, 0.0) + value * n_rows
            self.rows += n_rows
        self._pending.clear()

    def flush(self) -> dict[str, float]:
        """Return the means over all processes and start anew."""
        self.settle()
        totals = torch.tensor([*self.sums.values(), self.rows], dtype=torch.float64)
        if self.accelerator.num_processes > 1:
            totals = self.accelerator.reduce(
                totals.to(self.accelerator.device, torch.float32), reduction="sum"
            ).cpu()
        means = {name: float(value / totals[-1]) for name, value in zip(self.sums, totals[:-1], strict=True)}
        self.sums, self.rows, self.batches = {}, 0, 0
        return means

    def state(self) -> dict[str, object]:
        """Return what a resumed epoch must know."""
        self.settle()
        return {"sums": self.sums, "rows": self.rows, "batches": self.batches}

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from `state`."""
        self.sums, self.rows, self.batches = dict(state["sums"]), int(state["rows"]), int(state["batches"])  # type: ignore

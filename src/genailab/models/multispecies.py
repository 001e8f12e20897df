"""One model for several species: what regulation has in common, and what each species makes of it.

    trunk    one-hot (batch, 4, window) -> features (batch, n_shared)    motifs and their grammar, conserved
    heads    one a species: features -> outputs                          levels, strengths, a species' own

Transcription factors and their motifs change slowly, the places where they bind fast: training on human and
mouse together predicts each better than training on it alone (Kelley 2020, "Cross-species regulatory sequence
activity prediction").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.errors import InputError
from genailab.nn.checks import (
    check_alphabet,
    check_at_least_one,
    check_choice,
    check_numbers,
    check_odd,
    check_one_hot,
    check_outputs,
    check_share,
    one_hot_of,
)
from genailab.nn.convolution import sequence_trunk
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.tasks import IGNORED, Task, task_loss

__all__ = ["MultiSpecies", "MultiSpeciesConfig"]


@dataclass(frozen=True, kw_only=True)
class MultiSpeciesConfig:
    """Size and meaning of a MultiSpecies model."""

    window: int  # length of the sequences
    species: tuple[str, ...]  # in the order of their numbers
    outputs: tuple[str, ...] = ("bound",)  # names of the classes, or of what is measured, in every species
    task: Task = "binary"
    alphabet: str = "DNA"
    n_filters: int = 64
    filter_length: int = 15
    pool: int = 4
    n_shared: int = 64
    dropout: float = 0.2
    weighting: Literal["rows", "species"] = "rows"  # species: each counts the same, however few its rows

    def __post_init__(self) -> None:
        check_at_least_one(self, "window", "n_filters", "pool", "n_shared")
        check_odd(self, "filter_length")
        check_share(self, "dropout")
        check_choice(self, "task", ("binary", "classes", "regression"))
        check_choice(self, "weighting", ("rows", "species"))
        check_alphabet(self)
        check_outputs(self)
        check_outputs(self, "species")
        if self.window < self.pool:
            raise InputError(
                f"the window of {self.window} is shorter than pool {self.pool}: make pool smaller"
            )


class MultiSpecies(Model):
    """A shared convolutional trunk with a head for each species; see the module for the shapes.

    ``forward`` takes one-hot ``(batch, 4, window)`` and each row's species, long ``(batch,)``, and returns
    raw logits or values ``(batch, outputs)``. Batches hold ``codes``, uint8 ``(batch, window)``, ``species``
    and ``label`` or ``target`` (see `task_loss`).

    Raises
    ------
    InputError
        If the sequences are not ``window`` long, the codes not uint8, or a species is unknown.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import one_hot
    >>> model = MultiSpecies(MultiSpeciesConfig(window=20, species=("human", "mouse")))
    >>> model(one_hot(["ACGTA" * 4] * 3), torch.tensor([0, 1, 1])).shape
    torch.Size([3, 1])
    """

    config_class = MultiSpeciesConfig
    config: MultiSpeciesConfig

    def __init__(self, config: MultiSpeciesConfig) -> None:
        super().__init__()
        self.config = c = config
        self.trunk = sequence_trunk(
            ALPHABETS[c.alphabet].size,
            n_filters=c.n_filters,
            filter_length=c.filter_length,
            pool=c.pool,
            n_out=c.n_shared,
            dropout=c.dropout,
        )
        self.heads = nn.ModuleList(nn.Linear(c.n_shared, len(c.outputs)) for _ in c.species)

    def forward(self, x: Tensor, species: Tensor) -> Tensor:
        """Return each row's outputs by the head of its species, ``(batch, outputs)``."""
        check_one_hot(x, channels=ALPHABETS[self.config.alphabet].size, window=self.config.window)
        check_numbers(species, self.config.species, name="species", n_rows=len(x))
        shared = self.trunk(x)  # (batch, n_shared)
        # All heads for all rows: then each has a gradient in every batch, 0 where its species is absent,
        # which several processes need. A head is small.
        every = torch.stack([head(shared) for head in self.heads], dim=1)  # (batch, species, outputs)
        return every[torch.arange(len(x), device=x.device), species]

    def loss(self, batch: Batch) -> Loss:
        """Return the loss over the rows, and what each species adds to it: the terms sum to the total."""
        x = one_hot_of(batch, alphabet=self.config.alphabet, window=self.config.window)
        outputs = self(x, batch["species"])
        known = batch["label"] != IGNORED if self.config.task == "classes" else True
        rows_of = [(batch["species"] == number) & known for number in range(len(self.heads))]
        present = [int(rows.sum()) for rows in rows_of]
        terms = {}
        for number, name in enumerate(self.config.species):
            if present[number]:
                found = self._loss_of(outputs, batch, rows_of[number])
                terms[name] = self._weight(present, number) * found
            else:
                terms[name] = outputs.sum() * 0.0
        return Loss(torch.stack(list(terms.values())).sum(), terms)

    def _weight(self, present: list[int], number: int) -> float:
        if self.config.weighting == "rows":
            return present[number] / sum(present)
        return 1 / sum(count > 0 for count in present)

    def _loss_of(self, outputs: Tensor, batch: Batch, rows: Tensor) -> Tensor:
        truth = {name: batch[name][rows] for name in ("label", "target") if name in batch}
        return task_loss(outputs[rows], truth, self.config.task).total

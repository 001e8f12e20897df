"""Two questions about one promoter: how strongly it is expressed, and in which tissue.

    trunk       one-hot (batch, 4, window) -> what both need to know    (batch, n_shared)
    expression  a value for each condition, squared error               (batch, expressions)
    tissue      one class, cross-entropy                                (batch, tissues)

Shared features help where one task's labels are few (Caruana 1997, "Multitask learning"); how much each task
counts is fixed, or learned from its noise (Kendall, Gal & Cipolla 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.errors import InputError
from genailab.nn.checks import (
    check_alphabet,
    check_at_least_one,
    check_choice,
    check_odd,
    check_one_hot,
    check_outputs,
    check_share,
    one_hot_of,
)
from genailab.nn.convolution import sequence_trunk
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.tasks import IGNORED
from genailab.nn.uncertainty import UncertaintyWeights

__all__ = ["Answers", "MultiTask", "MultiTaskConfig"]


@dataclass(frozen=True, kw_only=True)
class MultiTaskConfig:
    """Size and meaning of a MultiTask model."""

    window: int  # length of the sequences
    tissues: tuple[str, ...]  # names of the classes, in label order
    expressions: tuple[str, ...] = ("expression",)  # names of what is measured
    alphabet: str = "DNA"
    n_filters: int = 64
    filter_length: int = 15
    pool: int = 4
    n_shared: int = 64
    dropout: float = 0.2
    weighting: Literal["fixed", "uncertainty"] = "uncertainty"  # learned: the losses' scales differ
    expression_weight: float = 1.0  # of the fixed weighting; 0 leaves a task out
    tissue_weight: float = 1.0

    def __post_init__(self) -> None:
        check_at_least_one(self, "window", "n_filters", "pool", "n_shared")
        check_odd(self, "filter_length")
        check_share(self, "dropout")
        check_alphabet(self)
        check_choice(self, "weighting", ("fixed", "uncertainty"))
        check_outputs(self, "expressions")
        check_outputs(self, "tissues")
        if len(self.tissues) < 2:
            raise InputError(f"tissues names one class, {self.tissues[0]!r}: name at least 2")
        if self.window < self.pool:
            raise InputError(
                f"the window of {self.window} is shorter than pool {self.pool}: make pool smaller"
            )
        for name in ("expression_weight", "tissue_weight"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} is {getattr(self, name)}: it must not be negative")


class Answers(NamedTuple):
    """What a MultiTask model says of each sequence."""

    expression: Tensor  # values (batch, expressions)
    tissue: Tensor  # logits (batch, tissues)


class MultiTask(Model):
    """A shared convolutional trunk with a head for each task; see the module for the shapes.

    ``forward`` takes one-hot ``(batch, 4, window)`` and returns `Answers`. Batches hold ``codes``, uint8
    ``(batch, window)``, ``target``, float ``(batch,)`` or ``(batch, expressions)`` with NaN where nothing was
    measured, and ``label``, long ``(batch,)`` of the tissue with -100 where it is not known.

    Raises
    ------
    InputError
        If the sequences are not ``window`` long, or the codes not uint8.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import one_hot
    >>> model = MultiTask(MultiTaskConfig(window=20, tissues=("liver", "brain", "muscle")))
    >>> [tuple(answer.shape) for answer in model(one_hot(["ACGTA" * 4] * 2))]
    [(2, 1), (2, 3)]
    """

    config_class = MultiTaskConfig
    config: MultiTaskConfig

    def __init__(self, config: MultiTaskConfig) -> None:
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
        self.expression = nn.Linear(c.n_shared, len(c.expressions))
        self.tissue = nn.Linear(c.n_shared, len(c.tissues))
        if c.weighting == "uncertainty":
            self.weigh = UncertaintyWeights({"expression": "squared_error", "tissue": "cross_entropy"})

    def forward(self, x: Tensor) -> Answers:
        """Return the expression ``(batch, expressions)`` and the tissue's logits ``(batch, tissues)``."""
        check_one_hot(x, channels=ALPHABETS[self.config.alphabet].size, window=self.config.window)
        shared = self.trunk(x)  # (batch, n_shared)
        return Answers(self.expression(shared), self.tissue(shared))

    def loss(self, batch: Batch) -> Loss:
        """Return the weighted sum of both losses, with each unweighted among the terms."""
        c = self.config
        answers = self(one_hot_of(batch, alphabet=c.alphabet, window=c.window))
        terms = {
            "expression": _known_squared_error(answers.expression, batch["target"]),
            "tissue": _known_cross_entropy(answers.tissue, batch["label"]),
        }
        if c.weighting == "uncertainty":
            return Loss(self.weigh(terms), terms)
        total = c.expression_weight * terms["expression"] + c.tissue_weight * terms["tissue"]
        return Loss(total, terms)


def _known_squared_error(values: Tensor, target: Tensor) -> Tensor:
    target = target.to(values.dtype).reshape(values.shape)
    known = ~target.isnan()
    # Filled before the subtraction: NaN times 0 is still NaN, also in the gradient.
    squared = (values - torch.where(known, target, 0.0)).square() * known
    return squared.sum() / known.sum().clamp(min=1)


def _known_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    # A batch without any known tissue has a loss of 0, not 0 / 0.
    known = (label != IGNORED).sum().clamp(min=1)
    return cross_entropy(logits, label, ignore_index=IGNORED, reduction="sum") / known

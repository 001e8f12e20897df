"""A bidirectional GRU with attention: which letters made the model say what it says.

    one-hot (batch, 4, length) -> GRU (batch, length, 2 * n_hidden) -> weighted mean over positions -> outputs

The weights sum to 1 over the letters of a sequence and can be looked at (`GRUAttention.attention`). They say
where the model took its summary from, not what caused the prediction (Jain & Wallace 2019, "Attention is not
Explanation"): hold them against in-silico mutagenesis. GRU: Cho et al. 2014; additive attention: Bahdanau,
Cho & Bengio 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.nn.attention import AdditiveAttention, DotAttention
from genailab.nn.checks import (
    check_alphabet,
    check_at_least_one,
    check_choice,
    check_one_hot,
    check_outputs,
    check_share,
    one_hot_of,
)
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.padding import checked_lengths, position_mask
from genailab.nn.recurrence import Bidirectional, LockedDropout
from genailab.nn.tasks import Task, task_loss

__all__ = ["GRUAttention", "GRUAttentionConfig"]


@dataclass(frozen=True, kw_only=True)
class GRUAttentionConfig:
    """Size and meaning of a GRUAttention."""

    outputs: tuple[str, ...] = ("bound",)  # names of the classes, or of what is measured
    task: Task = "binary"
    alphabet: str = "DNA"
    n_hidden: int = 64  # of each direction
    n_layers: int = 1
    attention: Literal["additive", "dot"] = "additive"  # dot: fewer parameters, one linear score
    dropout: float = 0.2

    def __post_init__(self) -> None:
        check_at_least_one(self, "n_hidden", "n_layers")
        check_share(self, "dropout")
        check_choice(self, "task", ("binary", "classes", "regression"))
        check_choice(self, "attention", ("additive", "dot"))
        check_alphabet(self)
        check_outputs(self)


class GRUAttention(Model):
    """Bidirectional GRU, attention over its states, and a linear head; see the module for the shapes.

    ``forward`` takes one-hot ``(batch, 4, length)`` and the lengths ``(batch,)`` of padded rows, and returns
    raw logits or values ``(batch, outputs)``. Batches hold ``codes``, uint8 ``(batch, length)``, ``length``
    where rows are padded, and ``label`` or ``target`` (see `task_loss`).

    Raises
    ------
    InputError
        If the sequences are not one-hot, the codes not uint8, or a length is below 1 or beyond the batch.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import one_hot
    >>> model = GRUAttention(GRUAttentionConfig(outputs=("CTCF", "PU.1")))
    >>> x = one_hot(["ACGTACGT", "GGGGCCCC"])
    >>> model(x).shape, model.attention(x).shape
    (torch.Size([2, 2]), torch.Size([2, 8]))
    """

    config_class = GRUAttentionConfig
    config: GRUAttentionConfig

    def __init__(self, config: GRUAttentionConfig) -> None:
        super().__init__()
        self.config = c = config
        self.n_letters = ALPHABETS[c.alphabet].size
        self.gru = Bidirectional(nn.GRU, self.n_letters, c.n_hidden, n_layers=c.n_layers, dropout=c.dropout)
        self.dropout = LockedDropout(c.dropout)
        n_read = 2 * c.n_hidden
        self.pool = (
            AdditiveAttention(n_read, c.n_hidden) if c.attention == "additive" else DotAttention(n_read)
        )
        self.head = nn.Linear(n_read, len(c.outputs))

    def forward(self, x: Tensor, length: Tensor | None = None) -> Tensor:
        """Return raw logits or values, ``(batch, outputs)``."""
        states, mask = self._read(x, length)
        return self.head(self.pool(self.dropout(states), mask))

    def attention(self, x: Tensor, length: Tensor | None = None) -> Tensor:
        """Return each letter's weight, ``(batch, length)``: rows sum to 1, padding has 0."""
        return self.pool.weights(*self._read(x, length))

    def _read(self, x: Tensor, length: Tensor | None) -> tuple[Tensor, Tensor]:
        check_one_hot(x, channels=self.n_letters, window=None)
        length = checked_lengths(length, n_rows=x.shape[0], n_positions=x.shape[2], device=x.device)
        states = self.gru(x.transpose(1, 2), length)  # (batch, length, 2 * n_hidden)
        return states, position_mask(length, x.shape[2])

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the task, averaged over the batch."""
        x = one_hot_of(batch, alphabet=self.config.alphabet, window=None)
        return task_loss(self(x, batch.get("length")), batch, self.config.task)

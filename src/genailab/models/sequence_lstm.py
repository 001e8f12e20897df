"""An LSTM that reads a sequence of any length letter by letter and says one thing about it.

    one-hot (batch, 4, length) -> packed rows -> LSTM -> last state or mean (batch, n_read) -> outputs

Packing lays the rows of a batch side by side without their padding: a row's last state is that of its last
letter, and what stands after it cannot matter. Hochreiter & Schmidhuber 1997, "Long Short-Term Memory".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from genailab.data.sequences.alphabet import ALPHABETS
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
from genailab.nn.padding import checked_lengths, masked_mean, position_mask
from genailab.nn.tasks import Task, task_loss

__all__ = ["SequenceLSTM", "SequenceLSTMConfig"]


@dataclass(frozen=True, kw_only=True)
class SequenceLSTMConfig:
    """Size and meaning of a SequenceLSTM."""

    outputs: tuple[str, ...] = ("bound",)  # names of the classes, or of what is measured
    task: Task = "binary"
    alphabet: str = "DNA"
    n_hidden: int = 64  # of each direction
    n_layers: int = 1
    bidirectional: bool = True  # a sequence has no direction of time: both sides of a letter matter
    pooling: Literal["last", "mean"] = "mean"  # the last state alone forgets the start of long sequences
    dropout: float = 0.2

    def __post_init__(self) -> None:
        check_at_least_one(self, "n_hidden", "n_layers")
        check_share(self, "dropout")
        check_choice(self, "task", ("binary", "classes", "regression"))
        check_choice(self, "pooling", ("last", "mean"))
        check_alphabet(self)
        check_outputs(self)


class SequenceLSTM(Model):
    """Packed LSTM over one-hot letters, pooled, and a linear head; see the module for the shapes.

    ``forward`` takes one-hot ``(batch, 4, length)`` and the lengths ``(batch,)`` of padded rows, and returns
    raw logits or values ``(batch, outputs)``. Batches hold ``codes``, uint8 ``(batch, length)``, ``length``
    where rows are padded, and ``label`` or ``target`` (see `task_loss`).

    Training on a CPU is an order of magnitude faster where the rows of a batch have one length: see
    `genailab.nn.recurrence` for the measurement and for a layer without packing.

    Raises
    ------
    InputError
        If the sequences are not one-hot, the codes not uint8, or a length is below 1 or beyond the batch.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import one_hot
    >>> model = SequenceLSTM(SequenceLSTMConfig(outputs=("low", "high"), task="classes"))
    >>> model(one_hot(["ACGTACG", "ACG"]), torch.tensor([7, 3])).shape
    torch.Size([2, 2])
    """

    config_class = SequenceLSTMConfig
    config: SequenceLSTMConfig

    def __init__(self, config: SequenceLSTMConfig) -> None:
        super().__init__()
        self.config = c = config
        self.n_letters = ALPHABETS[c.alphabet].size
        self.lstm = nn.LSTM(
            self.n_letters,
            c.n_hidden,
            c.n_layers,
            batch_first=True,
            bidirectional=c.bidirectional,
            dropout=c.dropout if c.n_layers > 1 else 0.0,  # torch applies it between layers only
        )
        self.dropout = nn.Dropout(c.dropout)
        self.head = nn.Linear(c.n_hidden * (2 if c.bidirectional else 1), len(c.outputs))

    def forward(self, x: Tensor, length: Tensor | None = None) -> Tensor:
        """Return raw logits or values, ``(batch, outputs)``."""
        check_one_hot(x, channels=self.n_letters, window=None)
        length = checked_lengths(length, n_rows=x.shape[0], n_positions=x.shape[2], device=x.device)
        packed = pack_padded_sequence(
            x.transpose(1, 2),  # (batch, length, 4)
            length.cpu(),  # torch wants them there
            batch_first=True,
            enforce_sorted=False,
        )
        read, (last, _) = self.lstm(packed)
        pooled = self._last(last) if self.config.pooling == "last" else _mean(read, length)
        return self.head(self.dropout(pooled))

    def _last(self, states: Tensor) -> Tensor:
        """Last layer's states ``(layers * directions, batch, n_hidden)`` to ``(batch, n_read)``."""
        n_directions = 2 if self.config.bidirectional else 1
        return torch.cat(list(states[-n_directions:]), dim=1)

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the task, averaged over the batch."""
        x = one_hot_of(batch, alphabet=self.config.alphabet, window=None)
        return task_loss(self(x, batch.get("length")), batch, self.config.task)


def _mean(read: PackedSequence, length: Tensor) -> Tensor:
    states, _ = pad_packed_sequence(read, batch_first=True)  # (batch, longest, n_read)
    return masked_mean(states, position_mask(length, states.shape[1]))

"""Promoter activity from a three-layer perceptron on the letters.

    one-hot (batch, 4, window) -> flat (batch, 4 window) -> hidden -> hidden -> outputs (batch, outputs)

Each weight of the first layer belongs to one letter at one position, so the sequences must be aligned: on the
transcription start site, or as variants of one promoter. The simplest network that can learn that two letters
matter together.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.errors import InputError
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
from genailab.nn.tasks import Task, task_loss

__all__ = ["PromoterMLP", "PromoterMLPConfig"]


@dataclass(frozen=True, kw_only=True)
class PromoterMLPConfig:
    """Size and meaning of a PromoterMLP."""

    window: int  # length of the sequences
    outputs: tuple[str, ...] = ("activity",)  # names of what is measured, or of the classes
    task: Task = "regression"
    alphabet: str = "DNA"
    n_hidden: tuple[int, ...] = (128, 64)  # two hidden layers and the output make three
    dropout: float = 0.2
    batch_norm: bool = True  # faster training; turn it off for batches of a few rows

    def __post_init__(self) -> None:
        check_at_least_one(self, "window", "n_hidden")
        check_share(self, "dropout")
        check_choice(self, "task", ("binary", "classes", "regression"))
        check_alphabet(self)
        check_outputs(self)
        if len(self.n_hidden) != 2:
            raise InputError(f"n_hidden is {self.n_hidden}: give the widths of the two hidden layers")


class PromoterMLP(Model):
    """Three linear layers on flattened one-hot sequences.

    ``forward`` takes one-hot ``(batch, 4, window)`` and returns raw values or logits ``(batch, outputs)``.
    Batches hold ``codes``, uint8 ``(batch, window)``, and ``target`` or ``label`` (see `task_loss`).

    Raises
    ------
    InputError
        If the sequences are not ``window`` long, or the codes not uint8.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import one_hot
    >>> PromoterMLP(PromoterMLPConfig(window=8))(one_hot(["TATAATGC", "TTGACATA"])).shape
    torch.Size([2, 1])
    """

    config_class = PromoterMLPConfig
    config: PromoterMLPConfig

    def __init__(self, config: PromoterMLPConfig) -> None:
        super().__init__()
        self.config = c = config
        first, second = c.n_hidden
        self.layers = nn.Sequential(
            nn.Flatten(),  # (batch, 4 * window)
            *_hidden(ALPHABETS[c.alphabet].size * c.window, first, c),
            *_hidden(first, second, c),
            nn.Linear(second, len(c.outputs)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return raw values or logits, ``(batch, outputs)``."""
        check_one_hot(x, channels=ALPHABETS[self.config.alphabet].size, window=self.config.window)
        return self.layers(x)

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the task, averaged over the batch."""
        x = one_hot_of(batch, alphabet=self.config.alphabet, window=self.config.window)
        return task_loss(self(x), batch, self.config.task)


def _hidden(n_in: int, n_out: int, config: PromoterMLPConfig) -> list[nn.Module]:
    norm = [nn.BatchNorm1d(n_out)] if config.batch_norm else []
    return [nn.Linear(n_in, n_out), *norm, nn.ReLU(), nn.Dropout(config.dropout)]

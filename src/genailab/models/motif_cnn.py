"""A convolutional network whose first layer learns motifs.

    filters   one-hot -> how well each filter matches at each position    (batch, n_filters, window)
    blocks    combinations of matches: spacing, order                     (batch, n_hidden, shorter)
    head      what was found anywhere -> outputs                          (batch, outputs)

Each filter is a position weight matrix in all but name: trained on binding, it becomes the protein's motif.
The design of Basset (Kelley, Snoek & Rinn 2016, figure 1), small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

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
from genailab.nn.convolution import Exponential
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.strands import Strands, over_strands
from genailab.nn.tasks import Task, task_loss

__all__ = ["MotifCNN", "MotifCNNConfig"]


@dataclass(frozen=True, kw_only=True)
class MotifCNNConfig:
    """Size and meaning of a MotifCNN."""

    window: int  # length of the sequences
    outputs: tuple[str, ...] = ("bound",)  # names of the classes, or of what is measured
    task: Task = "binary"
    alphabet: str = "DNA"
    n_filters: int = 64
    filter_length: int = 19  # as long as the long motifs (CTCF's is 19); shorter ones leave the ends flat
    activation: Literal["relu", "exponential"] = "relu"  # of the filters; exponential gives cleaner motifs
    pool: int = 4  # positions that share one match: binding rarely depends on the exact base
    n_hidden: int = 64
    n_blocks: int = 1  # convolutions after the filters
    kernel: int = 5  # of those, in pooled positions
    pooling: Literal["max", "average", "flatten"] = "max"  # flatten where the position matters
    n_dense: int = 64
    dropout: float = 0.2
    strands: Strands = "given"  # "mean" or "max": the same prediction for both strands, at twice the work

    def __post_init__(self) -> None:
        check_at_least_one(self, "window", "n_filters", "pool", "n_hidden", "n_dense")
        check_odd(self, "filter_length", "kernel")
        check_share(self, "dropout")
        check_choice(self, "task", ("binary", "classes", "regression"))
        check_choice(self, "activation", ("relu", "exponential"))
        check_choice(self, "pooling", ("max", "average", "flatten"))
        check_choice(self, "strands", ("given", "mean", "max"))
        check_alphabet(self, two_strands=self.strands != "given")
        check_outputs(self)
        if self.n_blocks < 0:
            raise InputError(f"n_blocks is {self.n_blocks}: it must not be negative")
        if self.window < max(self.filter_length, self.pool):
            raise InputError(
                f"the window of {self.window} is shorter than filter_length {self.filter_length} or pool "
                f"{self.pool}: make those shorter, or the window longer"
            )


class MotifCNN(Model):
    """Motif filters, convolutions over their matches, and a dense head; see the module for the shapes.

    ``forward`` takes one-hot ``(batch, 4, window)`` and returns raw logits or values ``(batch, outputs)``.
    Batches hold ``codes``, uint8 ``(batch, window)``, and ``label`` or ``target`` (see `task_loss`); unknown
    letters match nothing. `features` and `head` are plain ``nn.Sequential`` of torch's own layers.

    Raises
    ------
    InputError
        If the sequences are not ``window`` long, or the codes not uint8.

    Examples
    --------
    >>> import torch
    >>> from genailab.data.sequences.encoding import one_hot
    >>> model = MotifCNN(MotifCNNConfig(window=40, outputs=("CTCF", "PU.1")))
    >>> model(one_hot(["ACGT" * 10] * 3)).shape
    torch.Size([3, 2])
    """

    config_class = MotifCNNConfig
    config: MotifCNNConfig

    def __init__(self, config: MotifCNNConfig) -> None:
        super().__init__()
        self.config = c = config
        filters = nn.Conv1d(
            ALPHABETS[c.alphabet].size, c.n_filters, c.filter_length, padding=c.filter_length // 2
        )
        activation = Exponential() if c.activation == "exponential" else nn.ReLU()
        layers = [
            filters,
            nn.BatchNorm1d(c.n_filters),
            activation,
            nn.MaxPool1d(c.pool),
            nn.Dropout(c.dropout),
        ]
        n_features = c.n_filters
        for _ in range(c.n_blocks):
            layers += [nn.Conv1d(n_features, c.n_hidden, c.kernel, padding=c.kernel // 2)]
            layers += [nn.BatchNorm1d(c.n_hidden), nn.ReLU(), nn.Dropout(c.dropout)]
            n_features = c.n_hidden
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            *_pooling(c),
            nn.Linear(n_features * (c.window // c.pool if c.pooling == "flatten" else 1), c.n_dense),
            nn.ReLU(),
            nn.Dropout(c.dropout),
            nn.Linear(c.n_dense, len(c.outputs)),
        )

    @property
    def filters(self) -> nn.Conv1d:
        """The motif filters: weights ``(n_filters, 4, filter_length)``."""
        return self.features[0]  # type: ignore[return-value]

    @property
    def detectors(self) -> nn.Sequential:
        """From one-hot to each filter's rectified match at each position, ``(batch, n_filters, window)``.

        Position i of a match is the middle of the filter: it covers ``i - filter_length // 2`` onwards.
        """
        return self.features[:3]  # type: ignore[return-value]

    def one_strand(self, x: Tensor) -> Tensor:
        """Return the outputs for the strand as it is read, ``(batch, outputs)``."""
        return self.head(self.features(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return raw logits or values, ``(batch, outputs)``."""
        check_one_hot(x, channels=self.filters.in_channels, window=self.config.window)
        return over_strands(self.one_strand, x, self.config.strands)

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the task, averaged over the batch."""
        x = one_hot_of(batch, alphabet=self.config.alphabet, window=self.config.window)
        return task_loss(self(x), batch, self.config.task)


def _pooling(config: MotifCNNConfig) -> list[nn.Module]:
    if config.pooling == "flatten":
        return [nn.Flatten()]
    pool = nn.AdaptiveMaxPool1d(1) if config.pooling == "max" else nn.AdaptiveAvgPool1d(1)
    return [pool, nn.Flatten()]

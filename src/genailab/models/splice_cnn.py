"""A convolutional network for splice sites: parallel kernels, dilated residual blocks, pooling.

    stem      kernels of several lengths over the one-hot letters     (batch, n_channels, window)
    blocks    residual, dilated 1, 2, 4, ...: from motifs to context  (batch, n_channels, window)
    pool      positions -> features                                   (batch, n_features)
    head      features -> logits                                      (batch, outputs)

After SpliceAI's residual blocks (Jaganathan et al. 2019, "Predicting splicing from primary sequence with deep
learning", figure S1) and Inception's parallel kernels, at a size that trains on a laptop.
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
from genailab.nn.convolution import AttentionPool, Centre, MaxAndMean, ParallelConv, ResidualDilatedBlock
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.tasks import Task, task_loss

__all__ = ["SpliceCNN", "SpliceCNNConfig"]


@dataclass(frozen=True, kw_only=True)
class SpliceCNNConfig:
    """Size and meaning of a SpliceCNN."""

    window: int = 60  # length of the sequences; 60 are those of the UCI set
    outputs: tuple[str, ...] = ("donor", "acceptor", "neither")  # names of the classes, in label order
    task: Task = "classes"
    alphabet: str = "DNA"
    n_each: int = 16  # filters of each kernel length
    kernels: tuple[int, ...] = (3, 7, 15)  # GT or AG; the consensus around it; the pyrimidine tract
    dilations: tuple[int, ...] = (1, 2, 4)  # one residual block each
    block_kernel: int = 5
    # flatten and centre know where the site is, for windows aligned on it; global and attention find it
    # anywhere, for windows cut elsewhere.
    pooling: Literal["global", "attention", "centre", "flatten"] = "flatten"
    n_dense: int = 64
    dropout: float = 0.3

    def __post_init__(self) -> None:
        check_at_least_one(self, "window", "n_each", "dilations", "n_dense")
        check_odd(self, "kernels", "block_kernel")
        check_share(self, "dropout")
        check_choice(self, "task", ("binary", "classes", "regression"))
        check_choice(self, "pooling", ("global", "attention", "centre", "flatten"))
        check_alphabet(self)
        check_outputs(self)
        if not self.kernels:
            raise InputError("kernels is empty: give at least one odd length, for example kernels=(7,)")


class SpliceCNN(Model):
    """Parallel kernels, residual dilated blocks, pooling and a head; see the module for the shapes.

    ``forward`` takes one-hot ``(batch, 4, window)`` and returns raw logits ``(batch, outputs)``. Batches hold
    ``codes``, uint8 ``(batch, window)``, and ``label`` or ``target`` (see `task_loss`).

    Raises
    ------
    InputError
        If the sequences are not ``window`` long, or the codes not uint8.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import one_hot
    >>> SpliceCNN(SpliceCNNConfig(window=60))(one_hot(["CAGGTAAGTA" * 6] * 2)).shape
    torch.Size([2, 3])
    """

    config_class = SpliceCNNConfig
    config: SpliceCNNConfig

    def __init__(self, config: SpliceCNNConfig) -> None:
        super().__init__()
        self.config = c = config
        self.stem = ParallelConv(ALPHABETS[c.alphabet].size, c.n_each, c.kernels)
        n = self.stem.n_out
        self.blocks = nn.Sequential(
            *[ResidualDilatedBlock(n, c.block_kernel, dilation=d, dropout=c.dropout) for d in c.dilations],
            nn.BatchNorm1d(n),
            nn.ReLU(),
        )
        self.pool, n_features = _pooling(c, n)
        self.head = nn.Sequential(
            nn.Dropout(c.dropout),
            nn.Linear(n_features, c.n_dense),
            nn.ReLU(),
            nn.Dropout(c.dropout),
            nn.Linear(c.n_dense, len(c.outputs)),
        )

    @property
    def receptive_field(self) -> int:
        """Positions that a feature before the pooling depends on, centred on its own."""
        c = self.config
        return max(c.kernels) + sum(2 * dilation * (c.block_kernel - 1) for dilation in c.dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Return raw logits or values, ``(batch, outputs)``."""
        check_one_hot(x, channels=ALPHABETS[self.config.alphabet].size, window=self.config.window)
        features = self.blocks(self.stem(x))  # (batch, n_channels, window)
        return self.head(self.pool(features))

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the task, averaged over the batch."""
        x = one_hot_of(batch, alphabet=self.config.alphabet, window=self.config.window)
        return task_loss(self(x), batch, self.config.task)


def _pooling(config: SpliceCNNConfig, n_channels: int) -> tuple[nn.Module, int]:
    """Return the pooling layer and how many features it gives."""
    if config.pooling == "global":
        return MaxAndMean(), 2 * n_channels
    if config.pooling == "attention":
        return AttentionPool(n_channels), n_channels
    if config.pooling == "centre":
        return Centre(), n_channels * (2 - config.window % 2)
    return nn.Flatten(), n_channels * config.window

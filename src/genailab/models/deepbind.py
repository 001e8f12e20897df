"""DeepBind: sequence specificities of proteins that bind DNA or RNA.

    conv      motif detectors over the padded sequence     X = S * M          (batch, d, window + m - 1)
    rectify   what exceeds each detector's threshold       Y = max(0, X - b)  (batch, d, window + m - 1)
    pool      strongest and average response               z                  (batch, 2 d) or (batch, d)
    net       none or one hidden layer                     f = W z + w0       (batch, outputs)

and the larger score of the two strands for double-stranded DNA. Alipanahi, Delong, Weirauch & Frey 2015,
"Predicting the sequence specificities of DNA- and RNA-binding proteins by deep learning", figure 2 and
supplementary notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
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
from genailab.nn.convolution import MaxAndMean
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.strands import Strands, over_strands
from genailab.nn.tasks import Task, task_loss

__all__ = ["DeepBind", "DeepBindConfig"]


@dataclass(frozen=True, kw_only=True)
class DeepBindConfig:
    """Size and meaning of a DeepBind model; `chip` and `microarray` give the paper's two settings."""

    window: int  # length of the sequences
    outputs: tuple[str, ...] = ("bound",)  # what is bound, or measured
    task: Task = "binary"
    alphabet: str = "DNA"
    n_detectors: int = 16
    detector_length: int = 24  # about 1.5 times the motif, so that it may lie off the middle
    pooling: Literal["max", "max_and_mean"] = "max_and_mean"  # longest match; sum of short ones
    n_hidden: int = 32  # 0 for none: the score is then linear in the pooled responses
    dropout: float = 0.5  # of the hidden layer, or of the pooled responses where there is none
    strands: Strands = "max"  # "given" for RNA and for probes whose one end is fixed
    init_std: float = 0.1  # of the detectors before training

    def __post_init__(self) -> None:
        check_at_least_one(self, "window", "n_detectors", "detector_length")
        check_share(self, "dropout")
        check_choice(self, "task", ("binary", "classes", "regression"))
        check_choice(self, "pooling", ("max", "max_and_mean"))
        check_choice(self, "strands", ("given", "mean", "max"))
        check_alphabet(self, two_strands=self.strands != "given")
        check_outputs(self)
        if self.n_hidden < 0:
            raise InputError(f"n_hidden is {self.n_hidden}: give a width, or 0 for no hidden layer")
        if not self.init_std > 0:
            raise InputError(f"init_std is {self.init_std}: it must be positive, for example 0.1")

    @classmethod
    def chip(cls, *, window: int = 101, outputs: tuple[str, ...] = ("bound",)) -> DeepBindConfig:
        """Peaks against shuffled peaks: a probability, from either strand."""
        return cls(window=window, outputs=outputs, task="binary", strands="max")

    @classmethod
    def microarray(cls, *, window: int = 60, outputs: tuple[str, ...] = ("intensity",)) -> DeepBindConfig:
        """Intensities of a protein-binding microarray: one end of a probe is fixed, so strands differ."""
        return cls(window=window, outputs=outputs, task="regression", strands="given")


class DeepBind(Model):
    """Motif detectors, rectification, pooling and a small network; see the module for the equations.

    ``forward`` takes one-hot ``(batch, 4, window)`` and returns raw scores ``(batch, outputs)``. Batches hold
    ``codes``, uint8 ``(batch, window)``, and ``label`` or ``target`` (see `task_loss`). Unknown letters and
    positions beyond the ends are 1/4 of each letter, as in the paper.

    Raises
    ------
    InputError
        If the sequences are not ``window`` long, or the codes not uint8.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import one_hot
    >>> model = DeepBind(DeepBindConfig.chip(window=40)).eval()
    >>> model(one_hot(["ACGTTGCAGG" * 4])).shape
    torch.Size([1, 1])
    """

    config_class = DeepBindConfig
    config: DeepBindConfig

    def __init__(self, config: DeepBindConfig) -> None:
        super().__init__()
        self.config = c = config
        n_letters = ALPHABETS[c.alphabet].size
        detectors = nn.Conv1d(n_letters, c.n_detectors, c.detector_length)
        nn.init.normal_(detectors.weight, std=c.init_std)
        nn.init.constant_(detectors.bias, 0.0)  # type: ignore[arg-type]
        # Padded so that a detector may hang over either end of a peak or probe.
        pad = nn.ConstantPad1d(c.detector_length - 1, 1 / n_letters)
        self.features = nn.Sequential(pad, detectors, nn.ReLU())
        n_pooled = c.n_detectors * (2 if c.pooling == "max_and_mean" else 1)
        pool = [MaxAndMean()] if c.pooling == "max_and_mean" else [nn.AdaptiveMaxPool1d(1), nn.Flatten()]
        hidden = [nn.Linear(n_pooled, c.n_hidden), nn.ReLU()] if c.n_hidden else []
        self.head = nn.Sequential(
            *pool, *hidden, nn.Dropout(c.dropout), nn.Linear(c.n_hidden or n_pooled, len(c.outputs))
        )

    @property
    def filters(self) -> nn.Conv1d:
        """The motif detectors: weights ``(n_detectors, 4, detector_length)``."""
        return self.features[1]  # type: ignore[return-value]

    @property
    def detectors(self) -> nn.Sequential:
        """From one-hot to rectified responses ``(batch, n_detectors, window + detector_length - 1)``.

        Response i covers the sequence from ``i - (detector_length - 1)`` onwards.
        """
        return self.features

    @torch.no_grad()
    def start_from(self, matrices: Sequence[np.ndarray]) -> None:
        """Let the first detectors start from log-odds matrices ``(4, length)``, centred in the detector.

        Raises
        ------
        InputError
            If there are more matrices than detectors, or one is longer than a detector.
        """
        c, weight = self.config, self.filters.weight
        if len(matrices) > c.n_detectors:
            raise InputError(
                f"{len(matrices)} matrices do not fit into {c.n_detectors} detectors: give fewer"
            )
        for row, matrix in enumerate(matrices):
            length = matrix.shape[-1]
            if matrix.shape != (weight.shape[1], length) or length > c.detector_length:
                raise InputError(
                    f"matrix {row} has the shape {matrix.shape}: give ({weight.shape[1]}, length) with a "
                    f"length of at most {c.detector_length}, the detector's"
                )
            first = (c.detector_length - length) // 2
            weight[row].zero_()
            values = torch.as_tensor(matrix, dtype=weight.dtype, device=weight.device)
            # On the scale of the other detectors, so that none drowns the rest at the start.
            weight[row, :, first : first + length] = values * (c.init_std / values.std().clamp(min=1e-8))

    def one_strand(self, x: Tensor) -> Tensor:
        """Return the scores of the strand as it is read, ``(batch, outputs)``."""
        return self.head(self.features(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return raw scores, ``(batch, outputs)``: logits for the classification tasks."""
        check_one_hot(x, channels=self.filters.in_channels, window=self.config.window)
        return over_strands(self.one_strand, x, self.config.strands)

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the task, averaged over the batch."""
        x = one_hot_of(batch, alphabet=self.config.alphabet, window=self.config.window, unknown="uniform")
        return task_loss(self(x), batch, self.config.task)

"""Convolutions along a sequence: several kernel lengths side by side, dilated residual blocks, pooling.

All keep the length: position i of the output stands for position i of the input, with zeros beyond the ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = [
    "AttentionPool",
    "Centre",
    "Exponential",
    "MaxAndMean",
    "ParallelConv",
    "ResidualDilatedBlock",
    "sequence_trunk",
]


class ParallelConv(nn.Module):
    """Kernels of several odd lengths over the same sequence, their channels side by side.

    ``(batch, n_in, length)`` to ``(batch, n_each * len(kernels), length)``. A short kernel sees the two
    letters of a splice site, a long one the pyrimidine tract before it. Szegedy et al. 2015, "Going deeper
    with convolutions", figure 2a.
    """

    def __init__(self, n_in: int, n_each: int, kernels: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv1d(n_in, n_each, k, padding=k // 2) for k in kernels)
        self.n_out = n_each * len(kernels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of every kernel length."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class ResidualDilatedBlock(nn.Module):
    """Two dilated convolutions beside a shortcut: ``x + conv(relu(norm(conv(relu(norm(x))))))``.

    ``(batch, n_channels, length)`` to the same shape. An output depends on ``receptive_field`` positions,
    centred on its own. He et al. 2016, "Identity mappings in deep residual networks", figure 1b; dilated for
    splicing by Jaganathan et al. 2019.

    Parameters
    ----------
    n_channels
        Channels in and out.
    kernel
        Odd length of both kernels.
    dilation
        Distance of the positions that a kernel looks at.
    dropout
        Share of the channels dropped before the second convolution.
    eps, momentum
        Of the batch normalisation.
    """

    def __init__(
        self,
        n_channels: int,
        kernel: int,
        *,
        dilation: int = 1,
        dropout: float = 0.0,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        self.receptive_field = 1 + 2 * dilation * (kernel - 1)
        padding = dilation * (kernel // 2)
        self.norm1 = nn.BatchNorm1d(n_channels, eps=eps, momentum=momentum)
        self.conv1 = nn.Conv1d(n_channels, n_channels, kernel, dilation=dilation, padding=padding)
        self.norm2 = nn.BatchNorm1d(n_channels, eps=eps, momentum=momentum)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv1d(n_channels, n_channels, kernel, dilation=dilation, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        hidden = self.conv1(self.norm1(x).relu())
        return x + self.conv2(self.dropout(self.norm2(hidden).relu()))


class Exponential(nn.Module):
    """``exp(x)``, as the activation of a first layer: it pushes filters towards whole motifs.

    A filter must silence its background to stay finite, so it learns one motif rather than a part of many.
    Koo & Ploenzke 2021, "Improving representations of genomic sequence motifs in convolutional networks with
    exponential activations".
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        return x.exp()


class MaxAndMean(nn.Module):
    """The largest and the mean value of each channel: ``(batch, n, length)`` to ``(batch, 2 n)``."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the maxima first, then the means."""
        return torch.cat([x.amax(dim=2), x.mean(dim=2)], dim=1)


def sequence_trunk(
    n_letters: int, *, n_filters: int, filter_length: int, pool: int, n_out: int, dropout: float
) -> nn.Sequential:
    """Motifs, then their combinations, then what a sequence has of each: what several heads share.

    One-hot ``(batch, n_letters, length)`` to ``(batch, n_out)``.
    """
    return nn.Sequential(
        nn.Conv1d(n_letters, n_filters, filter_length, padding=filter_length // 2),
        nn.BatchNorm1d(n_filters),
        nn.ReLU(),
        nn.MaxPool1d(pool),
        nn.Conv1d(n_filters, n_out, 5, padding=2),
        nn.BatchNorm1d(n_out),
        nn.ReLU(),
        MaxAndMean(),  # (batch, 2 * n_out): is it there, and how much of it
        nn.Linear(2 * n_out, n_out),
        nn.ReLU(),
        nn.Dropout(dropout),
    )


class AttentionPool(nn.Module):
    """A weighted mean over positions with learned weights: ``(batch, n, length)`` to ``(batch, n)``."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        # No bias: a softmax doesn't see what is added to every score.
        self.score = nn.Conv1d(n_channels, 1, 1, bias=False)

    def weights(self, x: Tensor) -> Tensor:
        """Return how much each position counts, ``(batch, length)``; each row sums to 1."""
        return self.score(x).squeeze(1).softmax(dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted mean of each channel."""
        return torch.einsum("bcl,bl->bc", x, self.weights(x))


class Centre(nn.Module):
    """The middle of the sequence: one position of an odd length, the two beside the middle of an even one.

    ``(batch, n, length)`` to ``(batch, n)`` or ``(batch, 2 n)``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of the middle, channel by channel."""
        half = (x.shape[2] - 1) // 2
        return x[:, :, half : x.shape[2] - half].flatten(1)

"""A 1-D U-Net: convolutions at several resolutions, the fine ones beside the coarse ones.

    down    a block, then half the positions and more channels, ``depth`` times
    middle  a block over the coarsest positions
    up      twice the positions, the features of the way down beside them, a block

Ronneberger et al. 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation"; with time and
condition as in Ho et al. 2020, appendix B, and the scale and shift of Dhariwal & Nichol 2021, section 3. Each
position is normalised over its own channels (not over the sequence, as group normalisation would), so that
padding has no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d, pad, silu

from genailab.generative.diffusion.networks.context import zero_linear
from genailab.generative.diffusion.networks.sequence import SequenceNetwork
from genailab.nn.conditioning import Categories

__all__ = ["ChannelNorm", "ConvBlock", "UNet1d"]


class UNet1d(SequenceNetwork):
    """From ``(batch, channels_in, length)`` to ``(batch, channels_out, length)``, 0 before training.

    Any length: it is padded to a multiple of ``2 ** depth`` inside and cropped after. Moving a sequence by
    ``2 ** depth`` positions moves the prediction as far, apart from what lies within ``reach`` of an end.

    Parameters
    ----------
    channels_in, channels_out
        Channels of the input and of the prediction.
    categories
        Category names of each covariate.
    width
        Channels at full resolution; ``width`` more at each coarser one.
    depth
        How often the length is halved.
    kernel
        Odd length of the convolutions.
    dropout
        Share of the features dropped in a block.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        categories: Categories,
        *,
        width: int = 64,
        depth: int = 2,
        kernel: int = 5,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(channels_in, channels_out, categories, n_context=4 * width)
        self.stride, self.kernel = 2**depth, kernel
        widths = [width * (level + 1) for level in range(depth + 1)]

        def block(n_in: int, n_out: int) -> ConvBlock:
            return ConvBlock(n_in, n_out, 4 * width, kernel, dropout=dropout)

        levels = [*pairwise(widths)]
        self.project_in = nn.Conv1d(channels_in, width, 1)
        self.down = nn.ModuleList(block(n, n) for n in widths[:-1])
        self.coarser = nn.ModuleList(nn.Conv1d(n, n_coarse, 2, stride=2) for n, n_coarse in levels)
        self.middle = block(widths[-1], widths[-1])
        self.finer = nn.ModuleList(nn.ConvTranspose1d(n_coarse, n, 2, stride=2) for n, n_coarse in levels)
        self.up = nn.ModuleList(block(2 * n, n) for n in widths[:-1])
        self.norm = ChannelNorm(width)
        self.project_out = zero_linear(width, channels_out)

    @property
    def reach(self) -> int:
        """How far, in positions, a letter can change the prediction: to either side, at most."""
        each = self.kernel // 2 * 2  # two convolutions a block
        steps = [2**level for level in range(self.stride.bit_length() - 1)]
        return 2 * each * sum(steps) + each * self.stride + 2 * self.stride

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        codes: Mapping[str, Tensor] | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Return the prediction; without ``codes`` the unconditional one.

        ``t`` is ``(batch,)`` or scalar; ``mask``, bool ``(batch, length)``, is True where a position counts.
        """
        counts = self.checked(x, mask)[:, None].to(x.dtype)  # (batch, 1, length)
        extra = -x.shape[2] % self.stride
        found = self._padded(pad(x, (0, extra)), pad(counts, (0, extra)), self.context(len(x), t, codes))
        return found[:, :, : x.shape[2]] * counts  # (batch, channels_out, length)

    def _padded(self, x: Tensor, counts: Tensor, context: Tensor) -> Tensor:
        context = silu(context)
        hidden = self.project_in(x)  # (batch, width, length)
        passed: list[tuple[Tensor, Tensor]] = []
        for block, coarser in zip(self.down, self.coarser, strict=True):
            hidden = block(hidden, counts, context)
            passed.append((hidden, counts))
            hidden, counts = coarser(hidden * counts), max_pool1d(counts, 2)
        hidden = self.middle(hidden, counts, context)
        for block, finer in zip(reversed(self.up), reversed(self.finer), strict=True):
            beside, counts = passed.pop()
            hidden = block(torch.cat([finer(hidden), beside], dim=1), counts, context)
        hidden = silu(self.norm(hidden)).transpose(1, 2)  # (batch, length, width)
        return self.project_out(hidden).transpose(1, 2)


class ConvBlock(nn.Module):
    """Two convolutions beside a shortcut, modulated between them by time and condition.

    ``x + conv(silu(norm(h) (1 + scale) + shift))`` with ``h = conv(silu(norm(x)))``: ``(batch, n_in,
    length)`` to ``(batch, n_out, length)``. Scale and shift start at 0.
    """

    def __init__(self, n_in: int, n_out: int, n_context: int, kernel: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(n_in)
        self.conv1 = nn.Conv1d(n_in, n_out, kernel, padding=kernel // 2)
        self.modulation = zero_linear(n_context, 2 * n_out)
        self.norm2 = ChannelNorm(n_out)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv1d(n_out, n_out, kernel, padding=kernel // 2)
        self.shortcut = nn.Identity() if n_in == n_out else nn.Conv1d(n_in, n_out, 1)

    def forward(self, x: Tensor, counts: Tensor, context: Tensor) -> Tensor:
        """Return features; ``counts``, ``(batch, 1, length)``, is 1 where a position counts, else 0."""
        scale, shift = self.modulation(context)[:, :, None].chunk(2, dim=1)  # (batch, n_out, 1)
        hidden = self.conv1(silu(self.norm1(x)) * counts)
        hidden = silu(self.norm2(hidden) * (1 + scale) + shift)
        return self.shortcut(x) + self.conv2(self.dropout(hidden) * counts)


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each position, ``(batch, channels, length)``."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)

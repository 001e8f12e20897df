"""A diffusion transformer for sequences: every letter a token, time and condition in every layer.

    h = h + gate * attention(norm(h) (1 + scale) + shift)
    h = h + gate * feedforward(norm(h) (1 + scale) + shift)

The six shifts, scales and gates of a block come from time and condition through a linear layer that starts
at 0, so that an untrained block is the identity ("adaLN-zero"): Peebles & Xie 2023, "Scalable Diffusion
Models with Transformers", section 3.2 and figure 3. A patch is one letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import silu

from genailab.errors import InputError
from genailab.generative.diffusion.networks.context import zero_linear
from genailab.generative.diffusion.networks.sequence import SequenceNetwork
from genailab.nn.attention import Attention
from genailab.nn.conditioning import Categories
from genailab.nn.positions import sinusoidal_positions

__all__ = ["ModulatedBlock", "Positions", "SequenceTransformer"]

Positions = Literal["sinusoidal", "rotary"]


class SequenceTransformer(SequenceNetwork):
    """From ``(batch, channels_in, length)`` to ``(batch, channels_out, length)``, 0 before training.

    Parameters
    ----------
    channels_in, channels_out
        Channels of the input and of the prediction.
    categories
        Category names of each covariate.
    width, depth, n_heads
        Features of a token, blocks, and heads of each; ``width`` is an even multiple of ``n_heads``.
    positions
        ``"sinusoidal"`` tells each letter its place, for sequences aligned on a site; ``"rotary"`` tells
        heads distances alone, for sequences cut anywhere.
    dropout
        Share of the features dropped after attention and feed-forward layer.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        categories: Categories,
        *,
        width: int = 128,
        depth: int = 4,
        n_heads: int = 4,
        positions: Positions = "sinusoidal",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(channels_in, channels_out, categories, n_context=width)
        if positions not in ("sinusoidal", "rotary"):
            raise InputError(f"positions is {positions!r}: choose sinusoidal or rotary")
        if width % (2 * n_heads):
            raise InputError(
                f"width is {width} for {n_heads} heads: choose a multiple of {2 * n_heads}, so that every "
                "head has an even width"
            )
        self.positions, self.width = positions, width
        self.project_in = nn.Linear(channels_in, width)
        self.blocks = nn.ModuleList(
            ModulatedBlock(width, n_heads, rotary=positions == "rotary", dropout=dropout)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = zero_linear(width, 2 * width)
        self.project_out = zero_linear(width, channels_out)

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        codes: Mapping[str, Tensor] | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Return the prediction; without ``codes`` the unconditional one.

        ``t`` is ``(batch,)`` or scalar; ``mask``, bool ``(batch, length)``, is True where a position counts.
        Each row needs one that does.
        """
        counts = self.checked(x, mask)
        context = silu(self.context(len(x), t, codes))  # (batch, width)
        hidden = self.project_in(x.transpose(1, 2))  # (batch, length, width)
        if self.positions == "sinusoidal":
            hidden = hidden + sinusoidal_positions(x.shape[2], self.width, device=x.device)
        for block in self.blocks:
            hidden = block(hidden, context, None if mask is None else counts)
        shift, scale = self.modulation(context)[:, None].chunk(2, dim=2)  # (batch, 1, width)
        found = self.project_out(self.norm(hidden) * (1 + scale) + shift).transpose(1, 2)
        return found * counts[:, None]  # (batch, channels_out, length)


class ModulatedBlock(nn.Module):
    """Attention, then a layer for each token by itself, each beside a shortcut and behind a gate.

    ``(batch, length, width)`` to the same shape; the identity before training. The module has the equations.
    """

    def __init__(self, width: int, n_heads: int, *, rotary: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.modulation = zero_linear(width, 6 * width)
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False)
        self.attention = Attention(width, n_heads, rotary=rotary)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False)
        self.feedforward = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return tokens of the same shape; ``mask`` tells which of them are looked at."""
        modulation = self.modulation(context)[:, None]  # (batch, 1, 6 * width)
        shift, scale, gate, shift_after, scale_after, gate_after = modulation.chunk(6, dim=2)
        attended = self.attention(self.norm1(hidden) * (1 + scale) + shift, mask=mask)
        hidden = hidden + gate * self.dropout(attended)
        transformed = self.feedforward(self.norm2(hidden) * (1 + scale_after) + shift_after)
        return hidden + gate_after * self.dropout(transformed)

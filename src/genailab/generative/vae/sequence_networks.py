"""Networks between sequences and a latent: an encoder, and two decoders.

    encoder          letters -> pooled features                       (batch, n_features)
    autoregressive   p(x | z) = prod_i p(x_i | x_<i, z)               logits (batch, size, length)
    convolutional    p(x | z) = prod_i p(x_i | z)                     logits (batch, size, length)

The autoregressive one is built from causal dilated convolutions (van den Oord et al. 2016, "WaveNet"; for
text VAEs Yang et al. 2017, "Improved Variational Autoencoders for Text Modeling using Dilated Convolutions"):
trained in one pass, and so powerful that it can do without the latent. The convolutional one cannot.

Both add logits that are linear in the context at each position (`PositionLogits`): the position weight matrix
of each condition, which sequences aligned on a site mostly are, need not be learned through convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, pad

__all__ = [
    "AutoregressiveDecoder",
    "ConvolutionalDecoder",
    "PositionLogits",
    "ResidualConvolution",
    "SequenceEncoder",
]


class ResidualConvolution(nn.Module):
    """``x + mix(gelu(conv(norm(x)) + project(context)))``, ``(batch, n_channels, length)`` to the same.

    Position i of the output sees positions up to i where ``causal``, positions on both sides otherwise.
    Normalised over the channels of each position by itself: other positions would tell what comes later.
    """

    def __init__(
        self, n_channels: int, kernel: int, *, dilation: int, causal: bool, n_context: int = 0
    ) -> None:
        super().__init__()
        reach = dilation * (kernel - 1)
        self.padding = (reach, 0) if causal else (reach // 2, reach - reach // 2)
        self.norm = nn.LayerNorm(n_channels)
        self.conv = nn.Conv1d(n_channels, n_channels, kernel, dilation=dilation)
        self.project = nn.Linear(n_context, n_channels, bias=False) if n_context else None
        self.mix = nn.Conv1d(n_channels, n_channels, 1)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Return features of the same shape; ``context`` is ``(batch, n_context)``."""
        return x + self._update(pad(self._normed(x), self.padding), context)

    def step(self, x: Tensor, past: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features of one more position ``(batch, n_channels, 1)``, and the past for the next.

        ``past`` holds what a causal block has seen before, ``(batch, n_channels, reach)``, zeros at first.
        """
        window = torch.cat([past, self._normed(x)], dim=2)  # (batch, n_channels, reach + 1)
        return x + self._update(window, context), window[:, :, 1:]

    def _normed(self, x: Tensor) -> Tensor:
        return self.norm(x.transpose(1, 2)).transpose(1, 2)  # (batch, n_channels, length)

    def _update(self, padded: Tensor, context: Tensor | None) -> Tensor:
        hidden = self.conv(padded)  # (batch, n_channels, length)
        if self.project is not None and context is not None:
            hidden = hidden + self.project(context)[:, :, None]
        return self.mix(gelu(hidden))


class SequenceEncoder(nn.Module):
    """One-hot letters ``(batch, size, length)`` to ``(batch, n_features)``: motifs, and about where they are.

    Pooled to ``n_places`` stretches, so that the encoder knows a motif's position to a stretch of the
    sequence.
    """

    def __init__(
        self, size: int, n_channels: int, *, kernel: int, dilations: Sequence[int], n_places: int
    ) -> None:
        super().__init__()
        self.stem = nn.Conv1d(size, n_channels, kernel, padding=kernel // 2)
        self.blocks = nn.Sequential(
            *[ResidualConvolution(n_channels, kernel, dilation=d, causal=False) for d in dilations]
        )
        self.pool = nn.AdaptiveAvgPool1d(n_places)
        self.n_features = n_channels * n_places

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(batch, n_features)``."""
        return self.pool(self.blocks(self.stem(x))).flatten(1)


class PositionLogits(nn.Linear):
    """A position weight matrix linear in a context: ``(batch, n_context)`` to ``(batch, size, length)``.

    With a condition one-hot in the context, each category has a matrix of its own. 0 before training.
    """

    def __init__(self, n_context: int, size: int, length: int) -> None:
        super().__init__(n_context, size * length)
        self.shape = (size, length)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, context: Tensor) -> Tensor:
        """Return logits to be added to a network's."""
        return super().forward(context).unflatten(1, self.shape)  # (batch, size, length)


class AutoregressiveDecoder(nn.Module):
    """Logits of each letter given those before it and a context ``(batch, n_context)``."""

    def __init__(
        self,
        size: int,
        length: int,
        n_context: int,
        n_channels: int,
        *,
        kernel: int,
        dilations: Sequence[int],
    ) -> None:
        super().__init__()
        self.hidden_letter, self.start = size, size + 1  # codes that are no letters
        self.letters = nn.Embedding(size + 2, n_channels)
        self.positions = nn.Parameter(0.02 * torch.randn(n_channels, length))
        self.context = nn.Linear(n_context, n_channels)
        self.blocks = nn.ModuleList(
            ResidualConvolution(n_channels, kernel, dilation=d, causal=True, n_context=n_context)
            for d in dilations
        )
        self.norm = nn.LayerNorm(n_channels)
        self.to_logits = nn.Linear(n_channels, size)
        self.by_position = PositionLogits(n_context, size, length)

    def forward(self, context: Tensor, codes: Tensor, *, word_dropout: float = 0.0) -> Tensor:
        """Return logits ``(batch, size, length)`` of the letters ``codes``, long ``(batch, length)``.

        ``word_dropout`` hides that share of the earlier letters, so that the context has to tell them
        (Bowman et al. 2016, section 3.1), with torch's global generator.
        """
        if word_dropout > 0:
            hidden = torch.rand(codes.shape, device=codes.device) < word_dropout
            codes = codes.masked_fill(hidden, self.hidden_letter)
        before = pad(codes[:, :-1], (1, 0), value=self.start)  # (batch, length)
        x = self._embedded(context, before, self.positions)
        for block in self.blocks:
            x = block(x, context)
        return self._logits(x) + self.by_position(context)

    def generate(
        self, context: Tensor, *, temperature: float, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw letters one after the other, codes ``(batch, length)``; the most probable at temperature 0.

        Each block remembers what it has seen, so that a letter costs one position and not the whole sequence.
        """
        n_channels, length = self.positions.shape
        blocks = [block for block in self.blocks if isinstance(block, ResidualConvolution)]
        past = [self.positions.new_zeros(len(context), n_channels, block.padding[0]) for block in blocks]
        letters = [torch.full((len(context), 1), self.start, device=context.device)]
        by_position = self.by_position(context)  # (batch, size, length)
        for position in range(length):
            x = self._embedded(context, letters[-1], self.positions[:, position : position + 1])
            for i, block in enumerate(blocks):
                x, past[i] = block.step(x, past[i], context)
            logits = self._logits(x) + by_position[:, :, position : position + 1]
            letters.append(draw_letters(logits, temperature, generator))
        return torch.cat(letters[1:], dim=1)

    def _embedded(self, context: Tensor, before: Tensor, positions: Tensor) -> Tensor:
        letters = self.letters(before).transpose(1, 2)  # (batch, n_channels, length)
        return letters + positions + self.context(context)[:, :, None]

    def _logits(self, x: Tensor) -> Tensor:
        return self.to_logits(self.norm(x.transpose(1, 2))).transpose(1, 2)  # (batch, size, length)


class ConvolutionalDecoder(nn.Module):
    """Logits of all letters at once, independent given the context ``(batch, n_context)``."""

    def __init__(
        self,
        size: int,
        length: int,
        n_context: int,
        n_channels: int,
        *,
        kernel: int,
        dilations: Sequence[int],
        n_places: int,
    ) -> None:
        super().__init__()
        self.length, self.n_places = length, n_places
        self.to_places = nn.Linear(n_context, n_channels * n_places)
        self.positions = nn.Parameter(0.02 * torch.randn(n_channels, length))
        self.blocks = nn.ModuleList(
            ResidualConvolution(n_channels, kernel, dilation=d, causal=False, n_context=n_context)
            for d in reversed(dilations)
        )
        self.norm = nn.LayerNorm(n_channels)
        self.to_logits = nn.Linear(n_channels, size)
        self.by_position = PositionLogits(n_context, size, length)

    def forward(self, context: Tensor) -> Tensor:
        """Return logits ``(batch, size, length)``."""
        places = self.to_places(context).unflatten(1, (-1, self.n_places))  # (batch, n_channels, n_places)
        x = interpolate(places, size=self.length, mode="linear") + self.positions
        for block in self.blocks:
            x = block(x, context)
        logits = self.to_logits(self.norm(x.transpose(1, 2))).transpose(1, 2)  # (batch, size, length)
        return logits + self.by_position(context)

    def generate(
        self, context: Tensor, *, temperature: float, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw all letters, codes ``(batch, length)``; the most probable at temperature 0."""
        return draw_letters(self(context), temperature, generator)


def draw_letters(logits: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
    """Draw from ``softmax(logits / temperature)``: ``(batch, size, length)`` to codes ``(batch, length)``."""
    if temperature == 0:
        return logits.argmax(dim=1)
    shares = (logits / temperature).softmax(dim=1).transpose(1, 2)  # (batch, length, size)
    drawn = torch.multinomial(shares.flatten(0, 1), 1, generator=generator)
    return drawn.view(shares.shape[:2])  # (batch, length)

"""Players of the game for DNA, RNA and protein: residual convolutions along the sequence.

Gulrajani et al. 2017, "Improved Training of Wasserstein GANs" (their language model), which Killoran et al.
2017, "Generating and designing DNA with deep generative models", use for DNA; conditional as in `networks`.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from genailab.generative.gan.networks import ProjectionHead, beside_condition
from genailab.nn.conditioning import Categories, OneHot

__all__ = ["ResidualConvolution", "SequenceCritic", "SequenceGenerator"]


class ResidualConvolution(nn.Module):
    """``x + 0.3 conv(relu(conv(relu(x))))``, ``(batch, n_channels, length)`` to the same shape."""

    def __init__(self, n_channels: int, kernel: int) -> None:
        super().__init__()
        padding = kernel // 2
        self.conv1 = nn.Conv1d(n_channels, n_channels, kernel, padding=padding)
        self.conv2 = nn.Conv1d(n_channels, n_channels, kernel, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        return x + 0.3 * self.conv2(self.conv1(x.relu()).relu())


class SequenceGenerator(nn.Module):
    """Logits of the letters from noise and condition: ``(batch, n_latent)`` to ``(batch, size, length)``."""

    def __init__(
        self,
        n_latent: int,
        categories: Categories,
        *,
        size: int,
        length: int,
        n_channels: int = 64,
        depth: int = 3,
        kernel: int = 5,
    ) -> None:
        super().__init__()
        self.length = length
        self.condition = OneHot(categories)
        self.project_in = nn.Linear(n_latent + self.condition.n_features, n_channels * length)
        self.blocks = nn.Sequential(*[ResidualConvolution(n_channels, kernel) for _ in range(depth)])
        self.project_out = nn.Conv1d(n_channels, size, 1)

    def forward(self, noise: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        """Return logits of each position's letters."""
        flat = self.project_in(beside_condition(noise, self.condition, codes))
        x = flat.unflatten(1, (-1, self.length))  # (batch, n_channels, length)
        return self.project_out(self.blocks(x))


class SequenceCritic(nn.Module):
    """Scores of one-hot sequences, ``(batch, size, length)`` to ``(batch,)``; it sees where a motif lies."""

    def __init__(
        self,
        categories: Categories,
        *,
        size: int,
        length: int,
        n_channels: int = 64,
        depth: int = 3,
        kernel: int = 5,
        width: int = 128,
    ) -> None:
        super().__init__()
        self.project_in = nn.Conv1d(size, n_channels, 1)
        self.blocks = nn.Sequential(*[ResidualConvolution(n_channels, kernel) for _ in range(depth)])
        self.features = nn.Sequential(
            nn.Flatten(), nn.Linear(n_channels * length, width), nn.LeakyReLU(0.2)
        )  # (batch, width)
        self.head = ProjectionHead(width, categories)

    def forward(self, x: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        """Return the score of each sequence under its condition."""
        return self.head(self.features(self.blocks(self.project_in(x))), codes)

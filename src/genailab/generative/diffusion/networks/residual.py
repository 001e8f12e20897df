"""A residual multilayer perceptron for vectors, such as the latent states of cells."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from genailab.generative.diffusion.networks.context import Conditioned, zero_linear
from genailab.nn.conditioning import Categories, FiLM

__all__ = ["ResidualBlock", "ResidualDenoiser"]


class ResidualDenoiser(Conditioned):
    """A residual multilayer perceptron whose blocks are modulated by time and condition (FiLM).

    Shapes: noisy vectors ``(batch, n_dims)``, times ``(batch,)`` or scalar, codes ``(batch,)`` of each
    covariate; returns a prediction ``(batch, n_dims)``, 0 before training.
    """

    def __init__(
        self, n_dims: int, categories: Categories, *, width: int = 256, depth: int = 4, dropout: float = 0.0
    ) -> None:
        super().__init__(categories, width)
        self.project_in = nn.Linear(n_dims, width)
        self.blocks = nn.ModuleList(ResidualBlock(width, dropout=dropout) for _ in range(depth))
        self.project_out = nn.Sequential(nn.LayerNorm(width), zero_linear(width, n_dims))

    def forward(self, x: Tensor, t: Tensor, codes: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the prediction, shape of ``x``; without ``codes`` the unconditional one."""
        context = self.context(len(x), t, codes)  # (batch, width)
        hidden = self.project_in(x)  # (batch, width)
        for block in self.blocks:
            hidden = block(hidden, context)
        return self.project_out(hidden)


class ResidualBlock(nn.Module):
    """``h + Linear(SiLU(Linear(FiLM(LayerNorm(h), context))))``, ``(batch, width)`` to the same."""

    def __init__(self, width: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.film = FiLM(width, width)
        self.feedforward = nn.Sequential(
            nn.Linear(width, width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )

    def forward(self, hidden: Tensor, context: Tensor) -> Tensor:
        """Return ``(batch, width)``."""
        return hidden + self.feedforward(self.film(self.norm(hidden), context))

"""Networks that predict noise from vectors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from genailab.nn.conditioning import Categories, FiLM
from genailab.nn.time import FourierTime

__all__ = ["ResidualDenoiser"]


class ResidualDenoiser(nn.Module):
    """A residual multilayer perceptron whose blocks are modulated by time and condition (FiLM).

    Shapes: noisy vectors ``(batch, n_dims)``, times ``(batch,)`` or scalar, codes ``(batch,)`` of each
    covariate; returns a prediction ``(batch, n_dims)``. A missing condition is a code of its own, the last,
    which is how one network learns the conditional and the unconditional model for guidance.
    """

    def __init__(
        self, n_dims: int, categories: Categories, *, width: int = 256, depth: int = 4, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.time = nn.Sequential(FourierTime(64), nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        # By number, not by name: names of covariates may hold dots, which names of modules may not.
        self.conditions = nn.ModuleDict(
            {f"embed_{i}": nn.Embedding(len(names) + 1, width) for i, names in enumerate(categories.values())}
        )
        self.nothing = {key: len(names) for key, names in categories.items()}  # the code of no condition
        self.project_in = nn.Linear(n_dims, width)
        self.blocks = nn.ModuleList(ResidualBlock(width, dropout=dropout) for _ in range(depth))
        last = nn.Linear(width, n_dims)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.project_out = nn.Sequential(nn.LayerNorm(width), last)

    def forward(self, x: Tensor, t: Tensor, codes: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the prediction, shape of ``x``; without ``codes`` the unconditional one."""
        context = self.time(t.expand(len(x)))  # (batch, width)
        for (key, code), embedding in zip(self.nothing.items(), self.conditions.values(), strict=True):
            nothing = torch.full((len(x),), code, device=x.device)
            context = context + embedding(nothing if codes is None else codes[key])
        hidden = self.project_in(x)  # (batch, width)
        for block in self.blocks:
            hidden = block(hidden, context)
        return self.project_out(hidden)

    def drop(
        self, codes: Mapping[str, Tensor], probability: float, *, generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Replace all conditions of some samples by "nothing", each sample with this probability."""
        if not self.nothing:
            return {}
        first = codes[next(iter(self.nothing))]
        hidden = torch.rand(first.shape, generator=generator, device=first.device) < probability
        return {key: torch.where(hidden, code, codes[key]) for key, code in self.nothing.items()}


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

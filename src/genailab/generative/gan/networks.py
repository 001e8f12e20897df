"""Players of the game for vectors and cells: a generator from noise, a critic that knows the condition.

No batch normalisation anywhere: a critic must score each row by itself (a gradient penalty is of one row),
and a generator must draw the same row whatever is drawn beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from genailab.nn.conditioning import Categories, OneHot

__all__ = [
    "ExpressionGenerator",
    "ProjectionHead",
    "VectorCritic",
    "VectorGenerator",
    "spectrally_normalised",
]


class VectorGenerator(nn.Module):
    """A multilayer perceptron from noise and condition: ``(batch, n_latent)`` to ``(batch, n_out)``."""

    def __init__(
        self, n_latent: int, categories: Categories, n_out: int, *, width: int = 128, depth: int = 3
    ) -> None:
        super().__init__()
        self.condition = OneHot(categories)
        self.hidden = _perceptron(n_latent + self.condition.n_features, width, depth, nn.ReLU())
        self.project_out = nn.Linear(width, n_out)

    def forward(self, noise: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        """Return generated rows."""
        return self.project_out(self.hidden(beside_condition(noise, self.condition, codes)))


class ExpressionGenerator(nn.Module):
    """Gene shares and library size of a cell from noise and condition.

    ``(cells, n_latent)`` to log-shares ``(cells, n_genes)`` and a standardised log library size
    ``(cells, 1)``. Also holds how much each gene's counts vary beyond a Poisson.
    """

    def __init__(
        self, n_latent: int, categories: Categories, n_genes: int, *, width: int = 128, depth: int = 2
    ) -> None:
        super().__init__()
        self.network = VectorGenerator(n_latent, categories, n_genes + 1, width=width, depth=depth)
        # A tenth of what is meant, as in CountVAE: Adam moves every weight by about the learning rate, and
        # the dispersions of genes lie orders of magnitude apart.
        self.tenth_log_dispersion = nn.Parameter(torch.full((n_genes,), 0.3))

    @property
    def log_dispersion(self) -> Tensor:
        """Log inverse dispersion of each gene, ``(n_genes,)``; it starts near a Poisson."""
        return 10 * self.tenth_log_dispersion

    def forward(self, noise: Tensor, codes: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return log-shares and the standardised log library size."""
        outputs = self.network(noise, codes)  # (cells, n_genes + 1)
        return outputs[:, :-1].log_softmax(dim=1), outputs[:, -1:]


class VectorCritic(nn.Module):
    """A multilayer perceptron with a projection head: ``(batch, n_dims)`` to a score each, ``(batch,)``."""

    def __init__(self, n_dims: int, categories: Categories, *, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        self.features = _perceptron(n_dims, width, depth, nn.LeakyReLU(0.2))
        self.head = ProjectionHead(width, categories)

    def forward(self, x: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        """Return the score of each row under its condition."""
        return self.head(self.features(x), codes)


class ProjectionHead(nn.Module):
    """A score from features and condition: ``w . h + b + sum over covariates of <embedding of y, h>``.

    ``(batch, n_features)`` to ``(batch,)``. The log-ratio of two conditional densities has this form where
    they are log-linear in the features. Miyato & Koyama 2018, "cGANs with Projection Discriminator", equation
    4.
    """

    def __init__(self, n_features: int, categories: Categories) -> None:
        super().__init__()
        self.unconditional = nn.Linear(n_features, 1)
        self.names = tuple(categories)
        # In a list, not by name: names of covariates may hold dots, which names of modules may not.
        self.embeddings = nn.ModuleList(nn.Embedding(len(names), n_features) for names in categories.values())
        for embedding in self.embeddings:
            # Products of unit-variance embeddings with n features would drown the rest of the score.
            nn.init.normal_(embedding.weight, std=n_features**-0.5)  # type: ignore[arg-type]

    def forward(self, features: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        """Return the score of each row."""
        score = self.unconditional(features).squeeze(1)  # (batch,)
        for name, embedding in zip(self.names, self.embeddings, strict=True):
            score = score + (embedding(codes[name]) * features).sum(dim=1)
        return score


def spectrally_normalised(module: nn.Module) -> nn.Module:
    """Divide every weight matrix by its largest singular value, in place; return the module.

    Each linear layer then has the Lipschitz constant 1 in the Euclidean norm. A convolution's weight counts
    as the matrix ``(n_out, n_in * kernel)``, so that its own constant may reach the root of the kernel's
    length. The singular value comes from one power iteration at each training step. Miyato et al. 2018,
    algorithm 1.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Embedding):
            parametrizations.spectral_norm(layer)
    return module


def beside_condition(noise: Tensor, condition: OneHot, codes: Mapping[str, Tensor]) -> Tensor:
    """Put the condition's features beside the noise, where there is a condition."""
    features = condition(codes)
    return noise if features is None else torch.cat([noise, features], dim=1)


def _perceptron(n_in: int, width: int, depth: int, activation: nn.Module) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise([n_in, *[width] * depth]):
        layers += [nn.Linear(width_in, width_out), activation]
    return nn.Sequential(*layers)

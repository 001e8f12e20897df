"""Networks that give an energy: of vectors, and of one-hot sequences.

Smooth activations (SiLU) throughout, for samplers follow the gradient. Spectral normalisation bounds each
layer's gain by 1, and with it how steep the energy can get (Miyato et al. 2018, "Spectral normalization for
generative adversarial networks"; for energies Du & Mordatch 2019, section 3.3).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as spectral

from genailab.errors import InputError
from genailab.nn.conditioning import Categories, FiLM, OneHot

__all__ = ["SequenceEnergy", "VectorEnergy"]


class VectorEnergy(nn.Module):
    """A residual multilayer perceptron modulated by conditions and noise level (FiLM).

    Vectors ``(batch, n_dims)`` to energies ``(batch,)``. The last layer starts at 0, and so does the energy.

    Parameters
    ----------
    n_dims
        Dimensions of the vectors.
    categories
        Names of each covariate's categories; their codes ``(batch,)`` go to `forward`.
    width, depth
        Of the hidden layers.
    noisy
        Whether the energy depends on a noise level, which then goes to `forward` as its logarithm.
    spectral_norm
        Whether to bound each layer's gain by 1; the conditions' are free.
    """

    def __init__(
        self,
        n_dims: int,
        categories: Categories,
        *,
        width: int = 128,
        depth: int = 3,
        noisy: bool = False,
        spectral_norm: bool = False,
    ) -> None:
        super().__init__()
        self.conditions, self.noisy = OneHot(categories), noisy
        n_context = self.conditions.n_features + noisy
        self.project_in = _layer(nn.Linear(n_dims, width), spectral_norm)
        self.layers = nn.ModuleList(_layer(nn.Linear(width, width), spectral_norm) for _ in range(depth))
        self.films = nn.ModuleList(FiLM(width, n_context) for _ in range(depth if n_context else 0))
        self.project_out = _start_at_zero(nn.Linear(width, 1), spectral_norm)

    def forward(
        self, x: Tensor, codes: Mapping[str, Tensor] | None = None, log_sigma: Tensor | None = None
    ) -> Tensor:
        """Return the energies ``(batch,)``; codes, ``log_sigma`` ``(batch,)`` where made for them."""
        context = self._context(codes, log_sigma)
        hidden = self.project_in(x)  # (batch, width)
        for i, layer in enumerate(self.layers):
            moved = hidden if context is None else self.films[i](hidden, context)
            hidden = hidden + layer(nn.functional.silu(moved))
        return self.project_out(nn.functional.silu(hidden)).squeeze(1)

    def _context(self, codes: Mapping[str, Tensor] | None, log_sigma: Tensor | None) -> Tensor | None:
        parts = [_features(self.conditions, codes)]
        if self.noisy:
            if log_sigma is None:
                raise InputError("this energy depends on a noise level: give log_sigma (batch,)")
            parts.append(log_sigma[:, None])
        given = [part for part in parts if part is not None]
        return torch.cat(given, dim=1) if given else None


class SequenceEnergy(nn.Module):
    """A position weight matrix and a convolutional network side by side, on one-hot sequences.

    ``(batch, n_letters, length)`` to ``(batch,)``. The matrix gives each letter at each position an energy of
    its own, for each condition; the network adds what letters say together. Both start at 0.

    Parameters
    ----------
    n_letters, length
        Of the sequences.
    categories
        As in `VectorEnergy`.
    channels, kernel, depth
        Of the convolutions, all of one odd kernel.
    n_dense
        Features of the layer after them, which sees letters that are far apart together.
    aligned
        Whether a feature counts by its position, for sequences aligned on a site; else by its sum over them.
    spectral_norm
        Whether to bound the gain of each layer's kernel matrix by 1.
    """

    def __init__(
        self,
        n_letters: int,
        length: int,
        categories: Categories,
        *,
        channels: int = 32,
        kernel: int = 5,
        depth: int = 2,
        n_dense: int = 64,
        aligned: bool = True,
        spectral_norm: bool = False,
    ) -> None:
        super().__init__()
        self.conditions, self.aligned = OneHot(categories), aligned
        n_context = self.conditions.n_features

        def convolution(n_in: int) -> nn.Module:
            return _layer(nn.Conv1d(n_in, channels, kernel, padding=kernel // 2), spectral_norm)

        self.stem = convolution(n_letters)
        self.layers = nn.ModuleList(convolution(channels) for _ in range(depth))
        self.films = nn.ModuleList(FiLM(channels, n_context) for _ in range(depth if n_context else 0))
        self.dense = _layer(nn.Linear(channels * length if aligned else channels, n_dense), spectral_norm)
        self.project_out = _start_at_zero(nn.Linear(n_dense, 1), spectral_norm)
        self.weight_matrix = nn.Linear(max(1, n_context), n_letters * length, bias=False)
        nn.init.zeros_(self.weight_matrix.weight)

    def forward(self, x: Tensor, codes: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the energies ``(batch,)``, with the codes ``(batch,)`` of each covariate."""
        context = _features(self.conditions, codes)
        hidden = self.stem(x)  # (batch, channels, length)
        for i, layer in enumerate(self.layers):
            moved = hidden if context is None else _at_every_position(self.films[i], hidden, context)  # type: ignore[arg-type]
            hidden = hidden + layer(nn.functional.silu(moved))
        features = nn.functional.silu(hidden)
        pooled = features.flatten(1) if self.aligned else features.sum(dim=2)
        summary = nn.functional.silu(self.dense(pooled))  # (batch, n_dense)
        which = x.new_ones(len(x), 1) if context is None else context
        letters = self.weight_matrix(which).reshape(x.shape)  # (batch, n_letters, length)
        return (letters * x).sum(dim=(1, 2)) + self.project_out(summary).squeeze(1)


def _at_every_position(film: FiLM, hidden: Tensor, context: Tensor) -> Tensor:
    scale, shift = film.scale_and_shift(context)[:, :, None].chunk(2, dim=1)  # (batch, channels, 1)
    return hidden * (1 + scale) + shift


def _features(conditions: OneHot, codes: Mapping[str, Tensor] | None) -> Tensor | None:
    missing = [key for key in conditions.sizes if key not in (codes or {})]
    if missing:
        raise InputError(f"the energy depends on {missing[0]!r}: give its codes (batch,)")
    return conditions(codes or {})


def _layer(layer: nn.Module, spectral_norm: bool) -> nn.Module:
    return spectral(layer) if spectral_norm else layer


def _start_at_zero(layer: nn.Linear, spectral_norm: bool) -> nn.Module:
    nn.init.zeros_(layer.bias)
    if spectral_norm:  # a matrix of gain 1 cannot be 0
        return spectral(layer)
    nn.init.zeros_(layer.weight)
    return layer

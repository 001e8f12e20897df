"""Attention: which positions a position, or a whole sequence, takes its information from.

Vaswani et al. 2017, "Attention Is All You Need". Masks are bool ``(batch, keys)``, True where a key counts:
padding gets the weight 0. Every row needs at least one key that counts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from genailab.errors import InputError
from genailab.nn.positions import Rotary

__all__ = ["AdditiveAttention", "Attention", "DotAttention", "TransformerBlock", "TransformerEncoder"]


class Attention(nn.Module):
    """Multi-head attention of queries ``(batch, queries, n)`` to keys ``(batch, keys, n)``.

    ``softmax(Q K^T / sqrt(head width)) V`` in each head, the heads side by side, then a linear layer
    (equation 1, section 3.2.2). Without ``keys`` the queries attend to each other.

    Parameters
    ----------
    n_features, n_heads
        Width of queries, keys and outputs, and the heads that share it.
    n_keys
        Width of the keys, where it differs.
    rotary
        Whether heads see distances between positions (see `Rotary`); only where queries and keys are places
        on one sequence.
    dropout
        Share of the weights dropped in training.
    """

    def __init__(
        self,
        n_features: int,
        n_heads: int,
        *,
        n_keys: int | None = None,
        rotary: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if n_features % n_heads:
            raise InputError(
                f"{n_features} features do not divide among {n_heads} heads: choose a multiple of {n_heads}"
            )
        self.n_heads, self.dropout = n_heads, dropout
        self.query = nn.Linear(n_features, n_features)
        self.key = nn.Linear(n_keys or n_features, n_features)
        self.value = nn.Linear(n_keys or n_features, n_features)
        self.out = nn.Linear(n_features, n_features)
        self.rotary = Rotary(n_features // n_heads) if rotary else None

    def forward(self, queries: Tensor, keys: Tensor | None = None, *, mask: Tensor | None = None) -> Tensor:
        """Return ``(batch, queries, n_features)``."""
        q, k, v = self._projected(queries, queries if keys is None else keys)
        found = scaled_dot_product_attention(
            q, k, v, attn_mask=_for_heads(mask), dropout_p=self.dropout if self.training else 0.0
        )
        return self.out(found.transpose(1, 2).flatten(2))  # (batch, queries, n_features)

    def weights(self, queries: Tensor, keys: Tensor | None = None, *, mask: Tensor | None = None) -> Tensor:
        """Return how much each query takes from each key, ``(batch, heads, queries, keys)``; rows sum to 1.

        Apart from `forward`, whose kernel never holds this matrix.
        """
        q, k, _ = self._projected(queries, queries if keys is None else keys)
        scores = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5  # (batch, heads, queries, keys)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None, :], -torch.inf)
        return scores.softmax(dim=-1)

    def _projected(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = (
            layer(x).unflatten(2, (self.n_heads, -1)).transpose(1, 2)  # (batch, heads, length, head width)
            for layer, x in ((self.query, queries), (self.key, keys), (self.value, keys))
        )
        return (q, k, v) if self.rotary is None else (self.rotary(q), self.rotary(k), v)


def _for_heads(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask[:, None, None, :]  # (batch, 1, 1, keys)


class TransformerBlock(nn.Module):
    """Attention, then a layer for each position by itself, each beside a shortcut: ``(batch, length, n)``.

    Normalised before and not after (Xiong et al. 2020, "On Layer Normalization in the Transformer
    Architecture"): it then trains without a warm-up.
    """

    def __init__(self, n_features: int, n_heads: int, *, rotary: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(n_features)
        self.attention = Attention(n_features, n_heads, rotary=rotary, dropout=dropout)
        self.feedforward = nn.Sequential(
            nn.LayerNorm(n_features),
            nn.Linear(n_features, 4 * n_features),
            nn.GELU(),
            nn.Linear(4 * n_features, n_features),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return features of the same shape; ``mask`` tells which positions count."""
        x = x + self.dropout(self.attention(self.attention_norm(x), mask=mask))
        return x + self.dropout(self.feedforward(x))

    def weights(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return this block's attention, ``(batch, heads, length, length)``."""
        return self.attention.weights(self.attention_norm(x), mask=mask)


class TransformerEncoder(nn.Module):
    """Blocks one after the other and a last normalisation: ``(batch, length, n)`` to the same shape."""

    def __init__(
        self, n_features: int, n_heads: int, n_layers: int, *, rotary: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TransformerBlock(n_features, n_heads, rotary=rotary, dropout=dropout) for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(n_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return features of the same shape."""
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x)

    def weights(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return every block's attention, ``(batch, layers, heads, length, length)``."""
        maps = []
        for block in self.blocks:
            maps.append(block.weights(x, mask))  # type: ignore[operator]
            x = block(x, mask)
        return torch.stack(maps, dim=1)


class _Pooling(nn.Module):
    """A weighted mean over the positions of a sequence: ``(batch, length, n)`` to ``(batch, n)``."""

    def scores(self, x: Tensor) -> Tensor:
        """Return how much each position matters, ``(batch, length)``, before the softmax."""
        raise NotImplementedError

    def weights(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return each position's weight, ``(batch, length)``; rows sum to 1."""
        scores = self.scores(x)
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        return scores.softmax(dim=1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the weighted mean."""
        return torch.einsum("bl,bln->bn", self.weights(x, mask), x)


class AdditiveAttention(_Pooling):
    """Scores ``v . tanh(W x + b)`` (Bahdanau et al. 2015, appendix A.1.2, with a learned query)."""

    def __init__(self, n_features: int, n_hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_features, n_hidden)
        self.score = nn.Linear(n_hidden, 1, bias=False)  # a softmax doesn't see what is added to every score

    def scores(self, x: Tensor) -> Tensor:
        """Return ``(batch, length)``."""
        return self.score(torch.tanh(self.hidden(x))).squeeze(2)


class DotAttention(_Pooling):
    """Scores ``q . x`` with a learned query q (Luong et al. 2015, section 3.1, "dot")."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(n_features) * n_features**-0.5)

    def scores(self, x: Tensor) -> Tensor:
        """Return ``(batch, length)``."""
        return x @ self.query

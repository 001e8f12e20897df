"""A Transformer encoder over k-mer tokens, for sequences of any length.

    tokens (batch, length) -> embedding -> blocks of attention (batch, length, n_features)
        -> mean over the tokens -> outputs          what a sequence is or does
        -> a score for each token of the vocabulary what stands at a hidden position (task "masked")

Trained with task "masked" on sequences without labels it is DNABERT in small (Ji et al. 2021). To go on with
labels, load the ``embedding`` and the ``encoder`` of such a model into one with outputs:
``labelled.encoder.load_state_dict(masked.encoder.state_dict())``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d

from genailab.errors import InputError
from genailab.nn.attention import TransformerEncoder
from genailab.nn.checks import (
    check_alphabet,
    check_at_least_one,
    check_choice,
    check_outputs,
    check_share,
)
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.padding import checked_lengths, masked_mean, position_mask
from genailab.nn.positions import sinusoidal_positions
from genailab.nn.tasks import IGNORED, task_loss

__all__ = ["KmerTransformer", "KmerTransformerConfig", "hide_tokens"]


@dataclass(frozen=True, kw_only=True)
class KmerTransformerConfig:
    """Size and meaning of a KmerTransformer."""

    n_tokens: int  # size of the vocabulary: 4**k k-mers and the special tokens
    k: int  # letters of a token
    stride: int = 1  # letters from one token to the next
    alphabet: str = "DNA"
    outputs: tuple[str, ...] = ("bound",)  # names of the classes, or of what is measured; not for "masked"
    task: Literal["binary", "classes", "regression", "masked"] = "binary"
    mask_token: int | None = None  # shown in place of what is hidden; needed for "masked"
    mask_rate: float = 0.15  # share of the tokens hidden, as in BERT
    n_features: int = 64
    n_heads: int = 4
    n_layers: int = 2
    positions: Literal["rotary", "sinusoidal", "none"] = "rotary"  # rotary: distances, whatever the place
    dropout: float = 0.1

    def __post_init__(self) -> None:
        check_at_least_one(self, "n_tokens", "k", "stride", "n_features", "n_heads", "n_layers")
        check_share(self, "dropout", "mask_rate")
        check_choice(self, "task", ("binary", "classes", "regression", "masked"))
        check_choice(self, "positions", ("rotary", "sinusoidal", "none"))
        check_alphabet(self)
        check_outputs(self)
        if self.task == "masked" and self.mask_token is None:
            raise InputError("task is 'masked' but mask_token is null: give the tokenizer's mask token")
        if self.mask_token is not None and not 0 <= self.mask_token < self.n_tokens:
            raise InputError(
                f"mask_token is {self.mask_token}, outside the {self.n_tokens} tokens of the vocabulary"
            )


class KmerTransformer(Model):
    """Embedding, Transformer encoder and head; see the module for the shapes.

    ``forward`` takes token numbers ``(batch, length)`` and the lengths ``(batch,)`` of padded rows, and
    returns raw logits or values ``(batch, outputs)``, or ``(batch, n_tokens, length)`` for the task "masked".
    Batches hold ``tokens``, ``length`` where rows are padded, and ``label`` or ``target`` (see `task_loss`)
    but for "masked", whose labels are the hidden tokens themselves.

    Raises
    ------
    InputError
        If tokens are not ``(batch, length)`` whole numbers of the vocabulary, or a length doesn't fit them.

    Examples
    --------
    >>> model = KmerTransformer(KmerTransformerConfig(n_tokens=68, k=3))
    >>> tokens = torch.arange(20).reshape(2, 10)
    >>> model(tokens).shape, model.attention(tokens).shape
    (torch.Size([2, 1]), torch.Size([2, 2, 4, 10, 10]))
    """

    config_class = KmerTransformerConfig
    config: KmerTransformerConfig

    def __init__(self, config: KmerTransformerConfig) -> None:
        super().__init__()
        self.config = c = config
        self.embedding = nn.Embedding(c.n_tokens, c.n_features)
        self.dropout = nn.Dropout(c.dropout)
        self.encoder = TransformerEncoder(
            c.n_features, c.n_heads, c.n_layers, rotary=c.positions == "rotary", dropout=c.dropout
        )
        self.head = nn.Linear(c.n_features, c.n_tokens if c.task == "masked" else len(c.outputs))

    def forward(self, tokens: Tensor, length: Tensor | None = None) -> Tensor:
        """Return raw logits or values: ``(batch, outputs)``, or ``(batch, n_tokens, length)`` if "masked"."""
        x, mask = self._embedded(tokens, length)
        x = self.encoder(x, mask)  # (batch, length, n_features)
        if self.config.task == "masked":
            return self.head(x).transpose(1, 2)  # (batch, n_tokens, length)
        return self.head(masked_mean(x, mask))

    def attention(self, tokens: Tensor, length: Tensor | None = None) -> Tensor:
        """Return the attention maps, ``(batch, layers, heads, length, length)``: rows sum to 1."""
        return self.encoder.weights(*self._embedded(tokens, length))

    def _embedded(self, tokens: Tensor, length: Tensor | None) -> tuple[Tensor, Tensor]:
        self._check(tokens)
        n_rows, n_positions = tokens.shape
        length = checked_lengths(length, n_rows=n_rows, n_positions=n_positions, device=tokens.device)
        x = self.embedding(tokens.long())  # (batch, length, n_features)
        if self.config.positions == "sinusoidal":
            x = x + sinusoidal_positions(n_positions, self.config.n_features, device=x.device).to(x.dtype)
        return self.dropout(x), position_mask(length, n_positions)

    def _check(self, tokens: Tensor) -> None:
        if tokens.dim() != 2 or tokens.is_floating_point():
            raise InputError(
                f"tokens are {tokens.dtype} of shape {tuple(tokens.shape)}: expected whole numbers "
                "(batch, length)"
            )
        outside = (tokens < 0) | (tokens >= self.config.n_tokens)
        if outside.any():
            row, position = outside.nonzero()[0].tolist()
            raise InputError(
                f"token {int(tokens[row, position])} at position {position} of sequence {row} is outside the "
                f"{self.config.n_tokens} tokens of the vocabulary: use the tokenizer the model was made for"
            )

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the task, averaged over the batch."""
        tokens, length = batch["tokens"], batch.get("length")
        if self.config.task != "masked":
            return task_loss(self(tokens, length), batch, self.config.task)
        shown, label = self._hidden(tokens, length)
        return task_loss(self(shown, length), {"label": label}, "classes")

    def _hidden(self, tokens: Tensor, length: Tensor | None) -> tuple[Tensor, Tensor]:
        c = self.config
        assert c.mask_token is not None  # the configuration says so
        mask = None if length is None else position_mask(length, tokens.shape[1])
        # Overlapping k-mers give a hidden one away, so that all which share its letters are hidden with it.
        span = -(-c.k // c.stride)
        return hide_tokens(tokens, mask_token=c.mask_token, rate=c.mask_rate, span=span, counts=mask)


def hide_tokens(
    tokens: Tensor,
    *,
    mask_token: int,
    rate: float = 0.15,
    span: int = 1,
    counts: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Hide runs of tokens, to be guessed from the others.

    Parameters
    ----------
    tokens
        ``(batch, length)``; left as they are.
    mask_token
        Shown in place of a hidden token.
    rate
        Share of the tokens to hide, on average.
    span
        Tokens hidden side by side. With overlapping k-mers all neighbours share letters: with a span below k
        they spell the hidden token out, and with k they leave one letter of it open.
    counts
        Bool ``(batch, length)``: padding is not hidden.
    generator
        Source of the draws; without one torch's own, as dropout's.

    Returns
    -------
    The tokens to show, and the labels: the token where it is hidden, -100 elsewhere. At least one token of
    the batch is hidden, so that a loss has something to average.
    """
    # A token stays when none of the `span` draws that reach it hits: (1 - start)**span = 1 - rate.
    start = 1 - (1 - rate) ** (1 / span)
    drawn = torch.rand(tokens.shape, generator=generator, device=tokens.device)
    if counts is not None:
        drawn = drawn.masked_fill(~counts, 1.0)
    starts = (drawn < start) | (drawn == drawn.min())
    reached = max_pool1d(starts.float()[:, None], span, stride=1, padding=span // 2)[:, 0]
    hidden = reached[:, : tokens.shape[1]] > 0
    if counts is not None:
        hidden &= counts
    return tokens.masked_fill(hidden, mask_token), tokens.long().masked_fill(~hidden, IGNORED)

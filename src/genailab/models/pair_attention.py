"""Do this RNA and this protein bind? Two encoders that look at each other.

    RNA      codes (batch, length)   -> embedding, convolution -> (batch, length, n_features)
    protein  codes (batch, residues) -> embedding, convolution -> (batch, residues, n_features)
    cross-attention both ways: each base asks the residues, each residue asks the bases
    mean over each -> side by side, with their product -> outputs

A binding site is a few bases against a few residues: attention can pair them wherever they are, and its maps
show which. Lu et al. 2019, "ViLBERT" (co-attention, figure 2b), for molecules instead of words and pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from genailab.data.sequences.alphabet import ALPHABETS, Alphabet
from genailab.errors import InputError
from genailab.nn.attention import Attention
from genailab.nn.checks import (
    check_at_least_one,
    check_choice,
    check_odd,
    check_outputs,
    check_share,
)
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.padding import checked_lengths, masked_mean, position_mask
from genailab.nn.tasks import Task, task_loss

__all__ = ["PairAttention", "PairAttentionConfig"]


@dataclass(frozen=True, kw_only=True)
class PairAttentionConfig:
    """Size and meaning of a PairAttention."""

    outputs: tuple[str, ...] = ("binds",)  # names of the classes, or of what is measured
    task: Task = "binary"
    first_alphabet: str = "RNA"
    second_alphabet: str = "PROTEIN"
    n_features: int = 64
    n_heads: int = 4
    kernel: int = 7  # letters that a position knows before it asks the other molecule
    dropout: float = 0.1

    def __post_init__(self) -> None:
        check_at_least_one(self, "n_features", "n_heads")
        check_odd(self, "kernel")
        check_share(self, "dropout")
        check_choice(self, "task", ("binary", "classes", "regression"))
        check_choice(self, "first_alphabet", tuple(ALPHABETS))
        check_choice(self, "second_alphabet", tuple(ALPHABETS))
        check_outputs(self)


class PairAttention(Model):
    """Cross-attention between two sequences; see the module for the shapes.

    ``forward`` takes the codes of both, each with the lengths ``(batch,)`` of padded rows, and returns raw
    logits or values ``(batch, outputs)``. Batches hold ``first_codes`` and ``second_codes``, uint8,
    ``first_length`` and ``second_length`` where rows are padded, and ``label`` or ``target`` (see
    `task_loss`).

    Raises
    ------
    InputError
        If codes are not uint8 ``(batch, length)``, the two batches differ in size, or a length doesn't fit.

    Examples
    --------
    >>> from genailab.data.sequences.alphabet import PROTEIN, RNA
    >>> from genailab.data.sequences.encoding import encode
    >>> model = PairAttention(PairAttentionConfig())
    >>> rna, protein = encode(["ACGUACGU"], alphabet=RNA), encode(["MKLVDE"], alphabet=PROTEIN)
    >>> model(rna, protein).shape, [tuple(view.shape) for view in model.attention(rna, protein)]
    (torch.Size([1, 1]), [(1, 4, 8, 6), (1, 4, 6, 8)])
    """

    config_class = PairAttentionConfig
    config: PairAttentionConfig

    def __init__(self, config: PairAttentionConfig) -> None:
        super().__init__()
        self.config = c = config
        self.first = _Encoder(ALPHABETS[c.first_alphabet], c)
        self.second = _Encoder(ALPHABETS[c.second_alphabet], c)
        self.first_asks = Attention(c.n_features, c.n_heads, dropout=c.dropout)
        self.second_asks = Attention(c.n_features, c.n_heads, dropout=c.dropout)
        self.first_norm = nn.LayerNorm(c.n_features)
        self.second_norm = nn.LayerNorm(c.n_features)
        self.head = nn.Sequential(
            nn.Linear(3 * c.n_features, c.n_features),
            nn.GELU(),
            nn.Dropout(c.dropout),
            nn.Linear(c.n_features, len(c.outputs)),
        )

    def forward(
        self,
        first: Tensor,
        second: Tensor,
        first_length: Tensor | None = None,
        second_length: Tensor | None = None,
    ) -> Tensor:
        """Return raw logits or values, ``(batch, outputs)``."""
        x, x_mask, y, y_mask = self._encoded(first, second, first_length, second_length)
        seen_by_x = self.first_norm(x + self.first_asks(x, y, mask=y_mask))  # (batch, length, n_features)
        seen_by_y = self.second_norm(y + self.second_asks(y, x, mask=x_mask))  # (batch, residues, n_features)
        x_mean, y_mean = masked_mean(seen_by_x, x_mask), masked_mean(seen_by_y, y_mask)
        return self.head(torch.cat([x_mean, y_mean, x_mean * y_mean], dim=1))

    def attention(
        self,
        first: Tensor,
        second: Tensor,
        first_length: Tensor | None = None,
        second_length: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return where each base looks and where each residue looks.

        ``(batch, heads, length, residues)`` and ``(batch, heads, residues, length)``; rows sum to 1.
        """
        x, x_mask, y, y_mask = self._encoded(first, second, first_length, second_length)
        return self.first_asks.weights(x, y, mask=y_mask), self.second_asks.weights(y, x, mask=x_mask)

    def _encoded(
        self, first: Tensor, second: Tensor, first_length: Tensor | None, second_length: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if len(first) != len(second):
            raise InputError(
                f"{len(first)} {self.config.first_alphabet} sequences for {len(second)} "
                f"{self.config.second_alphabet} sequences: a pair needs one of each"
            )
        return *self.first(first, first_length), *self.second(second, second_length)

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the task, averaged over the pairs."""
        outputs = self(
            batch["first_codes"],
            batch["second_codes"],
            batch.get("first_length"),
            batch.get("second_length"),
        )
        return task_loss(outputs, batch, self.config.task)


class _Encoder(nn.Module):
    """Letters with their neighbourhood: codes ``(batch, length)`` to ``(batch, length, n_features)``."""

    def __init__(self, alphabet: Alphabet, config: PairAttentionConfig) -> None:
        super().__init__()
        self.alphabet = alphabet
        self.embedding = nn.Embedding(alphabet.size + 1, config.n_features)  # the last one: unknown
        self.convolution = nn.Conv1d(
            config.n_features, config.n_features, config.kernel, padding=config.kernel // 2
        )
        self.norm = nn.LayerNorm(config.n_features)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, codes: Tensor, length: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the features and which positions count."""
        if codes.dim() != 2 or codes.dtype != torch.uint8:
            raise InputError(
                f"{self.alphabet.name} codes are {codes.dtype} of shape {tuple(codes.shape)}, expected uint8 "
                "(batch, length): use genailab.data.encode"
            )
        n_rows, n_positions = codes.shape
        length = checked_lengths(length, n_rows=n_rows, n_positions=n_positions, device=codes.device)
        mask = position_mask(length, n_positions)
        letters = self.embedding(codes.long().clamp(max=self.alphabet.size))
        # The convolution must see zeros at the padding, as it does beyond the end.
        letters = letters * mask[:, :, None]  # (batch, length, n_features)
        around = self.convolution(letters.transpose(1, 2)).transpose(1, 2)  # (batch, length, n_features)
        return self.dropout(self.norm(letters + gelu(around))), mask

"""Secondary structure of a protein from its sequence alone: one state for each residue.

Convolutions see the neighbourhood (a helix turns every 3.6 residues, a strand every 2), a bidirectional LSTM
sees the whole chain, and each residue is classified as helix, strand or coil: many inputs, as many outputs.
After Heffernan et al. 2018, "Single-Sequence-Based Prediction of Protein Secondary Structures and Solvent
Accessibility by Deep Whole-Sequence Learning" (SPIDER3-Single), made small enough for two CPU cores. Without
an alignment of relatives about 73% of the residues can be told; with one, about 85%.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from genailab.data.sequences.alphabet import PROTEIN
from genailab.errors import InputError
from genailab.nn.checks import check_at_least_one, check_choice, check_odd, check_outputs, check_share
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.padding import checked_lengths, position_mask
from genailab.nn.recurrence import Bidirectional, LockedDropout
from genailab.nn.tasks import task_loss

__all__ = ["SecondaryStructureBiLSTM", "SecondaryStructureConfig"]


@dataclass(frozen=True, kw_only=True)
class SecondaryStructureConfig:
    """Shape of the network and what its inputs and outputs mean."""

    alphabet: str = "PROTEIN"  # codes above its 20 letters are read as unknown
    states: tuple[str, ...] = ("H", "E", "C")  # helix, strand, coil: the order of the labels
    n_embedding: int = 64  # a residue's learned properties: charge, size, hydrophobicity, ...
    n_channels: int = 128
    kernel_size: int = 7  # two turns of a helix
    n_convolutions: int = 2
    n_hidden: int = 96  # of the LSTM, each direction: what two cores can train in a quarter of an hour
    n_layers: int = 2
    dropout: float = 0.3
    hide_letters: float = 0.05  # share of residues shown as unknown in training: neighbours must speak

    def __post_init__(self) -> None:
        check_choice(self, "alphabet", ("PROTEIN",))
        check_outputs(self, "states")
        check_at_least_one(self, "n_embedding", "n_channels", "n_convolutions", "n_hidden", "n_layers")
        check_odd(self, "kernel_size")
        check_share(self, "dropout", "hide_letters")
        if len(self.states) < 2:
            raise InputError(f"states names one state, {self.states[0]!r}: name at least 2")


class SecondaryStructureBiLSTM(Model):
    """Codes of residues to logits of the states at each of them.

    Batches hold ``codes``, uint8 ``(batch, length)`` of the PROTEIN alphabet, ``length`` ``(batch,)`` where
    rows are padded, and ``label``, long ``(batch, length)``, -100 where the structure isn't known.

    Examples
    --------
    >>> model = SecondaryStructureBiLSTM(SecondaryStructureConfig(n_hidden=8))
    >>> model(torch.zeros(2, 30, dtype=torch.uint8)).shape
    torch.Size([2, 3, 30])
    """

    config_class = SecondaryStructureConfig

    def __init__(self, config: SecondaryStructureConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(PROTEIN.size + 1, config.n_embedding)  # the last one: unknown
        widths = [config.n_embedding, *[config.n_channels] * config.n_convolutions]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n_in, n_out, config.kernel_size, padding=config.kernel_size // 2)
            for n_in, n_out in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in widths[1:])
        self.dropout = LockedDropout(config.dropout)
        self.lstm = Bidirectional(
            nn.LSTM, widths[-1], config.n_hidden, n_layers=config.n_layers, dropout=config.dropout
        )
        # The head also sees the convolutions: what is local needn't pass through the recurrence.
        self.head = nn.Sequential(
            nn.Linear(2 * config.n_hidden + widths[-1], config.n_channels),
            nn.GELU(),
            LockedDropout(config.dropout),
            nn.Linear(config.n_channels, len(config.states)),
        )

    def forward(self, codes: Tensor, length: Tensor | None = None) -> Tensor:
        """Return logits ``(batch, n_states, length)``; those at the padding mean nothing.

        Raises
        ------
        InputError
            If the codes are not uint8 ``(batch, length)``, or a length doesn't fit them.
        """
        if codes.dim() != 2 or codes.dtype != torch.uint8:
            raise InputError(
                f"codes are {codes.dtype} of shape {tuple(codes.shape)}: expected uint8 (batch, length), "
                "use genailab.data.encode with alphabet=PROTEIN"
            )
        n_rows, n_positions = codes.shape
        length = checked_lengths(length, n_rows=n_rows, n_positions=n_positions, device=codes.device)
        local = self._neighbourhoods(codes, position_mask(length, n_positions)[:, :, None])
        context = self.lstm(self.dropout(local), length)  # (batch, length, 2 * n_hidden)
        logits = self.head(self.dropout(torch.cat([context, local], dim=2)))
        return logits.transpose(1, 2)  # (batch, n_states, length)

    def _neighbourhoods(self, codes: Tensor, mask: Tensor) -> Tensor:
        letters = codes.long().clamp(max=PROTEIN.size)
        if self.training and self.config.hide_letters > 0:
            hidden = torch.rand(letters.shape, device=letters.device) < self.config.hide_letters
            letters = letters.masked_fill(hidden, PROTEIN.size)
        x = self.embedding(letters) * mask  # (batch, length, n_embedding)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            seen = gelu(norm(convolution(x.transpose(1, 2)).transpose(1, 2)))
            x = (seen + x if seen.shape == x.shape else seen) * mask  # (batch, length, n_channels)
        return x

    def loss(self, batch: Batch) -> Loss:
        """Cross-entropy averaged over the residues whose structure is known."""
        return task_loss(self(batch["codes"], batch.get("length")), batch, "classes")

"""Recurrent layers over sequences of different lengths in one padded batch.

Packing (`torch.nn.utils.rnn.pack_padded_sequence`) is exact, but slow to train on a CPU where lengths differ:
measured on proteins of 20 to 1,600 residues, 470 to 1,300 residues a second against 14,000 for the same LSTM
on padded rows. `Bidirectional` is exact as well and runs on padded rows: it reverses each row within its own
length, so that for both directions the padding comes after everything that counts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from genailab.nn.padding import position_mask

__all__ = ["Bidirectional", "LockedDropout", "reverse_within"]


def reverse_within(x: Tensor, length: Tensor) -> Tensor:
    """Reverse each row within its length, ``(batch, n_positions, features)``; the padding stays at the end.

    Its own inverse.

    Examples
    --------
    >>> reverse_within(torch.tensor([[[1], [2], [0]]]), torch.tensor([2])).flatten().tolist()
    [2, 1, 0]
    """
    positions = torch.arange(x.shape[1], device=x.device)
    mirrored = length[:, None] - 1 - positions  # (batch, n_positions)
    source = torch.where(mirrored >= 0, mirrored, positions)
    return x.gather(1, source[:, :, None].expand(x.shape))


class LockedDropout(nn.Module):
    """Drop whole features of a sequence, the same at every position: ``(batch, length, features)``.

    Noise that changes from step to step drowns what a recurrence carries along; a mask that stays doesn't.
    It also needs one random number a feature instead of one a position. Gal & Ghahramani 2016, "A
    Theoretically Grounded Application of Dropout in Recurrent Neural Networks".
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with features dropped and the others scaled up; ``x`` itself in evaluation."""
        if not self.training or self.p == 0:
            return x
        return x * dropout(x.new_ones(len(x), 1, x.shape[2]), self.p)


class Bidirectional(nn.Module):
    """Stacked LSTM or GRU that reads each row in both directions, exact whatever the padding.

    ``(batch, length, n_in)`` to ``(batch, length, 2 * n_hidden)``, zeros at the padding; the first half of
    the features has read from the start, the second half from the end. Schuster & Paliwal 1997,
    "Bidirectional Recurrent Neural Networks", over Hochreiter & Schmidhuber 1997 (LSTM) or Cho et al. 2014
    (GRU).

    Parameters
    ----------
    cell
        ``nn.LSTM`` or ``nn.GRU``.
    n_in, n_hidden
        Features in, and out for each direction.
    n_layers
        Layers; each reads both directions of the one below.
    dropout
        Share of the features dropped between layers, as `LockedDropout` does.
    """

    def __init__(
        self,
        cell: type[nn.LSTM] | type[nn.GRU],
        n_in: int,
        n_hidden: int,
        *,
        n_layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [n_in, *[2 * n_hidden] * (n_layers - 1)]
        self.forwards = nn.ModuleList(cell(width, n_hidden, batch_first=True) for width in widths)
        self.backwards = nn.ModuleList(cell(width, n_hidden, batch_first=True) for width in widths)
        self.dropout = LockedDropout(dropout)

    def forward(self, x: Tensor, length: Tensor) -> Tensor:
        """Return the hidden state at each position."""
        mask = position_mask(length, x.shape[1])[:, :, None]  # (batch, length, 1)
        for layer, (ahead, back) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            if layer > 0:
                x = self.dropout(x)
            from_start = ahead(x)[0]  # (batch, length, n_hidden)
            from_end = reverse_within(back(reverse_within(x, length))[0], length)
            x = torch.cat([from_start, from_end], dim=2) * mask
        return x

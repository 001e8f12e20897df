"""What networks for sequences share: their channels, and which positions count."""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.networks.context import Conditioned
from genailab.nn.conditioning import Categories

__all__ = ["SequenceNetwork"]


class SequenceNetwork(Conditioned):
    """A network from ``(batch, channels_in, length)`` to ``(batch, channels_out, length)``, for any length.

    The channels may be noisy bits, one-hot letters and the mask of masked diffusion, or an earlier estimate
    beside either. A row of a padded batch gives what it gives alone: positions that don't count are not
    looked at, and their output is 0.
    """

    def __init__(
        self, channels_in: int, channels_out: int, categories: Categories, *, n_context: int
    ) -> None:
        super().__init__(categories, n_context)
        self.channels_in, self.channels_out = channels_in, channels_out

    def checked(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return which positions count, bool ``(batch, length)``: all of them without a mask.

        Raises
        ------
        InputError
            If ``x`` is no ``(batch, channels_in, length)``, or the mask is not bool ``(batch, length)``.
        """
        if x.dim() != 3 or x.shape[1] != self.channels_in or x.shape[2] == 0:
            raise InputError(
                f"expected sequences (batch, {self.channels_in}, length), got {tuple(x.shape)}: put the "
                "channels second, and leave empty sequences out"
            )
        if mask is None:
            return torch.ones(x.shape[0], x.shape[2], dtype=torch.bool, device=x.device)
        if mask.dtype != torch.bool or mask.shape != (x.shape[0], x.shape[2]):
            raise InputError(
                f"the mask is {mask.dtype} {tuple(mask.shape)}: give bool {(x.shape[0], x.shape[2])}, True "
                "where a position counts"
            )
        return mask

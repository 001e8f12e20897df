"""Accepting and rejecting proposals, so that a chain leaves its target exactly as it is.

A move from x to y proposed with ``q(y | x)`` is accepted with probability
``min(1, p(y) q(x | y) / (p(x) q(y | x)))``, which makes the chain reversible. Hastings 1970, "Monte Carlo
sampling methods using Markov chains and their applications".
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Moves", "accept", "choose"]


class Moves(NamedTuple):
    """Where the chains are, and the share of its proposals that each accepted, ``(batch,)``."""

    states: Tensor
    acceptance: Tensor


def accept(log_ratio: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """Draw whether each proposal is accepted, bool ``(batch,)``, from the log of Hastings' ratio.

    A ratio that is no number is a rejection: it comes of a proposal with energy +inf.
    """
    uniform = torch.rand(log_ratio.shape, generator=generator, device=log_ratio.device, dtype=log_ratio.dtype)
    return uniform.log() < log_ratio


def choose(accepted: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Return the new rows where they were accepted and the old ones elsewhere, ``(batch, ...)``."""
    return torch.where(accepted.reshape(-1, *[1] * (new.dim() - 1)), new, old)

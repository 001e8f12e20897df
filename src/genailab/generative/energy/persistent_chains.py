"""Chains that go on from batch to batch, so that a few steps a batch are enough.

Tieleman 2008, "Training restricted Boltzmann machines using approximations to the likelihood gradient"; a few
are started anew at every batch, as in the replay buffer of Du & Mordatch 2019, "Implicit generation and
modeling with energy-based models", section 3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genailab.errors import InputError

__all__ = ["PersistentChains", "chains_to_begin_at"]


class PersistentChains(nn.Module):
    """States of chains that go on from batch to batch: buffers, saved and resumed with the model.

    Each combination of conditions has equally many chains, so that a batch always finds some of its own.

    Parameters
    ----------
    states
        Where they start, ``(n_chains, ...)``; of several groups in turn 0, 1, ..., 0, 1, ...
    n_groups
        Combinations of conditions.

    Raises
    ------
    InputError
        If there are fewer chains than groups.
    """

    states: Tensor

    def __init__(self, states: Tensor, *, n_groups: int = 1) -> None:
        super().__init__()
        if len(states) < n_groups:
            raise InputError(
                f"{len(states)} chains are too few for {n_groups} combinations of conditions: set n_chains "
                f"to at least {n_groups}"
            )
        self.n_groups, self.n_each = n_groups, len(states) // n_groups
        self.register_buffer("states", states)

    def slots(self, groups: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """Choose a random chain of each row's group, ``(batch,)``, none twice while others are left."""
        order = torch.rand(self.n_groups, self.n_each, generator=generator, device=groups.device).argsort(
            dim=1
        )
        # The k-th row of a group takes the k-th chain of that group's random order.
        return order[groups, _rank_in_group(groups) % self.n_each] * self.n_groups + groups

    def start(
        self, slots: Tensor, fresh: Tensor, *, restart: float, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return these chains' states ``(batch, ...)``, a share ``restart`` of them replaced by ``fresh``."""
        anew = torch.rand(len(slots), generator=generator, device=slots.device) < restart
        kept = self.states[slots]
        return torch.where(anew.reshape(-1, *[1] * (kept.dim() - 1)), fresh, kept)

    def store(self, slots: Tensor, states: Tensor) -> None:
        """Put the chains back where they go on from."""
        self.states[slots] = states.detach().to(self.states.dtype)


def chains_to_begin_at(chains: PersistentChains | None, start: str | None) -> PersistentChains | None:
    """Return the chains that sampling begins at, or None where it begins at noise.

    Raises
    ------
    InputError
        If ``start`` is neither None, "chains" nor "noise", or asks for chains that the model does not keep.
    """
    if start not in (None, "chains", "noise"):
        raise InputError(f"start is {start!r}: choose chains or noise")
    if start == "chains" and chains is None:
        raise InputError("start is 'chains', but this model keeps none: use start='noise'")
    return None if start == "noise" else chains


def _rank_in_group(groups: Tensor) -> Tensor:
    """Return how many earlier rows share each row's group, ``(batch,)``."""
    sorted_groups, order = groups.sort(stable=True)
    first = torch.searchsorted(sorted_groups, sorted_groups)  # where each group begins
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(groups), device=groups.device) - first
    return rank

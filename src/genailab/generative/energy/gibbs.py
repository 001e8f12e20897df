"""Samplers of sequences under an energy on their one-hot letters: Gibbs, and Gibbs with gradients.

Both change one letter at a time and leave ``p(x) = exp(-E(x)) / Z`` exactly as it is.

- Gibbs: a random position is drawn anew from ``p(letter | all other letters)``, which takes an energy for
  each letter. Geman & Geman 1984, "Stochastic relaxation, Gibbs distributions, and the Bayesian restoration
  of images", section XI.
- With gradients: one gradient estimates the gain ``d`` of every possible change, and a change is proposed
  with probability proportional to ``exp(d / 2)``, then accepted or rejected. Grathwohl et al. 2021, "Oops I
  took a gradient: scalable sampling for discrete distributions", section 3 and algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy.energies import Energy, check_chain, check_steps, energy_and_score
from genailab.generative.energy.letters import hot_letters
from genailab.generative.energy.metropolis import Moves, accept, choose

__all__ = ["gibbs", "gibbs_with_gradients"]


@torch.no_grad()
def gibbs(
    energy: Energy,
    codes: Tensor,
    *,
    n_letters: int,
    n_steps: int,
    fixed: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw one random position of each sequence anew, ``n_steps`` times; return codes of the same type.

    Parameters
    ----------
    energy
        One-hot ``(batch, n_letters, length)`` to ``(batch,)``.
    codes
        Where the chains start, ``(batch, length)``, all below ``n_letters``.
    n_letters
        Size of the alphabet.
    n_steps
        Positions drawn anew in each sequence; ``length`` of them make one sweep.
    fixed
        Positions that keep their letters, bool ``(length,)`` or ``(batch, length)``.
    generator
        Source of randomness.

    Raises
    ------
    InputError
        If a code is no letter, no position is free, or an energy isn't finite.
    """
    check_steps("gibbs", n_steps=n_steps)
    x = hot_letters(codes, n_letters)  # (batch, n_letters, length)
    free = _free(codes, fixed).float()  # (batch, length)
    rows = torch.arange(len(x), device=x.device)
    letters = torch.eye(n_letters, device=x.device)
    for step in range(1, n_steps + 1):
        position = torch.multinomial(free, 1, generator=generator)[:, 0]
        energies = torch.stack([energy(_written(x, rows, position, one)) for one in letters], dim=1)
        check_chain(energies, sampler="gibbs", step=step, infinite=True)
        letter = torch.multinomial((-energies).softmax(dim=1), 1, generator=generator)[:, 0]
        x = _written(x, rows, position, letters[letter])
    return x.argmax(dim=1).to(codes.dtype)


def _written(x: Tensor, rows: Tensor, position: Tensor, letter: Tensor) -> Tensor:
    changed = x.clone()
    changed[rows, :, position] = letter
    return changed


@torch.no_grad()
def gibbs_with_gradients(
    energy: Energy,
    codes: Tensor,
    *,
    n_letters: int,
    n_steps: int,
    fixed: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Moves:
    """Propose the changes that the gradient favours, ``n_steps`` times; return codes and acceptance.

    Every proposal changes a letter, so where there are only two letters the chain needs rejections to forget
    the parity of its start. Parameters and errors are those of `gibbs`; the energy must be differentiable.
    """
    check_steps("gibbs_with_gradients", n_steps=n_steps)
    if n_letters < 2:
        raise InputError(f"an alphabet of {n_letters} letter leaves nothing to change: give at least 2")
    x = hot_letters(codes, n_letters)  # (batch, n_letters, length)
    free = _free(codes, fixed)
    value, log_q = _changes(energy, x, free, step=0)
    n_accepted = torch.zeros_like(value)
    for step in range(1, n_steps + 1):
        change = torch.multinomial(log_q.exp(), 1, generator=generator)[:, 0]  # (batch,)
        proposal, back = _changed(x, change)
        new_value, new_log_q = _changes(energy, proposal, free, step=step)
        log_ratio = value - new_value + _pick(new_log_q, back) - _pick(log_q, change)
        accepted = accept(log_ratio, generator=generator)
        x, value = choose(accepted, proposal, x), choose(accepted, new_value, value)
        log_q = choose(accepted, new_log_q, log_q)
        n_accepted += accepted
    return Moves(x.argmax(dim=1).to(codes.dtype), n_accepted / max(1, n_steps))


def _changes(energy: Energy, x: Tensor, free: Tensor, *, step: int) -> tuple[Tensor, Tensor]:
    """Return the energies and the log-probability of each change, ``(batch, n_letters * length)``."""
    value, score = energy_and_score(energy, x)
    check_chain(value, sampler="gibbs_with_gradients", step=step)
    check_chain(score, sampler="gibbs_with_gradients", step=step)
    gain = score - (score * x).sum(dim=1, keepdim=True)  # (batch, n_letters, length)
    forbidden = (x > 0) | ~free[:, None, :]
    return value, (gain / 2).masked_fill(forbidden, -torch.inf).flatten(1).log_softmax(dim=1)


def _changed(x: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    """Return the changed sequences, and the number of the change that leads back, ``(batch,)``."""
    length = x.shape[2]
    rows, position, letter = torch.arange(len(x), device=x.device), change % length, change // length
    old = x[rows, :, position].argmax(dim=1)
    proposal = x.clone()
    proposal[rows, old, position] = 0
    proposal[rows, letter, position] = 1
    return proposal, old * length + position


def _pick(log_q: Tensor, change: Tensor) -> Tensor:
    return log_q.gather(1, change[:, None])[:, 0]


def _free(codes: Tensor, fixed: Tensor | None) -> Tensor:
    """Return which positions may change, bool ``(batch, length)``."""
    if fixed is None:
        return torch.ones_like(codes, dtype=torch.bool)
    if fixed.dtype != torch.bool or fixed.shape not in (codes.shape, codes.shape[1:]):
        raise InputError(
            f"fixed is {fixed.dtype} {tuple(fixed.shape)} for sequences {tuple(codes.shape)}: give bool of "
            "that shape, or one for all of (length,)"
        )
    free = ~fixed.to(codes.device).expand_as(codes)
    held = ~free.any(dim=1)
    if held.any():
        raise InputError(
            f"all positions of sequence {int(held.nonzero()[0])} are fixed: leave at least one free"
        )
    return free

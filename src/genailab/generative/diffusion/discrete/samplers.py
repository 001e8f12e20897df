"""From noise to letters: plain functions of a letter denoiser.

``ancestral`` walks back in time for any noise: each position is drawn from ``p(x_s | x_t)``. Positions are
drawn on their own within a step, so that it is exact as the steps become many. Austin et al. 2021,
"Structured Denoising Diffusion Models in Discrete State-Spaces", equation 4; for the mask Sahoo et al.
2024, section 3.2.

``unmask`` fills in masked letters, as many in each step. In random order with one letter a step it is exact
where the denoiser is: it reads the chain rule in random order (Ou et al. 2024). By confidence it fills in
the surest first, which is sharper and less diverse. Chang et al. 2022, "MaskGIT", section 3.2.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.discrete.denoisers import LetterDenoiser
from genailab.generative.diffusion.discrete.process import DiscreteProcess, draw

__all__ = ["Order", "ancestral", "falling_times", "unmask"]

Order = Literal["random", "confidence"]


def falling_times(n_steps: int, *, device: torch.device | str = "cpu") -> Tensor:
    """Return times from 1 to 0 in even steps, ``(n_steps + 1,)``; InputError below 1 step."""
    if n_steps < 1:
        raise InputError(f"asked for {n_steps} sampling steps: ask for at least 1")
    return torch.linspace(1, 0, n_steps + 1, device=device)


def ancestral(
    denoiser: LetterDenoiser,
    x: Tensor,
    times: Tensor,
    process: DiscreteProcess,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return letters, uint8 ``(batch, length)``, from states ``x`` at ``times[0]``.

    ``times`` fall to ``times[-1]``, usually 0; what is then still masked stays so. InputError where a time
    lies outside [0, 1] or they do not fall.
    """
    rises = (times.diff() >= 0).nonzero()
    if len(rises):
        i = int(rises[0])
        raise InputError(f"sampling times go from {times[i]:.4g} to {times[i + 1]:.4g}: let them fall")
    for t, s in pairwise(times):
        x = draw(process.step_back(x, denoiser(x, t).exp(), s, t), generator=generator)
    return x


def unmask(
    denoiser: LetterDenoiser,
    x: Tensor,
    mask: int,
    *,
    n_steps: int | None = None,
    order: Order = "random",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return ``x``, uint8 ``(batch, length)``, with every ``mask`` filled in; the other letters stay.

    Parameters
    ----------
    denoiser
        Told the share of masked letters of each sequence, ``(batch,)``, as its time.
    x
        States, some or all of them masked.
    mask
        The code of the mask.
    n_steps
        In how many steps; None fills in one letter a step.
    order
        ``"random"``, or by ``"confidence"``: those letters first that were likeliest when drawn.
    generator
        Source of randomness.

    Raises
    ------
    InputError
        If there is less than 1 step, or the order is unknown.
    """
    if order not in ("random", "confidence"):
        raise InputError(f"order is {order!r}: choose random or confidence")
    n_masked = (x == mask).sum(dim=1)  # (batch,)
    most = int(n_masked.max())
    n_steps = most if n_steps is None else n_steps
    if n_steps < 1 and most:
        raise InputError(f"asked for {n_steps} sampling steps: ask for at least 1")
    for step in range(min(n_steps, most)):
        masked = x == mask
        left = masked.sum(dim=1)
        log_p = denoiser(x, left / x.shape[1])
        letters = draw(log_p.exp(), generator=generator)
        if order == "random":
            urgency = torch.rand(x.shape, generator=generator, device=x.device)
        else:
            urgency = log_p.gather(1, letters.long()[:, None]).squeeze(1)
        rank = urgency.masked_fill(~masked, -math.inf).argsort(dim=1, descending=True).argsort(dim=1)
        filled = masked & (rank < torch.ceil(left / (min(n_steps, most) - step))[:, None])
        x = torch.where(filled, letters, x)
    return x

"""What estimates the data from noisy letters, and what bends that estimate while sampling.

A letter denoiser returns ``log p(x_0 | x_t)`` at each position. Every wrapper here takes one and returns
one, so that each works with each sampler, and with the others::

    guided        log p = log p(nothing) + scale (log p(condition) - log p(nothing)), normalised
    tempered      log p / temperature, normalised
    nucleus       the likeliest letters that make up a share of the probability, normalised
    restricted    the letters that are allowed at each position, normalised

Guidance: Schiff et al. 2024, "Simple Guidance Mechanisms for Discrete Diffusion Models";
Nisonoff et al. 2024, "Unlocking Guidance for Discrete State-Space Diffusion and Flow Models", guide the
rates of change instead. Nucleus: Holtzman et al. 2020, "The
Curious Case of Neural Text Degeneration", equation 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from genailab.errors import InputError

__all__ = ["LetterDenoiser", "guided", "nucleus", "restricted", "tempered"]

# From states, uint8 (batch, length), and times (scalar or (batch,)) to the log-probabilities of the letters
# of the data, (batch, n_letters, length).
LetterDenoiser = Callable[[Tensor, Tensor], Tensor]


def guided(conditional: LetterDenoiser, unconditional: LetterDenoiser, scale: float) -> LetterDenoiser:
    """Push letters towards what was asked: 1 is the conditional estimate, 0 the unconditional one."""
    if scale == 1:
        return conditional
    if scale == 0:
        return unconditional

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        without = unconditional(x, t)
        return (without + scale * (conditional(x, t) - without)).log_softmax(dim=1)

    return denoise


def tempered(denoiser: LetterDenoiser, temperature: float) -> LetterDenoiser:
    """Sharpen (below 1) or flatten (above 1) the estimate; InputError unless the temperature is positive."""
    if not 0 < temperature < math.inf:
        raise InputError(f"temperature is {temperature}: it must be positive, 1 changes nothing")
    if temperature == 1:
        return denoiser
    return lambda x, t: (denoiser(x, t) / temperature).log_softmax(dim=1)


def nucleus(denoiser: LetterDenoiser, top_p: float) -> LetterDenoiser:
    """Keep the fewest letters whose probabilities reach ``top_p``, in (0, 1]; 1 changes nothing."""
    if not 0 < top_p <= 1:
        raise InputError(f"top_p is {top_p}: it must be in (0, 1], 1 keeps every letter")
    if top_p == 1:
        return denoiser

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        log_p = denoiser(x, t)
        likeliest, order = log_p.sort(dim=1, descending=True)
        before = likeliest.exp().cumsum(dim=1) - likeliest.exp()  # 0 for the first, which always stays
        dropped = (before >= top_p).scatter(1, order, before >= top_p)
        return log_p.masked_fill(dropped, -math.inf).log_softmax(dim=1)

    return denoise


def restricted(denoiser: LetterDenoiser, allowed: Tensor) -> LetterDenoiser:
    """Allow some letters only, bool ``(n_letters, length)`` or one such for each of the batch.

    A position with one allowed letter is clamped to it: in-painting. InputError where none is allowed.
    """
    empty = ~allowed.any(dim=-2)
    if empty.any():
        position = int(empty.nonzero()[0][-1])
        raise InputError(f"no letter is allowed at position {position} (from 0): allow at least one")
    if allowed.all():
        return denoiser

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        # Far below any estimate rather than minus infinity: where the network rules out all that is allowed,
        # the allowed letters still share the probability.
        log_p = denoiser(x, t).clamp(min=-1e9)
        return log_p.masked_fill(~allowed, -math.inf).log_softmax(dim=1)

    return denoise

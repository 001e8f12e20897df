"""Gradients through draws that are whole: letters of a sequence, counts of a gene.

The forward pass gives the draw itself, so that a critic cannot tell a generated row by its being smooth; the
backward pass gives a slope that the draw does not have.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["draw_log_normalised", "gumbel_softmax"]

PER_CELL = 1e4


def gumbel_softmax(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    hard: bool = True,
    dim: int = 1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw letters from their logits, ``(batch, size, length)`` to the same shape, with a gradient.

    ``soft = softmax((logits + g) / temperature)`` with Gumbel noise ``g = -log(-log u)``: its largest letter
    is an exact draw from ``softmax(logits)`` at any temperature. Soft letters become one-hot as the
    temperature falls to 0, while the gradient's variance grows. Jang et al. 2017, "Categorical
    Reparameterization with Gumbel-Softmax", equations 1 and 2.

    Parameters
    ----------
    logits
        Unnormalised log-probabilities of the letters, along ``dim``.
    temperature
        Above 0.
    hard
        Return one-hot letters, with the gradient of the soft ones (straight-through, section 2.2).
    dim
        The axis of the letters.
    generator
        Source of randomness.

    Raises
    ------
    InputError
        If the temperature is not above 0.
    """
    if not temperature > 0:
        raise InputError(f"temperature is {temperature}: it must be above 0, for example 1.0")
    uniform = torch.rand(logits.shape, generator=generator, device=logits.device, dtype=logits.dtype)
    # Neither 0 nor 1: the noise would be infinite.
    tiny, eps = torch.finfo(logits.dtype).tiny, torch.finfo(logits.dtype).eps
    gumbel = -(-uniform.clamp(tiny, 1 - eps / 2).log()).log()
    soft = ((logits + gumbel) / temperature).softmax(dim=dim)
    if not hard:
        return soft
    letters = torch.zeros_like(soft).scatter_(dim, soft.argmax(dim=dim, keepdim=True), 1.0)
    return letters + (soft - soft.detach())


def draw_log_normalised(
    rate: Tensor, library_size: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    """Draw Poisson counts and return ``log1p`` of them per ten thousand, with a gradient to the rate.

    ``y = f(x)``, ``x ~ Poisson(rate)``, ``f(x) = log1p(1e4 x / library_size)``. A Poisson's expectation has
    the slope ``d E f(x) / d rate = E [f(x + 1) - f(x)]`` (by differentiating the series), so that
    ``f(x + 1) - f(x)`` at the draw is an unbiased slope. A relaxed draw, or a straight-through one with
    ``f'(x)``, is not: most counts are 0, where f bends most (for 1,000 counts a cell ``f'(0) = 10`` and
    ``f(1) - f(0) = 2.4``).

    Parameters
    ----------
    rate
        Expected counts, ``(cells, genes)``.
    library_size
        Total by which the counts are normalised, ``(cells, 1)``.
    generator
        Source of randomness.
    """
    counts = torch.poisson(rate.detach(), generator=generator)
    scale = PER_CELL / library_size
    slope = torch.log1p((counts + 1) * scale) - torch.log1p(counts * scale)
    return torch.log1p(counts * scale) + slope.detach() * (rate - rate.detach())

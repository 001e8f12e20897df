"""The evidence bound of masked diffusion, in continuous time.

    -log p(x_0) <= integral over t of  -alpha'(t) / (1 - alpha(t))  E sum over masked of  -log p(x_0 | x_t)

Sahoo et al. 2024, "Simple and Effective Masked Diffusion Language Models", section 3.4; Shi et al. 2024,
"Simplified and Generalized Masked Diffusion for Discrete Data". D3PM's bound with an absorbing
state tends to it as the steps become many. Which letters are masked tells all that the time could, so the
integral over time can be done by hand: with k of the L letters masked, at random,

    -log p(x_0) <= L E over k = 1..L of  1/k  sum over masked of  -log p(x_0 | x_t)

whatever the schedule: the bound of the model that reads the letters in random order. Ou et al. 2024, "Your
Absorbing Discrete Diffusion Secretly Models the Conditional Distributions of Clean Data". Its
weights stay below L, where those in time grow as 1/t.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.discrete.denoisers import LetterDenoiser
from genailab.generative.diffusion.discrete.process import DiscreteProcess
from genailab.generative.diffusion.times import low_discrepancy_times

__all__ = ["bound_by_count", "bound_in_time"]


def bound_in_time(
    denoiser: LetterDenoiser,
    codes: Tensor,
    process: DiscreteProcess,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Estimate the bound at one random time a sequence, in nats a sequence, ``(batch,)``.

    ``codes`` are uint8 ``(batch, length)``; InputError where the process masks nothing.
    """
    if process.mask is None:
        raise InputError("uniform noise masks no letters: use d3pm_terms, or absorbing noise")
    t = low_discrepancy_times(len(codes), generator=generator, device=codes.device)
    x_t = process.corrupt(codes, t, generator=generator)
    # 1 / t where log-linear. At t = 0 nothing is masked, which an infinite weight would turn into NaN.
    weight = -process.schedule.alpha_derivative(t) / (1 - process.alpha(t)).clamp(min=1e-30)
    return weight * _missed(denoiser(x_t, t), codes, x_t.eq(process.mask))


def bound_by_count(
    denoiser: LetterDenoiser, codes: Tensor, mask: int, *, generator: torch.Generator | None = None
) -> Tensor:
    """Estimate the bound at one random number of masks a sequence, in nats a sequence, ``(batch,)``.

    ``codes`` are uint8 ``(batch, length)``, ``mask`` is the code of the mask. The denoiser is told the
    share of masked letters as its time.
    """
    n, length = codes.shape
    moments = low_discrepancy_times(n, generator=generator, device=codes.device)
    count = (moments * length).long().clamp(max=length - 1) + 1  # 1 to length
    order = torch.rand(codes.shape, generator=generator, device=codes.device).argsort(dim=1).argsort(dim=1)
    masked = order < count[:, None]
    x_t = torch.where(masked, mask, codes).to(codes.dtype)
    return length / count * _missed(denoiser(x_t, count / length), codes, masked)


def _missed(log_probabilities: Tensor, codes: Tensor, masked: Tensor) -> Tensor:
    """Sum ``-log p(x_0 | x_t)`` over the masked positions, ``(batch,)``."""
    right = log_probabilities.gather(1, codes.long()[:, None]).squeeze(1)  # (batch, length)
    return -torch.where(masked, right, 0.0).sum(dim=1)

"""Self-conditioning: the network sees its own previous estimate beside the noisy sample.

    x_0 = network(x_t, t, x_0 of the step before),     zeros at the first step

Half of the training examples are shown zeros, the others the network's first guess, through which no gradient
flows; in sampling the estimate comes for free from the step before. Chen, Zhang & Hinton 2022, "Analog Bits:
Generating Discrete Data using Diffusion Models with Self-Conditioning", section 3.2, algorithms 1 and 2.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.prediction import beside
from genailab.generative.diffusion.samplers.base import Denoiser, Sampler
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["SelfConditionedDenoiser", "first_guess", "self_conditioning"]

# From noisy samples (batch, ...), a time and the previous estimate to the estimated data, of their shape.
SelfConditionedDenoiser = Callable[[Tensor, Tensor, Tensor], Tensor]


def self_conditioning(sampler: Sampler) -> Callable[..., Tensor]:
    """Return the sampler for denoisers that take their previous estimate as a third argument.

    The memory is made anew for each run: two runs, one after the other or in turns, don't see each other.
    A denoiser is remembered as it is given: one that is guided remembers the guided estimate.
    """

    def sample(
        denoiser: SelfConditionedDenoiser,
        x: Tensor,
        times: Tensor,
        schedule: Schedule,
        *,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        return sampler(_remembering(denoiser), x, times, schedule, generator=generator)

    return sample


def _remembering(denoiser: SelfConditionedDenoiser) -> Denoiser:
    previous: Tensor | None = None

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        nonlocal previous
        previous = denoiser(x, t, torch.zeros_like(x) if previous is None else previous)
        return previous

    return denoise


@torch.no_grad()
def first_guess(
    denoiser: SelfConditionedDenoiser,
    x: Tensor,
    t: Tensor,
    *,
    probability: float = 0.5,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return what to show the network in training: for each sample its first guess, or zeros.

    Parameters
    ----------
    denoiser
        Takes the noisy samples, their times and an estimate; called once, with zeros, without a gradient.
    x, t
        Noisy samples ``(batch, ...)`` and their times ``(batch,)``.
    probability
        Share of samples that are shown a guess.
    generator
        Source of the choice.

    Raises
    ------
    InputError
        If the probability is outside [0, 1].
    """
    if not 0 <= probability <= 1:
        raise InputError(f"the probability of self-conditioning is {probability}: it must be in [0, 1]")
    nothing = torch.zeros_like(x)
    shown = torch.rand(len(x), generator=generator, device=x.device) < probability
    if not shown.any():
        return nothing
    return torch.where(beside(shown, x), denoiser(x, t, nothing), nothing)

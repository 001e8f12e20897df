"""Hold parts of what is generated: a range for every entry, or given values for known ones (in-painting).

In-painting replaces the known entries of the estimated data by their values. That is enough to hold their
noisy values right as well: the bridge from noise to a fixed x_0 passes, with every sampler, through
``alpha_t x_0 + sigma_t noise``, which is what the replacement method of Song et al. 2021 ("Score-Based
Generative Modeling through Stochastic Differential Equations", appendix I.2) writes there at each step. The
other entries see the known ones only through their noise, and settle before it is gone: they are less tied to
them than they should be. RePaint repairs this by going back and forth: after each step some noise is put back
and the step is done again, so that both parts can agree. Lugmayr et al. 2022, "RePaint: Inpainting using
Denoising Diffusion Probabilistic Models", algorithm 1, with jumps of one step.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.samplers.base import Denoiser, Sampler, noise_levels, noise_like
from genailab.generative.diffusion.samplers.ddpm import ancestral_step
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["clamped", "inpainting", "repaint"]


def clamped(denoiser: Denoiser, low: float | Tensor, high: float | Tensor) -> Denoiser:
    """Return a denoiser whose estimates are kept within a range; the limits broadcast against the samples.

    For data with hard limits, such as shares or analog bits. Ho et al. 2020, "Denoising Diffusion
    Probabilistic Models", section 3.2. InputError where a lower limit is not below its upper one.
    """
    lower, upper = torch.as_tensor(low), torch.as_tensor(high)
    if not (lower < upper).all():
        raise InputError(f"estimates cannot be kept between {low} and {high}: give the lower limit first")

    def limited(x: Tensor, t: Tensor) -> Tensor:
        return denoiser(x, t).clamp(lower.to(x), upper.to(x))

    return limited


def inpainting(sampler: Sampler, known: Tensor, mask: Tensor) -> Sampler:
    """Return the sampler that keeps the ``known`` values where the ``mask`` is True, exactly.

    Parameters
    ----------
    sampler
        Any sampler.
    known
        Values, of the samples' shape ``(batch, ...)`` or broadcasting to it; any number, but finite ones,
        where the mask is False.
    mask
        Which entries are known, bool, broadcasting likewise.

    Raises
    ------
    InputError
        If the mask is not bool, known values are not finite, or (when called) shapes do not fit the samples.
    """
    _check_known(known, mask)

    def sample(
        denoiser: Denoiser,
        x: Tensor,
        times: Tensor,
        schedule: Schedule,
        *,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        held = _holding(denoiser, known, mask, x)
        return _hold(sampler(held, x, times, schedule, generator=generator), known, mask)

    return sample


def repaint(
    denoiser: Denoiser,
    x: Tensor,
    times: Tensor,
    schedule: Schedule,
    *,
    known: Tensor,
    mask: Tensor,
    n_resamplings: int = 10,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return samples whose masked entries are known, by DDPM steps that are each done several times.

    ``known`` and ``mask`` are those of `inpainting`; ``n_resamplings`` of 1 is in-painting with `ddpm`. Each
    is a network call for each step in time.

    Raises
    ------
    InputError
        As `inpainting`, and if ``n_resamplings`` is below 1.
    """
    if n_resamplings < 1:
        raise InputError(f"n_resamplings is {n_resamplings}: each step must be done at least once")
    _check_known(known, mask)
    held = _holding(denoiser, known, mask, x)
    alphas, sigmas = noise_levels(schedule, times)
    for i in range(len(alphas) - 1):
        levels = alphas[i], sigmas[i], alphas[i + 1], sigmas[i + 1]
        last = i == len(alphas) - 2
        for repeat in range(1, n_resamplings + 1):
            of_data, of_sample, spread = ancestral_step(*levels)
            below = of_data * held(x, times[i]) + of_sample * x
            if not last:
                below = below + spread * noise_like(x, generator)
            x = below if repeat == n_resamplings else _renoised(below, levels, generator)
    return _hold(x, known, mask)


def _renoised(x: Tensor, levels: tuple[float, ...], generator: torch.Generator | None) -> Tensor:
    """Return a sample at the earlier, noisier time: ``x_t ~ q(x_t | x_s)``."""
    alpha_t, sigma_t, alpha_s, sigma_s = levels
    kept = alpha_t / alpha_s
    return kept * x + max(sigma_t**2 - (kept * sigma_s) ** 2, 0.0) ** 0.5 * noise_like(x, generator)


def _holding(denoiser: Denoiser, known: Tensor, mask: Tensor, x: Tensor) -> Denoiser:
    try:
        fits = torch.broadcast_shapes(x.shape, known.shape, mask.shape) == x.shape
    except RuntimeError:
        fits = False
    if not fits:
        raise InputError(
            f"known values {tuple(known.shape)} and their mask {tuple(mask.shape)} do not fit samples "
            f"{tuple(x.shape)}: give both the samples' shape"
        )
    return lambda x, t: _hold(denoiser(x, t), known, mask)


def _hold(x: Tensor, known: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask.to(x.device), known.to(x), x)


def _check_known(known: Tensor, mask: Tensor) -> None:
    if mask.dtype != torch.bool:
        raise InputError(f"the mask of known entries is {mask.dtype}: give bool, True where a value is known")
    bad = mask & ~torch.isfinite(known)
    if bad.any():
        place = tuple(bad.nonzero()[0].tolist())
        raise InputError(f"the known value at {place} is not finite: give a number, or mask it as unknown")

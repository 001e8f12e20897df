"""Guidance: push samples towards what was asked.

Without a classifier, from one network that was trained with its condition sometimes hidden::

    x_0 = x_0(nothing) + scale (x_0(condition) - x_0(nothing))

``scale = 1`` samples the conditional model as trained, 0 ignores the condition, more than 1 sharpens it at
the cost of diversity. Ho & Salimans 2022, "Classifier-Free Diffusion Guidance", equation 6 with
``w = scale - 1``. Several conditions, each with its scale, add their differences: Liu et al. 2022,
"Compositional Visual Generation with Composable Diffusion Models", equation 11; a negative scale asks for the
opposite. With a classifier of noisy samples::

    x_0 = x_0(nothing) + scale sigma^2 / alpha  d log p(y | x_t) / d x_t

Dhariwal & Nichol 2021, "Diffusion Models Beat GANs on Image Synthesis", equation 14, in the data prediction.
All are linear, so they read the same for eps, x_0 and v. Each is a denoiser and works with every sampler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.prediction import beside
from genailab.generative.diffusion.samplers.base import Denoiser
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["between_times", "classifier_free", "classifier_guided", "composed", "rescaled"]

# From noisy samples (batch, ...) and a time to log p(y | x_t), (batch,), differentiable by the samples.
LogProbability = Callable[[Tensor, Tensor], Tensor]


def classifier_free(
    conditional: Denoiser,
    unconditional: Denoiser,
    scale: float,
    *,
    interval: tuple[float, float] | None = None,
    rescale: float = 0.0,
) -> Denoiser:
    """Return a denoiser that extrapolates from the unconditional to the conditional estimate.

    Parameters
    ----------
    conditional, unconditional
        The two estimates; only those that the scale needs are called.
    scale
        How far: 0 is the unconditional model, 1 the conditional one.
    interval
        Two times between which to guide; at others the conditional estimate is used. See `between_times`.
    rescale
        How much of the guided estimate's spread to bring back to the conditional one's. See `rescaled`.

    Raises
    ------
    InputError
        If the scale is not finite, or the interval or the rescaling cannot be right.
    """
    _check_scale(scale)
    guided = conditional if scale == 1 else unconditional
    if scale not in (0, 1):
        guided = composed(unconditional, [conditional], [scale])
    if rescale != 0 and scale != 1:
        guided = rescaled(guided, conditional, rescale)
    return guided if interval is None else between_times(guided, conditional, interval)


def composed(unconditional: Denoiser, conditionals: Sequence[Denoiser], scales: Sequence[float]) -> Denoiser:
    """Return a denoiser guided to several conditions at once, each with a scale of its own.

    ``x_0(nothing) + sum_i scale_i (x_0(condition_i) - x_0(nothing))``; a network call for each and one more.
    Right where the conditions are independent given the sample.

    Raises
    ------
    InputError
        If there is no condition, there is not a scale for each, or one is not finite.
    """
    if not conditionals:
        raise InputError("guidance was asked for without a condition: give at least one to be guided to")
    if len(scales) != len(conditionals):
        raise InputError(f"{len(conditionals)} conditions have {len(scales)} guidance scales: give each one")
    for scale in scales:
        _check_scale(scale)

    def guided(x: Tensor, t: Tensor) -> Tensor:
        without = unconditional(x, t)
        result = without
        for conditional, scale in zip(conditionals, scales, strict=True):
            result = result + scale * (conditional(x, t) - without)
        return result

    return guided


def rescaled(guided: Denoiser, conditional: Denoiser, share: float) -> Denoiser:
    """Return a denoiser whose estimates spread less: guidance with large scales makes them too extreme.

    ``(1 - share) x_0 + share x_0 std(x_0(condition)) / std(x_0)``, with each sample's standard deviation over
    its entries. Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are Flawed", equations 15
    and 16 (``phi``); 0.7 is usual. It calls the conditional denoiser once more.

    Raises
    ------
    InputError
        If the share is outside [0, 1], or (when called) a sample has a single entry, which has no spread.
    """
    if not 0 <= share <= 1:
        raise InputError(f"guidance is rescaled by {share}: give a share in [0, 1], for example 0.7")

    def brought_back(x: Tensor, t: Tensor) -> Tensor:
        if x[0].numel() < 2:
            raise InputError("a sample of one entry has no spread to rescale guidance by: leave rescale 0")
        estimate = guided(x, t)
        spread = estimate.flatten(start_dim=1).std(dim=1)
        wanted = conditional(x, t).flatten(start_dim=1).std(dim=1)
        factor = torch.where(spread > 0, wanted / spread, 1.0)  # (batch,)
        return (1 - share + share * beside(factor, x)) * estimate

    return brought_back


def between_times(inside: Denoiser, outside: Denoiser, interval: tuple[float, float]) -> Denoiser:
    """Return a denoiser that is ``inside`` between the two times, ends included, else ``outside``.

    Guidance early on, in high noise, costs diversity, and late it changes little: limited to the middle it
    gives better samples, and fewer network calls. A limit as log-SNR is turned into a time by
    ``schedule.time``. Kynkaanniemi et al. 2024, "Applying Guidance in a Limited Interval Improves Sample and
    Distribution Quality in Diffusion Models", equation 6.

    Raises
    ------
    InputError
        If the interval is not two rising times within [0, 1].
    """
    low, high = interval
    if not 0 <= low < high <= 1:
        raise InputError(
            f"the guidance interval is {low} to {high}: give two rising times within [0, 1], "
            "where 0 is data and 1 is noise"
        )

    def chosen(x: Tensor, t: Tensor) -> Tensor:
        within = (t >= low) & (t <= high)
        if within.all():
            return inside(x, t)
        if not within.any():
            return outside(x, t)
        return torch.where(beside(within, x), inside(x, t), outside(x, t))

    return chosen


def classifier_guided(
    denoiser: Denoiser, log_probability: LogProbability, schedule: Schedule, scale: float = 1.0
) -> Denoiser:
    """Return a denoiser pushed to where a classifier of noisy samples sees what was asked.

    Parameters
    ----------
    denoiser
        The unconditional estimate, or one that is guided already.
    log_probability
        From noisy samples ``(batch, ...)`` and a time to ``log p(y | x_t)`` ``(batch,)``; each sample's must
        depend on that sample alone.
    schedule
        That of the denoiser.
    scale
        1 samples the posterior, if the classifier is right; more sharpens it.

    Raises
    ------
    InputError
        If the scale is not finite or negative.
    """
    _check_scale(scale)
    if scale < 0:
        raise InputError(f"the classifier's guidance scale is {scale}: it must be 0 or more")

    def guided(x: Tensor, t: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(log_probability(leaf, t).sum(), leaf)
        push = scale * schedule.sigma(t).square() / schedule.alpha(t)
        return denoiser(x, t) + beside(push, x) * gradient

    return guided


def _check_scale(scale: float) -> None:
    if not math.isfinite(scale):
        raise InputError(f"the guidance scale is {scale}: give a finite number, 1 for no guidance")

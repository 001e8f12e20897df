"""Dormand and Prince's embedded pair of orders 5 and 4, with a step that adapts to its error.

Each step evaluates the slope six times (the seventh is the first of the next step) and takes the result of
order 5; its difference from the one of order 4 is the estimated error, which ``relative`` and ``absolute``
tolerance bound. Dormand & Prince 1980, "A family of embedded Runge-Kutta formulae", table 2; the control of
the step as Hairer, Norsett & Wanner 1993, "Solving Ordinary Differential Equations I", section II.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["Slope", "integrate"]

# From a time and the state (batch, ...) to the state's derivative by time, of its shape.
Slope = Callable[[float, Tensor], Tensor]

NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0)
STAGES = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
RESULT = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
SAFETY, SMALLEST, LARGEST = 0.9, 0.2, 5.0  # how much the next step may differ from what the error suggests


def integrate(
    slope: Slope,
    x: Tensor,
    start: float,
    end: float,
    *,
    first_step: float,
    relative: float,
    absolute: float,
    max_steps: int = 10_000,
) -> Tensor:
    """Return the solution at ``end`` of ``dx/dt = slope(t, x)`` from ``x`` ``(batch, ...)`` at ``start``.

    All samples of a batch take the same steps, which suit the one with the largest error.

    Raises
    ------
    InputError
        If a tolerance is not positive, the slope is not finite, or ``max_steps`` steps do not reach the end.
    """
    if not (relative > 0 and absolute > 0):
        raise InputError(f"tolerances are {relative} and {absolute}: both must be more than 0")
    direction = 1.0 if end >= start else -1.0
    t, size = start, min(abs(first_step), abs(end - start))
    first = slope(t, x)
    for _ in range(max_steps):
        # A step that would leave a sliver takes it as well.
        reaches = abs(end - t) <= size * (1 + 1e-6)
        step = end - t if reaches else direction * size
        candidate, slopes = _step(slope, t, x, step, first)
        tolerance = absolute + relative * torch.maximum(x.abs(), candidate.abs())
        error = _largest(step * _combine(ERROR, slopes) / tolerance)
        if not error < torch.inf:
            raise InputError(
                f"the slope is not finite between the times {t:.4g} and {t + step:.4g}: "
                "see that the network's estimates are finite"
            )
        if error <= 1:
            if reaches:
                return candidate
            t, x, first = t + step, candidate, slopes[-1]
        size = abs(step) * min(max(SAFETY * max(error, 1e-10) ** -0.2, SMALLEST), LARGEST)
    raise InputError(
        f"{max_steps} steps came only to the time {t:.4g} on the way to {end:.4g}: ask for a looser "
        f"relative tolerance than {relative:g}, or raise max_steps"
    )


def _step(slope: Slope, t: float, x: Tensor, step: float, first: Tensor) -> tuple[Tensor, list[Tensor]]:
    slopes = [first]
    for node, weights in zip(NODES[1:], STAGES[1:], strict=True):
        slopes.append(slope(t + node * step, x + step * _combine(weights, slopes)))
    candidate = x + step * _combine(RESULT, slopes)
    slopes.append(slope(t + step, candidate))
    return candidate, slopes


def _combine(weights: Sequence[float], slopes: list[Tensor]) -> Tensor:
    total = weights[0] * slopes[0]
    for weight, values in zip(weights[1:], slopes[1:], strict=True):
        if weight != 0:
            total = total + weight * values
    return total


def _largest(error: Tensor) -> float:
    """Return the root mean square over its entries of the sample that is the furthest off."""
    return float(error.reshape(len(error), -1).square().mean(dim=1).sqrt().max())

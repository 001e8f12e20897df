"""The layer that turns a network against one of its own heads.

Ganin & Lempitsky 2015, "Unsupervised Domain Adaptation by Backpropagation": forwards the identity, backwards
the gradient times -scale. The head after it learns its task; what is before it learns to make that
impossible.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["reversal_scale", "reverse_gradient"]


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradients[0], None


def reverse_gradient(x: Tensor, scale: float = 1.0) -> Tensor:
    """Return ``x``; its gradient is multiplied by ``-scale`` (equations 14 and 15).

    Examples
    --------
    >>> x = torch.ones(2, requires_grad=True)
    >>> reverse_gradient(x, 0.5).sum().backward()
    >>> x.grad
    tensor([-0.5000, -0.5000])
    """
    return _ReverseGradient.apply(x, scale)


def reversal_scale(progress: float, *, sharpness: float = 10.0) -> float:
    """How strongly to reverse after this share of the training: 0 at its start, nearly 1 at its end.

    ``2 / (1 + exp(-sharpness * progress)) - 1`` (section 5.2): a domain head that hasn't learned anything yet
    has nothing to tell the features.

    Examples
    --------
    >>> reversal_scale(0.0), round(reversal_scale(0.1), 3), round(reversal_scale(1.0), 3)
    (0.0, 0.462, 1.0)
    """
    if not 0 <= progress <= 1:
        raise InputError(f"progress is {progress}: it is the share of the training that is done, from 0 to 1")
    return 2 / (1 + math.exp(-sharpness * progress)) - 1

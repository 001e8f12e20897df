"""Which letters a prediction rests on, from the gradient of the output with respect to the sequence."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.interpret.outputs import Predictor, Target, as_evaluated, check_sequences, select

__all__ = ["gradient_x_input", "input_gradients", "integrated_gradients"]


def input_gradients(
    model: Predictor, x: Tensor, *, target: Target = None, centred: bool = False, batch_size: int = 128
) -> Tensor:
    """Gradient of one output with respect to each letter that could stand at each position.

    Parameters
    ----------
    model
        From one-hot ``(batch, channels, length)`` to outputs; its mode and gradients stay as they are.
    x
        One-hot sequences ``(batch, channels, length)``.
    target
        Which output, see `predict`.
    centred
        Subtract the mean over the letters. Sequences lie on a simplex, where the letters of a position sum
        to 1; the part of the gradient that leaves it is never trained and is noise (Majdandzic et al. 2023,
        "Correcting gradient-based interpretations of deep neural networks for genomics").
    batch_size
        Rows at a time.

    Returns
    -------
    ``(batch, channels, length)``.
    """
    check_sequences(x)
    with as_evaluated(model):
        found = torch.cat([_gradients(model, rows, target) for rows in x.split(batch_size)])
    return found - found.mean(dim=1, keepdim=True) if centred else found


def gradient_x_input(
    model: Predictor, x: Tensor, *, target: Target = None, centred: bool = False, batch_size: int = 128
) -> Tensor:
    """Gradient at the letter that stands there, 0 at the others: ``(batch, channels, length)``.

    The change of the output, to first order, were the letter taken away (Shrikumar et al. 2016, "Not just a
    black box", section 3); with ``centred``, were it replaced by the average letter. Exact for a linear
    model. Options as in `input_gradients`.
    """
    gradients = input_gradients(model, x, target=target, centred=centred, batch_size=batch_size)
    return gradients * x.detach()


def integrated_gradients(
    model: Predictor,
    x: Tensor,
    *,
    baseline: Tensor | float | None = None,
    target: Target = None,
    steps: int = 50,
    batch_size: int = 128,
) -> Tensor:
    """Share of each letter in the difference between the prediction and that of a baseline.

    Sundararajan, Taly & Yan 2017, "Axiomatic attribution for deep networks", equation 1: the gradient,
    averaged along the straight line from baseline to sequence, times their difference. The attributions of a
    sequence sum to ``f(x) - f(baseline)``, up to the error of the integral: raise ``steps`` where they don't.

    Parameters
    ----------
    model
        From one-hot ``(batch, channels, length)`` to outputs.
    x
        One-hot sequences ``(batch, channels, length)``.
    baseline
        What stands for no information, anything that broadcasts to ``x``: equal shares of the letters by
        default, ``0.0``, or for instance a shuffled sequence a row.
    target
        Which output, see `predict`.
    steps
        Points of the Gauss-Legendre rule.
    batch_size
        Sequences that are held at a time.

    Returns
    -------
    ``(batch, channels, length)``.
    """
    check_sequences(x)
    if steps < 1:
        raise InputError(f"steps is {steps}: give at least 1, or 50 for a smooth model")
    start = _baseline_like(x.detach(), baseline)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    with as_evaluated(model):
        parts = []
        for rows, origin in zip(x.detach().split(batch_size), start.split(batch_size), strict=True):
            total = torch.zeros_like(rows)
            for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
                total += float(weight) * _gradients(model, origin + float(node) * (rows - origin), target)
            parts.append(total * (rows - origin))
    return torch.cat(parts)


def _baseline_like(x: Tensor, baseline: Tensor | float | None) -> Tensor:
    value = torch.as_tensor(1 / x.shape[1] if baseline is None else baseline, dtype=x.dtype, device=x.device)
    try:
        return value.expand_as(x)
    except RuntimeError as error:
        raise InputError(
            f"a baseline of shape {tuple(value.shape)} does not fit sequences {tuple(x.shape)}: give one "
            "that broadcasts, such as (batch, 4, length) or (4, 1)"
        ) from error


def _gradients(model: Predictor, x: Tensor, target: Target) -> Tensor:
    # cuDNN has no gradient of a recurrent layer in evaluation mode; torch's own kernels do.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        x = x.detach().clone().requires_grad_()
        chosen = select(model(x), target)
        return torch.autograd.grad(chosen.sum(), x)[0]

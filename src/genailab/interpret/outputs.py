"""One number a sequence: which of a model's outputs is asked about."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.nn.model import evaluating

__all__ = ["Predictor", "Target", "as_evaluated", "check_sequences", "predict", "select"]

Predictor = Callable[[Tensor], Any]
Target = int | Callable[[Any], Tensor] | None


@torch.no_grad()
def predict(model: Predictor, x: Tensor, *, target: Target = None, batch_size: int = 256) -> Tensor:
    """Apply the model in evaluation mode, ``batch_size`` rows at a time, and pick one output.

    Parameters
    ----------
    model
        From one-hot ``(batch, channels, length)`` to outputs, a module or any function.
    x
        One-hot sequences ``(batch, channels, length)`` on the model's device.
    target
        Index of an output of ``(batch, outputs)``, or a function from the model's outputs to ``(batch,)``,
        for instance ``lambda y: y[:, 1] - y[:, 0]``. Not needed where there is one output.
    batch_size
        Rows at a time.

    Returns
    -------
    ``(batch,)``.
    """
    check_sequences(x)
    with as_evaluated(model):
        return torch.cat([select(model(rows), target) for rows in x.split(batch_size)])


def select(outputs: Any, target: Target) -> Tensor:
    """Pick one number a sequence, ``(batch,)``, from what a model returned."""
    if callable(target):
        chosen = target(outputs)
    elif not isinstance(outputs, Tensor):
        raise InputError(
            f"the model returned a {type(outputs).__name__}: give a target function that picks one number a "
            "sequence, such as lambda y: y['expression']"
        )
    elif target is not None and outputs.dim() == 2 and -outputs.shape[1] <= target < outputs.shape[1]:
        chosen = outputs[:, target]
    elif target is None and outputs.dim() == 2 and outputs.shape[1] == 1:
        chosen = outputs[:, 0]
    else:
        chosen = outputs
    if chosen.dim() != 1 or (target is not None and chosen is outputs and not callable(target)):
        raise InputError(
            f"target {target} does not pick one number a sequence from outputs of shape "
            f"{tuple(getattr(outputs, 'shape', chosen.shape))}: give the index of an output, or a function "
            "from the outputs to (batch,)"
        )
    return chosen


def as_evaluated(model: Predictor) -> AbstractContextManager[None]:
    """Switch a module to evaluation mode and back to what it was; leave a plain function alone."""
    return evaluating(model) if isinstance(model, nn.Module) else nullcontext()


def check_sequences(x: Tensor) -> None:
    """Refuse what is no batch of one-hot sequences of floats."""
    if x.dim() != 3 or not x.is_floating_point() or 0 in x.shape:
        raise InputError(
            f"expected one-hot sequences (batch, 4, length) as floats, got {tuple(x.shape)} {x.dtype}: use "
            "genailab.data.sequences.encoding.one_hot"
        )

"""What a supervised model is asked for, and the loss that goes with it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from genailab.nn.model import Batch, Loss

__all__ = ["Task", "task_loss", "task_prediction"]

Task = Literal["binary", "classes", "regression"]

IGNORED = -100  # the label of a position that doesn't count: padding, or unresolved in the structure


def task_loss(outputs: Tensor, batch: Batch, task: Task) -> Loss:
    """Compare a model's raw outputs with what the batch says is true, averaged over its entries.

    Parameters
    ----------
    outputs
        Logits ``(batch, n_outputs)`` for ``binary`` (one sigmoid an output) and ``classes`` (one softmax),
        values for ``regression``; per-position classes are ``(batch, n_classes, length)``.
    batch
        ``label``, long ``(batch,)`` or ``(batch, length)``, for ``classes`` (-100 does not count);
        ``target``, float ``(batch,)`` or ``(batch, n_outputs)``, for the others.
    task
        What is asked for.
    """
    if task == "classes":
        total = cross_entropy(outputs, batch["label"], ignore_index=IGNORED)
        return Loss(total, {"cross_entropy": total})
    target = batch["target"].to(outputs.dtype).reshape(outputs.shape)
    if task == "binary":
        total = binary_cross_entropy_with_logits(outputs, target)
        return Loss(total, {"cross_entropy": total})
    total = mse_loss(outputs, target)
    return Loss(total, {"squared_error": total})


def task_prediction(outputs: Tensor, task: Task) -> Tensor:
    """Turn raw outputs into probabilities (``binary``, ``classes``: over axis 1) or values."""
    if task == "binary":
        return outputs.sigmoid()
    return torch.softmax(outputs, dim=1) if task == "classes" else outputs

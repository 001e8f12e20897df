"""Batches of vectors that cannot be right, said in a sentence."""

from __future__ import annotations

from torch import Tensor

from genailab.errors import InputError
from genailab.nn.model import Batch

__all__ = ["check_vectors", "checked_vectors"]


def checked_vectors(batch: Batch, n_dims: int) -> Tensor:
    """Return the batch's ``x``, floats ``(batch, n_dims)``.

    Raises
    ------
    InputError
        If there is none, or it is of another kind or shape.
    """
    if "x" not in batch:
        raise InputError(f"the batch holds {sorted(batch)} but no 'x': give vectors (batch, n_dims)")
    check_vectors(batch["x"], n_dims)
    return batch["x"]


def check_vectors(x: Tensor, n_dims: int) -> None:
    """Refuse what is not floats ``(batch, n_dims)``."""
    if x.dim() != 2 or x.shape[1] != n_dims or not x.is_floating_point():
        raise InputError(
            f"'x' is {x.dtype} of shape {tuple(x.shape)}, expected floats (batch, {n_dims}): convert them, "
            "or make a model whose n_dims is theirs"
        )

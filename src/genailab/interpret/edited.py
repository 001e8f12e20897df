"""Many copies of one sequence, each edited at one place, kept as what differs from the sequence.

`Edited` is a tensor ``(edits, channels, length)`` to the model that it is given to. Inside, it holds the
activations of the unedited sequence once and, for each edit, only the window that the edit has reached. Each
function that a model calls arrives in ``__torch_function__``: where `RULES` has one for it, the window grows
by the function's reach and only the window is computed; any other function gets the whole tensor. So every
model gives what it would have given, and a convolutional one does far less for it.

The idea is fastISM's (Nair et al. 2022, "fastISM: performant in silico saturation mutagenesis for
convolutional neural networks"); that of a tensor instead of a rewritten model is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

__all__ = ["RULES", "CannotFollowError", "Edited", "Rule"]

Rule = Callable[..., Any]
RULES: dict[Callable[..., Any], Rule] = {}  # from a function of torch to what it does to an Edited

_ABOUT_THE_TENSOR = {
    *(
        getattr(Tensor, name).__get__
        for name in ("shape", "dtype", "device", "ndim", "layout", "requires_grad")
    ),
    *(
        getattr(Tensor, name).__get__
        for name in ("is_cuda", "is_nested", "is_sparse", "is_quantized", "is_mkldnn")
    ),
    *(getattr(Tensor, name) for name in ("dim", "size", "numel", "__len__", "ndimension", "is_complex")),
    *(Tensor.is_floating_point, torch.is_floating_point, torch.is_complex, torch.numel),
}


class CannotFollowError(RuntimeError):
    """A model changed a tensor in place in a way that there is no rule for."""


class Edited(Tensor):
    """``(edits, channels, length)``, or ``(edits, channels * length)`` once flattened.

    Parameters
    ----------
    windows
        ``(edits, channels, width)`` what stands in each edit's window.
    starts
        ``(edits,)`` where the window lies; it is always inside the sequence.
    reference
        ``(1, channels, length)`` the activations of the unedited sequence.
    wholes
        Gathers the names of functions that had no rule, for the report.
    """

    windows: Tensor
    starts: Tensor
    reference: Tensor
    flat: bool
    wholes: set[str]

    @staticmethod
    def __new__(  # noqa: D102
        cls, windows: Tensor, starts: Tensor, reference: Tensor, wholes: set[str], flat: bool = False
    ) -> Edited:
        _, channels, length = reference.shape
        shape = (len(windows), channels * length) if flat else (len(windows), channels, length)
        edited = Tensor._make_wrapper_subclass(cls, shape, dtype=windows.dtype, device=windows.device)
        edited.windows, edited.starts, edited.reference = windows, starts, reference
        edited.wholes, edited.flat = wholes, flat
        return edited

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _ABOUT_THE_TENSOR:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **kwargs)
        if func in RULES:
            result = RULES[func](func, *args, **kwargs)
            if result is not NotImplemented:
                return result
        return _on_wholes(func, args, kwargs)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        raise CannotFollowError(f"{func} was called past __torch_function__")

    def __repr__(self) -> str:  # type: ignore[override]
        return (
            f"Edited({len(self.windows)} edits, windows of {self.width} in {tuple(self.reference.shape[1:])})"
        )

    @property
    def width(self) -> int:
        """Positions in each window."""
        return self.windows.shape[2]

    def like(self, windows: Tensor, starts: Tensor, reference: Tensor) -> Edited:
        """Return other windows of the same edits."""
        return Edited(windows, starts, reference, self.wholes)

    def whole(self) -> Tensor:
        """Return the plain tensor, each window laid over the sequence."""
        full = self.around(self.reference, torch.zeros_like(self.starts), self.reference.shape[2])
        return full.flatten(1) if self.flat else full

    def around(self, reference: Tensor, firsts: Tensor, size: int, *, shift: int = 0) -> Tensor:
        """Cut ``size`` positions from ``firsts`` on, ``(edits, channels, size)``, with the windows laid over.

        Position p of the windows is position ``p + shift`` of ``reference``.
        """
        position = firsts[:, None] + torch.arange(size, device=firsts.device)  # (edits, size)
        inside = position - (self.starts + shift)[:, None]
        edited = (inside >= 0) & (inside < self.width)
        # Row by row of (position, channels) lie together in memory: copying is then as fast as it can be.
        cut = reference[0].T[position]  # (edits, size, channels)
        rows = torch.arange(len(position), device=firsts.device)[:, None].expand_as(position)[edited]
        cut[edited] = self.windows.transpose(1, 2)[rows, inside[edited]]
        return cut.transpose(1, 2)


def _on_wholes(func: Any, args: Any, kwargs: Any) -> Any:
    name = getattr(func, "__name__", str(func))
    in_place = (name.endswith("_") and not name.endswith("__")) or name in ("__setitem__", "__set__")
    if in_place or name.startswith("__i") or kwargs.get("inplace"):
        raise CannotFollowError(f"{name} changes a tensor in place")

    def whole(value: Any) -> Any:
        if not isinstance(value, Edited):
            return value
        value.wholes.add(name)
        return value.whole()

    return func(*tree_map(whole, args), **tree_map(whole, kwargs))

"""Two values side by side: where they differ first, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["describe", "difference", "to_array"]

# Taken before any learner's code is loaded.
_abs, _isfinite, _argmax, _asarray, _unravel = np.abs, np.isfinite, np.argmax, np.asarray, np.unravel_index
_detach, _cpu, _numpy, _to = Tensor.detach, Tensor.cpu, Tensor.numpy, Tensor.to

SHOWN = 64  # characters of a text, or numbers of a tensor, that a message shows


def to_array(value: Any) -> np.ndarray:
    """Return a tensor, array, number or nested list as an array."""
    if isinstance(value, Tensor):
        value = _cpu(_detach(value))
        value = _to(value, torch.float32) if value.dtype == torch.bfloat16 else value
        return _numpy(value.resolve_neg().resolve_conj())
    return _asarray(value)


def difference(
    yours: Any,
    expected: Any,
    *,
    tolerance: float = 1e-5,
    dtype: torch.dtype | None = None,
    axes: Sequence[str] = (),
) -> str | None:
    """Return what is different first (type, device, dtype, shape, value), as a sentence, or None."""
    if isinstance(expected, str | bool | None):
        same = type(yours) is type(expected) and yours == expected
        return None if same else f"Expected {describe(expected)}, got {describe(yours)}."
    if isinstance(expected, Mapping):
        return _in_mapping(yours, expected, tolerance)
    if isinstance(expected, list | tuple):
        return _in_sequence(yours, expected, tolerance)
    if isinstance(expected, Tensor | np.ndarray):
        return _in_tensor(yours, expected, tolerance, dtype, axes)
    return _in_number(yours, expected, tolerance)


def _in_mapping(yours: Any, expected: Mapping[Any, Any], tolerance: float) -> str | None:
    if not isinstance(yours, Mapping):
        return f"Expected a dict with {list(expected)}, got {describe(yours)}."
    if set(yours) != set(expected):
        return f"Expected the keys {sorted(map(str, expected))}, got {sorted(map(str, yours))}."
    for key, value in expected.items():
        problem = difference(yours[key], value, tolerance=tolerance)
        if problem:
            return f"At {key!r}: {problem}"
    return None


def _in_sequence(yours: Any, expected: Sequence[Any], tolerance: float) -> str | None:
    if not isinstance(yours, list | tuple):
        return f"Expected a {type(expected).__name__} of {len(expected)}, got {describe(yours)}."
    if len(yours) != len(expected):
        return f"Expected {len(expected)} values, got {len(yours)}."
    for number, (left, right) in enumerate(zip(yours, expected, strict=True)):
        problem = difference(left, right, tolerance=tolerance)
        if problem:
            return f"Value {number} (counted from 0): {problem}"
    return None


def _in_number(yours: Any, expected: Any, tolerance: float) -> str | None:
    if isinstance(yours, Tensor | np.ndarray) and to_array(yours).size == 1:
        yours = to_array(yours).item()
    if isinstance(yours, bool) or not isinstance(yours, int | float | np.number):
        return f"Expected a number, got {describe(yours)}."
    limit = tolerance * max(1.0, abs(expected))
    if not abs(yours - expected) <= limit:
        return f"Expected {expected:.6g}, got {yours:.6g} (a difference of up to {limit:.1g} is fine)."
    return None


def _in_tensor(
    yours: Any,
    expected: Tensor | np.ndarray,
    tolerance: float,
    dtype: torch.dtype | None,
    axes: Sequence[str],
) -> str | None:
    right = to_array(expected)
    if isinstance(expected, Tensor):
        if not isinstance(yours, Tensor):
            return f"Expected a torch tensor, got {describe(yours)}."
        if yours.device.type != "cpu":
            return f"The result is on the device {yours.device}: leave it where the input is, on the CPU."
        if dtype is not None and yours.dtype != dtype:
            return f"Expected dtype {_plain(dtype)}, got {_plain(yours.dtype)}."
        if right.dtype.kind == "f" and not yours.is_floating_point():
            return f"Expected floating-point numbers (torch.float32), got dtype {_plain(yours.dtype)}."
    elif not isinstance(yours, Tensor | np.ndarray | list | tuple):
        return f"Expected an array, got {describe(yours)}."
    left = to_array(yours)
    if left.shape != right.shape:
        names = f" ({', '.join(axes)})" if axes else ""
        return f"Expected the shape {tuple(right.shape)}{names}, got {tuple(left.shape)}."
    if right.size == 0:
        return None
    return _in_values(left.astype(np.float64), right.astype(np.float64), tolerance, axes)


def _in_values(left: np.ndarray, right: np.ndarray, tolerance: float, axes: Sequence[str]) -> str | None:
    finite = _isfinite(right)
    wrong = finite & ~_isfinite(left) | ~finite & ~((left == right) | (np.isnan(left) & np.isnan(right)))
    if wrong.any():
        place = _unravel(_argmax(wrong), right.shape)
        return f"The value at {_place(place, axes)} is {left[place]}: expected {right[place]:.6g}."
    limit = tolerance * max(1.0, float(_abs(right[finite]).max(initial=0.0)))
    gap = np.where(finite, _abs(left - np.where(finite, right, 0)), 0)
    if gap.max() <= limit:
        return None
    place = _unravel(_argmax(gap > limit), right.shape)
    count = int((gap > limit).sum())
    return (
        f"{count} of {right.size} values {'is' if count == 1 else 'are'} wrong; the first, at "
        f"{_place(place, axes)}, is {left[place]:.6g} where {right[place]:.6g} was expected "
        f"(a difference of up to {limit:.1g} is fine)."
    )


def _place(place: Sequence[Any], axes: Sequence[str]) -> str:
    if len(axes) == len(place):
        return ", ".join(f"{axis} {int(index)}" for axis, index in zip(axes, place, strict=True))
    return str([int(index) for index in place])


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def describe(value: Any) -> str:
    """Return a value in a line or a few: a small tensor whole, a large one by its shape."""
    if isinstance(value, str):
        return repr(value) if len(value) <= SHOWN else f"{value[:SHOWN]!r}... ({len(value)} letters)"
    if isinstance(value, Tensor):
        kind = f"tensor{tuple(value.shape)} {_plain(value.dtype)}"
        return f"{kind}\n{_numbers(to_array(value))}" if 0 < value.numel() <= SHOWN else kind
    if isinstance(value, np.ndarray):
        kind = f"array{value.shape} {value.dtype}"
        return f"{kind}\n{_numbers(value)}" if 0 < value.size <= SHOWN else kind
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= 4 * SHOWN else f"{text[: 4 * SHOWN]}..."


def _numbers(values: np.ndarray) -> str:
    return np.array2string(values, precision=4, suppress_small=True, max_line_width=76)

"""Two values side by side: where they differ first, in words.

What a tensor has to be, where ``expected`` is a tensor: on the CPU; dense; of the ``dtype`` that is asked
for, or without one of the expected kind (a real floating type where numbers are expected, integers for
integers, bool for a mask); of the expected shape; and equal within the tolerance. Whether it is contiguous,
requires a gradient or is a `Parameter` does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import GeneratorType
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["describe", "difference", "to_array"]

# Taken before any learner's code is loaded.
_abs, _isfinite, _argmax, _asarray, _unravel = np.abs, np.isfinite, np.argmax, np.asarray, np.unravel_index
_detach, _cpu, _numpy, _to = Tensor.detach, Tensor.cpu, Tensor.numpy, Tensor.to
_Plain = torch._C.DisableTorchFunctionSubclass

SHOWN = 64  # characters of a text, or numbers of a tensor, that a message shows
KINDS = {
    "f": "floating-point numbers",
    "c": "complex numbers",
    "i": "integers",
    "b": "booleans",
}


def to_array(value: Any) -> np.ndarray:
    """Return a tensor, array, number or nested list as an array.

    Raises
    ------
    ValueError
        If there is nothing to read (a tensor without data, a ragged list).
    """
    if not isinstance(value, Tensor):
        return _asarray(value)
    try:
        with _Plain():  # whatever a subclass makes of these
            value = _cpu(_detach(value))
            value = value.to_dense() if value.layout != torch.strided else value
            value = _to(value, torch.float32) if value.dtype == torch.bfloat16 else value
            return _numpy(value.resolve_neg().resolve_conj())
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"a tensor on {value.device} of {_plain(value.dtype)} holds no numbers") from error


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
        with _Plain():
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
    number = _number(yours)
    if number is None:
        return f"Expected a number, got {describe(yours)}."
    if not math.isfinite(expected):
        same = number == expected or (math.isnan(number) and math.isnan(expected))
        return None if same else f"Expected {expected:.6g}, got {number:.6g}."
    limit = tolerance * max(1.0, abs(expected))
    if not abs(number - expected) <= limit:
        return f"Expected {expected:.6g}, got {number:.6g} (a difference of up to {limit:.1g} is fine)."
    return None


def _number(value: Any) -> float | None:
    """Return a real number, or a tensor or array of one, as a number that no class of the learner's is."""
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, int):
        return int.__add__(value, 0)
    if isinstance(value, float):
        return float.__add__(value, 0.0)
    if isinstance(value, Tensor | np.ndarray | np.number):
        try:
            values = to_array(value)
        except ValueError:
            return None
        return values.item() if values.size == 1 and values.dtype.kind in "fiu" else None
    return None


def _in_tensor(
    yours: Any,
    expected: Tensor | np.ndarray,
    tolerance: float,
    dtype: torch.dtype | None,
    axes: Sequence[str],
) -> str | None:
    problem = _in_kind(yours, expected, dtype)
    if problem is not None:
        return problem
    try:
        left, right = to_array(yours), to_array(expected)
    except ValueError:
        return f"Expected an array, got {describe(yours)}."
    if left.dtype.kind not in "fiub" and left.dtype.kind != right.dtype.kind:
        return f"Expected numbers, got {KINDS.get(left.dtype.kind, left.dtype)}."
    if left.shape != right.shape:
        names = f" ({', '.join(axes)})" if axes else ""
        return f"Expected the shape {tuple(right.shape)}{names}, got {tuple(left.shape)}."
    if right.size == 0:
        return None
    exact = np.complex128 if right.dtype.kind == "c" else np.float64
    problem = _in_values(left.astype(exact), right.astype(exact), tolerance, axes)
    if problem and isinstance(yours, Tensor) and yours.dtype in (torch.float16, torch.bfloat16):
        return f"{problem} Yours is {_plain(yours.dtype)}, which keeps three digits at most: use float32."
    return problem


def _in_kind(yours: Any, expected: Tensor | np.ndarray, dtype: torch.dtype | None) -> str | None:
    """Return what is wrong with the kind of value: type, device, layout or dtype."""
    if isinstance(expected, np.ndarray):
        allowed = isinstance(yours, Tensor | np.ndarray | list | tuple)
        return None if allowed else f"Expected an array, got {describe(yours)}."
    if not isinstance(yours, Tensor):
        return f"Expected a torch tensor, got {describe(yours)}."
    if yours.device.type != "cpu":
        return f"The result is on the device {yours.device}: leave it where the input is, on the CPU."
    if yours.layout != torch.strided:
        return "The result is a sparse tensor: a dense one was expected (.to_dense() makes one)."
    if dtype is not None:
        return None if yours.dtype == dtype else f"Expected dtype {_plain(dtype)}, got {_plain(yours.dtype)}."
    kinds = [_kind(expected.dtype), _kind(yours.dtype)]
    if kinds[0] != kinds[1]:
        example = {"f": "torch.float32", "i": "torch.int64", "b": "torch.bool"}.get(kinds[0])
        example = f" ({example})" if example else ""
        return f"Expected {KINDS[kinds[0]]}{example}, got dtype {_plain(yours.dtype)}."
    return None


def _kind(dtype: torch.dtype) -> str:
    if dtype == torch.bool:
        return "b"
    if dtype.is_complex:
        return "c"
    return "f" if dtype.is_floating_point else "i"


def _in_values(left: np.ndarray, right: np.ndarray, tolerance: float, axes: Sequence[str]) -> str | None:
    finite = _isfinite(right)
    wrong = finite & ~_isfinite(left) | ~finite & ~((left == right) | (np.isnan(left) & np.isnan(right)))
    if wrong.any():
        place = _unravel(_argmax(wrong), right.shape)
        return f"The value at {_place(place, axes)} is {left[place]}: expected {right[place]:.6g}."
    limit = tolerance * max(1.0, float(_abs(right[finite]).max(initial=0.0)))
    gap = _abs(np.where(finite, left, 0) - np.where(finite, right, 0))
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
        with _Plain():
            kind = f"tensor{tuple(value.shape)} {_plain(value.dtype)}"
            kind += "" if value.device.type == "cpu" else f" on {value.device}"
            return _with_numbers(kind, value, value.numel())
    if isinstance(value, np.ndarray):
        return _with_numbers(f"array{value.shape} {value.dtype}", value, value.size)
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    if isinstance(value, GeneratorType):
        return "a generator (is there a yield where a return was meant?)"
    try:
        text = repr(value)
    except Exception:  # of a class of the learner's
        text = f"a {type(value).__name__} whose __repr__ fails"
    return text if len(text) <= 4 * SHOWN else f"{text[: 4 * SHOWN]}..."


def _with_numbers(kind: str, value: Any, size: int) -> str:
    if not 0 < size <= SHOWN:
        return kind
    try:
        return (
            f"{kind}\n{np.array2string(to_array(value), precision=4, suppress_small=True, max_line_width=76)}"
        )
    except ValueError:  # on the device "meta", for example
        return kind

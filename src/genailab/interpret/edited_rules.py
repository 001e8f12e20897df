"""How far an edit reaches through each kind of function, and what it does there.

Pointwise functions keep the window; convolutions and pools widen it by their span; sums and maxima over
positions, and dense layers over flattened positions, combine the window with what was computed once for the
rest of the sequence. A rule that can't say returns ``NotImplemented``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from genailab.interpret.edited import RULES, Edited, Rule

__all__: list[str] = []


def _rule_for(*functions: Any) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(functions, rule))
        return rule

    return register


def _named(*names: str) -> list[Any]:
    """Every function of these names: in torch, among a tensor's methods, in torch.nn.functional."""
    places: Iterable[Any] = (torch, Tensor, functional)
    return [
        getattr(place, name) for place in places for name in names if callable(getattr(place, name, None))
    ]


def _one(value: int | tuple[int, ...] | list[int]) -> int:
    return value if isinstance(value, int) else value[0]


_ACTIVATIONS = (
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "elu", "elu_", "selu", "celu", "gelu", "silu",
    "mish", "softplus", "softsign", "hardtanh", "hardswish", "hardsigmoid", "logsigmoid", "sigmoid",
    "sigmoid_", "tanh", "tanh_", "exp", "exp_", "log", "log1p", "sqrt", "rsqrt", "square", "abs", "neg",
    "clamp", "sin", "cos", "erf", "contiguous", "float", "double", "half", "detach", "clone", "to", "__neg__",
)  # fmt: skip


@_rule_for(*_named(*_ACTIVATIONS))
def _pointwise(func: Any, x: Edited, *args: Any, **kwargs: Any) -> Any:
    if _tensors(args, kwargs):
        return NotImplemented
    return Edited(
        func(x.windows, *args, **kwargs), x.starts, func(x.reference, *args, **kwargs), x.wholes, flat=x.flat
    )


@_rule_for(*_named("dropout", "dropout1d", "alpha_dropout", "feature_alpha_dropout"))
def _dropout(func: Any, x: Edited, *args: Any, **kwargs: Any) -> Any:
    return x if kwargs.get("training") is False else NotImplemented


@_rule_for(functional.batch_norm)
def _batch_norm(func: Any, x: Edited, *args: Any, **kwargs: Any) -> Any:
    if x.flat or kwargs.get("training"):
        return NotImplemented
    return x.like(func(x.windows, *args, **kwargs), x.starts, func(x.reference, *args, **kwargs))


_ARITHMETIC = ("add", "sub", "mul", "div", "true_divide", "maximum", "minimum", "pow")
_OPERATORS = ("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__pow__")
_IN_PLACE = {
    getattr(Tensor, name): getattr(operator, plain)
    for plain in ("add", "sub", "mul", "truediv")
    for name in (f"__i{plain}__", f"{plain}_")
    if hasattr(Tensor, name)
}


@_rule_for(*_named(*_ARITHMETIC, *_OPERATORS))
def _arithmetic(func: Any, x: Any, y: Any, **kwargs: Any) -> Any:
    if isinstance(x, Edited) and isinstance(y, Edited):
        if x.flat or y.flat or x.reference.shape[2] != y.reference.shape[2] or _tensors((), kwargs):
            return NotImplemented
        (a, b), starts = _aligned([x, y])
        return x.like(func(a, b, **kwargs), starts, func(x.reference, y.reference, **kwargs))
    edited, other = (x, y) if isinstance(x, Edited) else (y, x)
    if not _same_at_every_position(other, edited) or _tensors((), kwargs):
        return NotImplemented

    def with_other(part: Tensor) -> Tensor:
        return func(part, other, **kwargs) if edited is x else func(other, part, **kwargs)

    return Edited(
        with_other(edited.windows),
        edited.starts,
        with_other(edited.reference),
        edited.wholes,
        flat=edited.flat,
    )


@_rule_for(*_IN_PLACE)
def _arithmetic_in_place(func: Any, x: Any, y: Any, **kwargs: Any) -> Any:
    result = _arithmetic(_IN_PLACE[func], x, y, **kwargs) if isinstance(x, Edited) else NotImplemented
    if result is NotImplemented or result.shape != x.shape:
        return NotImplemented
    x.windows, x.starts, x.reference = result.windows, result.starts, result.reference
    return x


@_rule_for(torch.cat, torch.concat, torch.concatenate)
def _cat(func: Any, tensors: Any, dim: int = 0) -> Any:
    edited = all(isinstance(x, Edited) and not x.flat for x in tensors)
    if dim not in (1, -2) or not edited or len({x.reference.shape[2] for x in tensors}) > 1:
        return NotImplemented
    windows, starts = _aligned(tensors)
    return tensors[0].like(func(windows, dim), starts, func([x.reference for x in tensors], dim))


@_rule_for(torch.conv1d)
def _conv1d(
    func: Any,
    x: Any,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    if not isinstance(x, Edited) or x.flat or isinstance(weight, Edited):
        return NotImplemented
    span = (weight.shape[2] - 1) * _one(dilation) + 1
    left = {"same": (span - 1) // 2, "valid": 0}[padding] if isinstance(padding, str) else _one(padding)
    right = span - 1 - left if padding == "same" else left

    def convolve(part: Tensor) -> Tensor:
        return func(part, weight, bias, stride, 0, dilation, groups)

    return _sliding(x, convolve, span=span, stride=_one(stride), padding=(left, right))


@_rule_for(functional.max_pool1d, torch.max_pool1d)
def _max_pool(
    func: Any,
    x: Edited,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    if ceil_mode or return_indices or x.flat:
        return NotImplemented
    kernel, stride = _one(kernel_size), _one(stride or kernel_size)

    def pool(part: Tensor) -> Tensor:
        return functional.max_pool1d(part, kernel, stride, 0, dilation)

    span = (kernel - 1) * _one(dilation) + 1
    return _sliding(x, pool, span=span, stride=stride, padding=(_one(padding),) * 2, fill=-torch.inf)


@_rule_for(functional.avg_pool1d)
def _avg_pool(
    func: Any,
    x: Edited,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    if ceil_mode or x.flat or (_one(padding) and not count_include_pad):
        return NotImplemented
    kernel, stride = _one(kernel_size), _one(stride or kernel_size)

    def pool(part: Tensor) -> Tensor:
        return functional.avg_pool1d(part, kernel, stride)

    return _sliding(x, pool, span=kernel, stride=stride, padding=(_one(padding),) * 2)


@_rule_for(functional.pad)
def _pad(func: Any, x: Edited, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    if mode != "constant" or len(pad) != 2 or min(pad) < 0 or x.flat:
        return NotImplemented
    return x.like(x.windows, x.starts + pad[0], func(x.reference, pad, mode, value))


@_rule_for(torch.flip, Tensor.flip)
def _flip(func: Any, x: Edited, *dims: Any, **kwargs: Any) -> Any:
    flat = kwargs.get("dims") or (dims[0] if dims and not isinstance(dims[0], int) else dims)
    wanted = sorted(dim % 3 for dim in flat)
    if x.flat or 0 in wanted:
        return NotImplemented
    starts = x.reference.shape[2] - x.starts - x.width if 2 in wanted else x.starts
    return x.like(x.windows.flip(wanted), starts, x.reference.flip(wanted))


@_rule_for(Tensor.__getitem__)
def _positions(func: Any, x: Any, index: Any) -> Any:
    everything = slice(None)
    if not isinstance(x, Edited) or x.flat or not isinstance(index, tuple) or len(index) != 3:
        return NotImplemented
    if (
        index[:2] != (everything, everything)
        or not isinstance(index[2], slice)
        or index[2].step not in (None, 1)
    ):
        return NotImplemented
    first, last, _ = index[2].indices(x.reference.shape[2])
    width = min(x.width, last - first)
    if width <= 0:
        return NotImplemented
    starts = (x.starts - first).clamp(0, last - first - width)
    return x.like(x.around(x.reference, starts + first, width), starts, x.reference[:, :, first:last])


@_rule_for(*_named("sum", "mean", "amax"))
def _over_positions(func: Any, x: Edited, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Any:
    dims = [dim] if isinstance(dim, int) else list(dim or ())
    if x.flat or kwargs or [one % 3 for one in dims] != [2]:
        return NotImplemented
    if func in _named("amax"):
        found = _maximum(x)
    else:
        found = _total(x) / (x.reference.shape[2] if func in _named("mean") else 1)
    return found[:, :, None] if keepdim else found


@_rule_for(functional.adaptive_max_pool1d, torch.adaptive_max_pool1d, functional.adaptive_avg_pool1d)
def _global_pool(func: Any, x: Edited, output_size: Any, return_indices: bool = False) -> Any:
    if x.flat or return_indices or _one(output_size) != 1:
        return NotImplemented
    mean = func is functional.adaptive_avg_pool1d
    return (_total(x) / x.reference.shape[2] if mean else _maximum(x))[:, :, None]


@_rule_for(torch.flatten, Tensor.flatten)
def _flatten(func: Any, x: Edited, start_dim: int = 0, end_dim: int = -1) -> Any:
    if x.flat or start_dim not in (1, -2) or end_dim not in (-1, 2):
        return NotImplemented
    return Edited(x.windows, x.starts, x.reference, x.wholes, flat=True)


@_rule_for(functional.linear)
def _linear(func: Any, x: Any, weight: Tensor, bias: Tensor | None = None) -> Any:
    if not isinstance(x, Edited) or not x.flat:
        return NotImplemented
    by_position = weight.unflatten(1, x.reference.shape[1:])  # (outputs, channels, length)
    change = x.windows - _reference_in_windows(x)
    out = func(x.reference.flatten(1), weight, bias).repeat(len(change), 1)  # (edits, outputs)
    for start in x.starts.unique().tolist():
        rows = x.starts == start
        out[rows] += change[rows].flatten(1) @ by_position[:, :, start : start + x.width].flatten(1).T
    return out


def _sliding(
    x: Edited,
    apply: Callable[[Tensor], Tensor],
    *,
    span: int,
    stride: int,
    padding: tuple[int, int],
    fill: float = 0.0,
) -> Edited:
    """Compute the outputs whose span meets the window: ``apply`` sees sequences padded already."""
    padded = functional.pad(x.reference, padding, value=fill)
    reference = apply(padded)
    length = reference.shape[2]
    width = min((x.width + span - 2) // stride + 1, length)
    # The first output that sees position p starts at ceil((p + left - span + 1) / stride).
    starts = -((span - 1 - padding[0] - x.starts) // stride)
    starts = starts.clamp(0, length - width)
    cut = x.around(padded, starts * stride, (width - 1) * stride + span, shift=padding[0])
    return x.like(apply(cut), starts, reference)


def _aligned(tensors: list[Edited]) -> tuple[list[Tensor], Tensor]:
    """Widen windows so that they lie on the same positions."""
    length = tensors[0].reference.shape[2]
    starts = torch.stack([x.starts for x in tensors]).amin(dim=0)
    ends = torch.stack([x.starts + x.width for x in tensors]).amax(dim=0)
    width = int((ends - starts).max())
    starts = starts.clamp(max=length - width)
    return [x.around(x.reference, starts, width) for x in tensors], starts


def _reference_in_windows(x: Edited) -> Tensor:
    positions = x.starts[:, None] + torch.arange(x.width, device=x.starts.device)
    return x.reference[0].T[positions].transpose(1, 2)  # (edits, channels, width)


def _total(x: Edited) -> Tensor:
    return x.reference.sum(dim=2) + (x.windows - _reference_in_windows(x)).sum(dim=2)


def _maximum(x: Edited) -> Tensor:
    """Largest of what lies before the window, in it and after it."""
    lowest = torch.full_like(x.reference[:, :, :1], -torch.inf)
    before = torch.cat([lowest, x.reference.cummax(dim=2).values], dim=2)[0].T[x.starts]
    after = torch.cat([lowest, x.reference.flip(2).cummax(dim=2).values], dim=2).flip(2)
    return torch.maximum(torch.maximum(before, after[0].T[x.starts + x.width]), x.windows.amax(dim=2))


def _same_at_every_position(other: Any, edited: Edited) -> bool:
    if not isinstance(other, Tensor):
        return True
    if other.numel() == 1:
        return other.dim() <= 1
    return (
        not edited.flat
        and other.shape[-1] == 1
        and (other.dim() == 2 or (other.dim() == 3 and len(other) == 1))
    )


def _tensors(args: Any, kwargs: dict[str, Any]) -> bool:
    return any(isinstance(value, Tensor) for value in (*args, *kwargs.values()))

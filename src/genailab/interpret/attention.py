"""Attention maps of any model: what each layer of attention looked at, for these inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.interpret.outputs import as_evaluated

__all__ = ["attention_maps"]

_ARGUMENTS = (
    "query",
    "key",
    "value",
    "key_padding_mask",
    "need_weights",
    "attn_mask",
    "average_attn_weights",
)


@torch.no_grad()
def attention_maps(model: nn.Module, *inputs: Any, **options: Any) -> dict[str, Tensor]:
    """Run the model once and return the weights of each of its attention layers.

    Weights say what a layer looked at, not what the prediction rests on (Jain & Wallace 2019, "Attention is
    not Explanation"): hold them against `in_silico_mutagenesis`.

    Parameters
    ----------
    model
        With layers of ``nn.MultiheadAttention``, or ours: a module whose ``weights`` takes what its
        ``forward`` takes (`genailab.nn.attention`). It is left as it was.
    inputs, options
        What the model's ``forward`` takes.

    Returns
    -------
    From the layer's name to its weights, in the order of the calls: ``(batch, heads, queries, keys)``, or
    ``(batch, positions)`` for a layer that pools. Rows sum to 1. Layers of the same shape stack:
    ``torch.stack(list(maps.values()))  # (layers, batch, heads, queries, keys)``.

    Raises
    ------
    InputError
        If the model has no attention, or none that it used.
    """
    maps: dict[str, Tensor] = {}
    handles = []
    for name, module in model.named_modules():
        if isinstance(module, nn.MultiheadAttention):
            handles.append(module.register_forward_pre_hook(_ask_for_weights, with_kwargs=True))
            handles.append(module.register_forward_hook(_keep_output(maps, name)))
        elif _has_weights(module) and not any(map(_has_weights, list(module.modules())[1:])):
            handles.append(module.register_forward_hook(_keep_weights(maps, name), with_kwargs=True))
    try:
        with as_evaluated(model):
            model(*inputs, **options)
    finally:
        for handle in handles:
            handle.remove()
    if not maps:
        raise InputError(
            f"{type(model).__name__} used no attention that could be looked at: it needs an "
            "nn.MultiheadAttention, or a module with a method weights beside its forward"
        )
    return maps


def _has_weights(module: nn.Module) -> bool:
    return callable(getattr(module, "weights", None))


def _ask_for_weights(module: nn.Module, args: Any, kwargs: Any) -> tuple[Any, Any]:
    given = {**dict(zip(_ARGUMENTS, args, strict=False)), **kwargs}
    return (), {**given, "need_weights": True, "average_attn_weights": False}


def _keep_output(maps: dict[str, Tensor], name: str) -> Callable[..., None]:
    def hook(module: nn.Module, args: Any, output: Any) -> None:
        maps[_free(name, maps)] = output[1].detach()

    return hook


def _keep_weights(maps: dict[str, Tensor], name: str) -> Callable[..., None]:
    def hook(module: Any, args: Any, kwargs: Any, output: Any) -> None:
        maps[_free(name, maps)] = module.weights(*args, **kwargs).detach()

    return hook


def _free(name: str, maps: dict[str, Tensor]) -> str:
    # A layer that is used twice gives two maps.
    taken = sum(known == name or known.startswith(f"{name} (") for known in maps)
    return f"{name} ({taken + 1})" if taken else name

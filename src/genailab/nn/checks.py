"""Settings and batches that cannot be right, said in a sentence before torch says it in a traceback."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.data.sequences.encoding import Unknown, one_hot
from genailab.errors import InputError, nearest
from genailab.nn.model import Batch

__all__ = [
    "check_alphabet",
    "check_at_least_one",
    "check_choice",
    "check_numbers",
    "check_odd",
    "check_one_hot",
    "check_outputs",
    "check_share",
    "one_hot_of",
]


def check_at_least_one(config: Any, *names: str) -> None:
    """Refuse sizes below 1; a setting may hold several sizes."""
    for name in names:
        value = getattr(config, name)
        for size in value if isinstance(value, tuple) else (value,):
            if size < 1:
                raise InputError(f"{name} is {value}: it must be at least 1")


def check_odd(config: Any, *names: str) -> None:
    """Refuse kernels of even length, which have no middle and would shift the sequence."""
    check_at_least_one(config, *names)
    for name in names:
        value = getattr(config, name)
        for size in value if isinstance(value, tuple) else (value,):
            if size % 2 == 0:
                raise InputError(f"{name} is {value}: give odd lengths, so that a kernel has a middle")


def check_share(config: Any, *names: str) -> None:
    """Refuse rates of dropout outside [0, 1)."""
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise InputError(f"{name} is {getattr(config, name)}: it must be in [0, 1)")


def check_choice(config: Any, name: str, choices: tuple[str, ...]) -> None:
    """Refuse a setting that is none of the choices."""
    value = getattr(config, name)
    if value not in choices:
        raise InputError(f"{name} is {value!r}: choose one of {', '.join(choices)}")


def check_alphabet(config: Any, *, two_strands: bool = False) -> None:
    """Refuse an alphabet that is unknown, or has no complements where both strands are asked for."""
    if config.alphabet not in ALPHABETS:
        raise InputError(
            f"alphabet {config.alphabet!r} is not known: {nearest(str(config.alphabet), ALPHABETS)}"
        )
    if two_strands and not ALPHABETS[config.alphabet].complements:
        raise InputError(f"{config.alphabet} has no second strand: set strands='given'")


def check_outputs(config: Any, name: str = "outputs") -> None:
    """Refuse output names that are missing or repeated, and a softmax over fewer than two classes."""
    outputs: tuple[str, ...] = getattr(config, name)
    if not outputs:
        raise InputError(f"{name} is empty: name what the model predicts, for example {name}=('bound',)")
    for position, output in enumerate(outputs):
        if output in outputs[:position]:
            raise InputError(f"{name} holds {output!r} twice: give each output a name of its own")
    if getattr(config, "task", None) == "classes" and len(outputs) < 2:
        raise InputError(f"{name} names one class, {outputs[0]!r}: name at least 2, or set task='binary'")


def check_numbers(numbers: Tensor, names: tuple[str, ...], *, name: str, n_rows: int) -> None:
    """Refuse what is not, for each of ``n_rows`` sequences, the number of one of ``names``."""
    if numbers.shape != (n_rows,) or numbers.is_floating_point():
        raise InputError(
            f"{name} is {numbers.dtype} of shape {tuple(numbers.shape)} for {n_rows} sequences: give one "
            "whole number a sequence"
        )
    outside = (numbers < 0) | (numbers >= len(names))
    if outside.any():
        row = int(outside.nonzero()[0])
        raise InputError(
            f"row {row} has the {name} {int(numbers[row])}: expected 0 to {len(names) - 1}, "
            f"for {', '.join(names)}"
        )


def check_one_hot(x: Tensor, *, channels: int, window: int | None) -> None:
    """Refuse what is no ``(batch, channels, window)`` of floats; any length where ``window`` is None."""
    wanted = f"(batch, {channels}, {'length' if window is None else window})"
    if x.dim() != 3 or x.shape[1] != channels:
        hint = "transpose the last two axes" if x.dim() == 3 and x.shape[2] == channels else "use one_hot"
        raise InputError(f"expected one-hot sequences {wanted}, got {tuple(x.shape)}: {hint}")
    if window is not None and x.shape[2] != window:
        raise InputError(
            f"the sequences are {x.shape[2]} long, but this model's window is {window}: cut or fill them to "
            f"{window}, or train a model with window={x.shape[2]}"
        )
    if not x.is_floating_point():
        raise InputError(f"expected one-hot sequences as floats, got {x.dtype}: use one_hot(codes)")


def one_hot_of(batch: Batch, *, alphabet: str, window: int | None, unknown: Unknown = "zero") -> Tensor:
    """Expand the batch's ``codes``, uint8 ``(batch, length)``, on their device to ``(batch, size, length)``.

    Raises
    ------
    InputError
        If there are no codes, they are not uint8 of two axes, or not ``window`` long.
    """
    if "codes" not in batch:
        raise InputError(f"the batch holds {sorted(batch)} but no 'codes': give sequences as uint8 codes")
    codes = batch["codes"]
    if codes.dtype != torch.uint8 or codes.dim() != 2:
        raise InputError(
            f"'codes' is {codes.dtype} of shape {tuple(codes.shape)}, expected uint8 (batch, length): "
            "use genailab.data.encode"
        )
    x = one_hot(codes, alphabet=ALPHABETS[alphabet], unknown=unknown)  # (batch, size, length)
    check_one_hot(x, channels=ALPHABETS[alphabet].size, window=window)
    return x

"""What a caller asks a conditional diffusion model for, checked."""

from __future__ import annotations

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.nn.conditioning import Categories, Condition, encode_condition

__all__ = ["asked_codes", "check_unconditional"]


def asked_codes(
    n: int,
    condition: Condition | None,
    categories: Categories,
    *,
    guidance_scale: float,
    drop_condition: float,
    device: torch.device | str = "cpu",
) -> dict[str, Tensor] | None:
    """Return the codes ``(n,)`` of each condition; None where the unconditional model is asked for.

    Parameters
    ----------
    n
        How many samples.
    condition
        What they shall be; None for anything.
    categories
        What the model knows.
    guidance_scale
        Any other than 1 needs the unconditional model too.
    drop_condition
        How often training hid the condition; at 0 there is no unconditional model.
    device
        Where the codes shall be.

    Raises
    ------
    InputError
        If ``n`` is below 1, the condition is unknown, guidance is asked for without one, or the unconditional
        model is needed and was never trained.
    """
    if n < 1:
        raise InputError(f"asked for {n} samples: ask for at least 1")
    if guidance_scale != 1 and condition is None:
        raise InputError(f"guidance_scale is {guidance_scale} but there is no condition to be guided to")
    if condition is None or guidance_scale != 1:
        check_unconditional(categories, drop_condition)
    return None if condition is None else encode_condition(condition, categories, n, device=device)


def check_unconditional(categories: Categories, drop_condition: float) -> None:
    """Refuse a model that was never trained without its conditions."""
    if categories and drop_condition == 0:
        raise InputError(
            "the unconditional model was never trained, as drop_condition is 0: give a condition and "
            "guidance_scale 1, or train with drop_condition 0.1"
        )

"""Checkpoints: everything that the next step depends on, in two files and without a pickle.

A checkpoint is a folder with ``state.safetensors`` (every tensor) and ``state.json`` (every number). It is
written beside its final place and renamed there, so that a kill at any moment leaves the last complete one.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from genailab.errors import InputError

__all__ = [
    "Checkpoint",
    "forget_checkpoint",
    "load_checkpoint",
    "pack_optimizer",
    "save_checkpoint",
    "unpack_optimizer",
]

LATEST = "latest"
TENSORS = "state.safetensors"
NUMBERS = "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """Groups of named tensors (model, averaged, best, optimizer, random) and plain numbers (epoch, ...)."""

    tensors: dict[str, dict[str, Tensor]]
    numbers: dict[str, Any]


def save_checkpoint(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the checkpoint to ``folder`` and make it the latest; older ones are removed afterwards.

    A kill or a full disk at any point leaves the one before as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"epoch-{checkpoint.numbers['epoch']:05d}-step-{checkpoint.numbers['step']:08d}"
    if name == _latest(folder):
        name += "-again"  # the latest is never touched before the next one is complete
    beside = folder / f"{name}.tmp"
    for leftover in (beside, folder / name):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        _write(checkpoint, beside)
        beside.rename(folder / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    (folder / f"{LATEST}.tmp").write_text(name)
    os.replace(folder / f"{LATEST}.tmp", folder / LATEST)
    for old in folder.glob("epoch-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)


def _write(checkpoint: Checkpoint, place: Path) -> None:
    flat = {
        f"{group}/{key}": value.detach().cpu().contiguous().clone()
        for group, tensors in checkpoint.tensors.items()
        for key, value in tensors.items()
    }
    place.mkdir()
    save_file(flat, place / TENSORS)
    (place / NUMBERS).write_text(json.dumps(checkpoint.numbers))
    for path in (*place.iterdir(), place):
        _flush_to_disk(path)


def forget_checkpoint(folder: Path) -> None:
    """Let a training that starts anew not be resumed from the checkpoint of the one before it."""
    (folder / LATEST).unlink(missing_ok=True)


def _latest(folder: Path) -> str | None:
    return (folder / LATEST).read_text().strip() if (folder / LATEST).is_file() else None


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the latest complete checkpoint in ``folder``, or None where there is none."""
    latest = _latest(folder)
    if latest is None:
        return None
    place = folder / latest
    try:
        flat = load_file(place / TENSORS)
        numbers = json.loads((place / NUMBERS).read_text())
    except Exception as error:
        raise InputError(
            f"the checkpoint {place} is damaged ({error}): delete {folder} to train from the start"
        ) from error
    tensors: dict[str, dict[str, Tensor]] = {}
    for key, value in flat.items():
        group, _, name = key.partition("/")
        tensors.setdefault(group, {})[name] = value
    return Checkpoint(tensors, numbers)


def pack_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Split an optimiser's state into named tensors and plain numbers."""
    state = optimizer.state_dict()
    tensors = {
        f"{index}.{name}": value for index, entry in state["state"].items() for name, value in entry.items()
    }
    return tensors, state["param_groups"]


def unpack_optimizer(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], groups: list[dict[str, Any]]
) -> None:
    """Put back what `pack_optimizer` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""How to train, whatever the model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from genailab.errors import InputError

__all__ = ["TrainConfig"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of `fit`. One step is one update of the weights on one batch."""

    max_epochs: int = 100
    max_steps: int | None = None  # cut the epochs to about this many steps, for data of any size
    batch_size: int = 128
    learning_rate: float = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"  # of the learning rate, after the warm-up
    warmup_steps: int = 0
    weight_decay: float = 0.0
    clip_norm: float | None = None  # largest norm of the gradient
    accumulate: int = 1  # batches a step
    ema_decay: float | None = None  # keep an exponential moving average of the weights, and return that
    patience: int | None = None  # epochs without a better validation loss before training stops
    seed: int = 0
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["no", "fp16", "bf16"] = "no"
    compile: bool = False  # torch.compile, where a C++ compiler is at hand: slower to start, faster to run
    workers: int = 0  # processes that fetch batches; 0 fetches in this one, best for data in memory
    checkpoint_seconds: float = 20.0  # save at the end of an epoch once this long has passed; 0: every epoch
    tracker: Literal["none", "tensorboard", "wandb"] = "none"

    def __post_init__(self) -> None:
        if self.max_steps is not None and self.max_steps < 1:
            raise InputError(f"max_steps is {self.max_steps}: it must be at least 1, or null for no limit")
        for name in ("max_epochs", "batch_size", "accumulate"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}: it must be at least 1")
        for name in ("warmup_steps", "weight_decay", "seed", "workers", "checkpoint_seconds"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} is {getattr(self, name)}: it must not be negative")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate is {self.learning_rate}: it must be positive, for example 1e-3")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise InputError(f"clip_norm is {self.clip_norm}: it must be positive, or null for no clipping")
        if self.ema_decay is not None and not 0 < self.ema_decay < 1:
            raise InputError(f"ema_decay is {self.ema_decay}: it must lie between 0 and 1, for example 0.999")
        if self.patience is not None and self.patience < 1:
            raise InputError(
                f"patience is {self.patience}: it must be at least 1 epoch, or null for no early stopping"
            )
        choices = {
            "schedule": ("constant", "cosine"),
            "device": ("auto", "cpu", "cuda", "mps"),
            "precision": ("no", "fp16", "bf16"),
            "tracker": ("none", "tensorboard", "wandb"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} is {getattr(self, name)!r}: choose one of {', '.join(allowed)}")

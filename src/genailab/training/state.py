"""Everything that changes while a model trains, and can be saved and put back."""

from __future__ import annotations

import math
import os
import shutil
import sysconfig
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedType
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genailab.errors import InputError
from genailab.nn.model import Batch, Model
from genailab.training.checkpoint import Checkpoint, pack_optimizer, unpack_optimizer
from genailab.training.config import TrainConfig
from genailab.training.history import History
from genailab.training.meter import Meter

__all__ = ["TrainState"]

# Settings that may differ between a run and its resumption without changing the weights' meaning.
FREE_TO_CHANGE = ("max_epochs", "patience", "device", "workers", "checkpoint_seconds", "tracker", "compile")


class Objective(nn.Module):
    """The model's loss as a forward pass: what DDP, autocast and torch.compile wrap."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and its terms, scalars."""
        loss = self.model.loss(batch)
        return loss.total, dict(loss.terms)


@dataclass
class TrainState:
    """Model, optimiser, moving average, position in the data, best epoch and history."""

    model: Model
    config: TrainConfig
    objective: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: LambdaLR
    averaged: AveragedModel | None
    meter: Meter
    accelerator: Accelerator
    has_valid: bool
    history: History = field(default_factory=History)
    epoch: int = 0  # complete epochs
    batch_in_epoch: int = 0
    step: int = 0
    best_loss: float = math.inf
    best_weights: dict[str, Tensor] | None = None
    epochs_since_best: int = 0

    @classmethod
    def start(
        cls, model: Model, config: TrainConfig, accelerator: Accelerator, *, n_rows: int, has_valid: bool
    ) -> TrainState:
        """Prepare a model for training from the start."""
        objective = accelerator.prepare(Objective(model.to(accelerator.device)))
        groups = _parameter_groups(model, config.learning_rate)
        # One kernel for all parameters: a third faster on small models. Not on MPS.
        fused = accelerator.device.type in ("cpu", "cuda")
        optimizer = torch.optim.AdamW(
            groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused
        )
        rows_a_step = config.batch_size * config.accumulate * accelerator.num_processes
        n_steps = config.max_epochs * math.ceil(n_rows / rows_a_step)
        scheduler = LambdaLR(optimizer, lambda step: learning_rate_factor(step, n_steps, config))
        averaged = None
        if config.ema_decay is not None:
            averaged = AveragedModel(Objective(model), multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay))
        if config.compile and _compiler_found():
            # Dropout and noise from torch's own generator: the same draws as without the compiler.
            objective.compile(options={"fallback_random": True})
        return cls(
            model=model,
            config=config,
            objective=objective,
            optimizer=optimizer if _plain(accelerator) else accelerator.prepare(optimizer),
            scheduler=scheduler,
            averaged=averaged,
            meter=Meter(accelerator),
            accelerator=accelerator,
            has_valid=has_valid,
        )

    @property
    def plain(self) -> bool:
        """Whether torch's own backward pass and optimiser do, without Accelerate's around them."""
        return _plain(self.accelerator)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done or the patience is used up."""
        patience = self.config.patience
        return self.epoch >= self.config.max_epochs or (
            patience is not None and self.epochs_since_best >= patience
        )

    def count_step(self) -> None:
        """Note an update of the weights."""
        self.step += 1
        self.scheduler.step()  # here, not beside the optimiser: a step may take several batches
        if self.averaged is not None:
            self.averaged.update_parameters(self.accelerator.unwrap_model(self.objective))

    def end_epoch(self, monitored: float) -> None:
        """Note a complete epoch and, with early stopping, the best weights so far."""
        self.epoch += 1
        self.batch_in_epoch = 0
        self.epochs_since_best += 1
        if monitored < self.best_loss:
            self.best_loss, self.epochs_since_best, self.history.best_epoch = monitored, 0, self.epoch
            if self.config.patience is not None:
                self.best_weights = {
                    name: value.clone() for name, value in self.evaluated().model.state_dict().items()
                }

    def evaluated(self) -> Any:
        """Return the objective whose weights count: the moving average, where there is one."""
        if self.averaged is not None:
            return self.averaged.module
        return self.accelerator.unwrap_model(self.objective)

    def keep_best_weights(self) -> None:
        """Leave the model with the weights that count, in evaluation mode."""
        weights = self.best_weights if self.best_weights is not None else self.evaluated().model.state_dict()
        self.model.load_state_dict(weights)
        self.model.eval()

    def checkpoint(self) -> Checkpoint:
        """Return all of it."""
        optimizer, groups = pack_optimizer(self.optimizer)
        tensors = {"model": self.model.state_dict(), "optimizer": optimizer, "random": _random_states()}
        if self.averaged is not None:
            tensors["averaged"] = self.averaged.state_dict()
        if self.best_weights is not None:
            tensors["best"] = self.best_weights
        numbers = {
            "epoch": self.epoch,
            "batch_in_epoch": self.batch_in_epoch,
            "step": self.step,
            "accelerator_step": self.accelerator.step,  # batches it counts in accumulating gradients
            "best_loss": self.best_loss,
            "best_epoch": self.history.best_epoch,
            "epochs_since_best": self.epochs_since_best,
            "records": self.history.records,
            "meter": self.meter.state(),
            "groups": groups,
            "scheduler": {"last_epoch": self.scheduler.last_epoch, "_step_count": self.scheduler._step_count},
            "config": asdict(self.config),
        }
        return Checkpoint(tensors, numbers)

    def restore(self, checkpoint: Checkpoint | None) -> None:
        """Put back what `checkpoint` holds; None leaves the start as it is."""
        if checkpoint is None:
            return
        _check_same_settings(checkpoint.numbers.get("config", {}), asdict(self.config))
        try:
            self._restore(checkpoint.tensors, checkpoint.numbers)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"the checkpoint does not fit this model ({reason}): start anew without resume"
            ) from error

    def _restore(self, tensors: dict[str, dict[str, Tensor]], numbers: dict[str, Any]) -> None:
        self.model.load_state_dict(tensors["model"])
        unpack_optimizer(self.optimizer, tensors["optimizer"], numbers["groups"])
        self.scheduler.__dict__.update(numbers["scheduler"])
        self.scheduler._last_lr = [group["lr"] for group in self.optimizer.param_groups]
        if self.averaged is not None:
            self.averaged.load_state_dict(tensors["averaged"])
        self.best_weights = tensors.get("best")
        self.best_loss, self.epochs_since_best = numbers["best_loss"], numbers["epochs_since_best"]
        self.epoch, self.step, self.batch_in_epoch = (
            numbers["epoch"],
            numbers["step"],
            numbers["batch_in_epoch"],
        )
        self.accelerator.step = numbers["accelerator_step"]
        self.history.records, self.history.best_epoch = list(numbers["records"]), numbers["best_epoch"]
        self.meter.restore(numbers["meter"])
        _set_random_states(tensors["random"])


def _parameter_groups(model: Model, learning_rate: float) -> list[dict[str, Any]]:
    groups = model.parameter_groups(learning_rate)
    trained = {id(parameter) for group in groups for parameter in group["params"]}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and id(parameter) not in trained:
            raise InputError(
                f"parameter_groups of {type(model).__name__} leaves out {name!r}, which would never be "
                "trained: put it into a group, or set its requires_grad to False"
            )
    return groups


def _plain(accelerator: Accelerator) -> bool:
    # Scaled losses (fp16), FSDP and DeepSpeed need Accelerate's backward pass and optimiser. Elsewhere these
    # add nothing but a search of the disk for optional packages at every step: a millisecond, as long as the
    # forward pass of a small network.
    ordinary = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)
    return accelerator.scaler is None and accelerator.distributed_type in ordinary


def learning_rate_factor(step: int, n_steps: int, config: TrainConfig) -> float:
    """Return the factor of the learning rate: a linear warm-up, then constant or half a cosine to 0."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return 1.0
    done = (step - config.warmup_steps) / max(1, n_steps - config.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def compiling_lacks() -> str | None:
    """Return what torch.compile needs and this machine has not, or None."""
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++", "cl")):
        return "no C++ compiler was found"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "Python's C headers were not found (on Debian: apt install python3-dev)"
    return None


def _compiler_found() -> bool:
    lack = compiling_lacks()
    if lack is not None:
        warnings.warn(f"{lack}: training runs without torch.compile, to the same result", stacklevel=4)
    return lack is None


def _check_same_settings(before: dict[str, Any], now: dict[str, Any]) -> None:
    for name, value in now.items():
        if name not in FREE_TO_CHANGE and before.get(name) != value:
            raise InputError(
                f"the checkpoint was trained with {name}={before.get(name)!r}, this call asks for {value!r}: "
                "resume with the old value or start anew without resume"
            )


def _random_states() -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states |= {f"cuda{index}": state for index, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def _set_random_states(states: dict[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if torch.cuda.is_available() and "cuda0" in states:
        torch.cuda.set_rng_state_all([states[f"cuda{index}"] for index in range(torch.cuda.device_count())])

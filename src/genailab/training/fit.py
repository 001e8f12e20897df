"""The training loop.

Accelerate places model and batches on the device, casts to mixed precision, accumulates and synchronises
gradients (``accelerate launch`` or ``torchrun`` start several processes). What is left here is the loop.
"""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState
from accelerate.utils import DataLoaderConfiguration
from torch import Tensor
from torch.utils.data import DataLoader

from genailab.errors import InputError
from genailab.nn.model import Batch, Model
from genailab.training.batches import BatchedDataset, EpochBatches, make_loader
from genailab.training.checkpoint import forget_checkpoint, load_checkpoint, save_checkpoint
from genailab.training.config import TrainConfig
from genailab.training.history import History
from genailab.training.interrupt import Interrupted, StopRequest, stop_signals
from genailab.training.meter import Meter
from genailab.training.progress import progress_bar
from genailab.training.state import TrainState

__all__ = ["fit", "seeded"]


def fit(
    model: Model,
    train: BatchedDataset,
    valid: BatchedDataset | None = None,
    config: TrainConfig | None = None,
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    title: str = "training",
    show_progress: bool = True,
) -> History:
    """Train ``model`` in place and return what happened in each epoch.

    The model ends in evaluation mode with the weights of its best validation epoch where ``patience`` is set,
    else with the last ones (their moving average where ``ema_decay`` is set). The global random state is left
    as it was.

    Parameters
    ----------
    model
        Anything with ``loss(batch)``.
    train, valid
        Rows fetched in batches, such as a CellDataset.
    config
        How to train.
    folder
        Where ``log.jsonl`` and checkpoints go; without one nothing is saved.
    resume
        Go on from the latest checkpoint in ``folder``, if there is one, to the same weights as an unbroken
        run. Without it the training starts anew, and what ``folder`` holds of an earlier one is replaced.
    title
        Name shown beside the progress bar.
    show_progress
        Whether to show a bar while standard error is a terminal.

    Raises
    ------
    InputError
        If there are too few rows, the loss is not finite, or a checkpoint is damaged or from other settings.
    Interrupted
        After Ctrl-C or SIGTERM; the run was saved to ``folder`` before.
    """
    config = config or TrainConfig()
    if len(train) < 2:
        raise InputError(f"training needs at least 2 rows, got {len(train)}")
    with seeded(config.seed), stop_signals() as stop, _accelerator(config, folder) as accelerator:
        config = _within_steps(config, len(train), accelerator.num_processes)
        state = TrainState.start(model, config, accelerator, n_rows=len(train), has_valid=valid is not None)
        place = Path(folder) if folder is not None else None
        if resume and place is not None:
            state.restore(load_checkpoint(place))
        loop = _Loop(state, config, accelerator, place, stop, resume=resume)
        with progress_bar(
            title, config.max_epochs, shown=show_progress and accelerator.is_main_process
        ) as advance:
            while not state.finished:
                words = loop.epoch(train, valid)
                advance(state.epoch, words)
        loop.save()
        state.keep_best_weights()
        loop.stop_if_asked(saved=True)
    return state.history


def _within_steps(config: TrainConfig, n_rows: int, n_processes: int) -> TrainConfig:
    if config.max_steps is None:
        return config
    steps_an_epoch = math.ceil(n_rows / (config.batch_size * config.accumulate * n_processes))
    return replace(config, max_epochs=min(config.max_epochs, math.ceil(config.max_steps / steps_an_epoch)))


class _Loop:
    """One training run: an epoch is a pass over the training rows, a validation, a line in the log."""

    def __init__(
        self,
        state: TrainState,
        config: TrainConfig,
        accelerator: Accelerator,
        folder: Path | None,
        stop: StopRequest,
        *,
        resume: bool,
    ) -> None:
        self.state, self.config, self.accelerator, self.stop = state, config, accelerator, stop
        self.place = folder
        self.folder = folder if accelerator.is_main_process else None  # one process writes
        self.saved_at = time.monotonic()
        self.loaders: dict[str, tuple[DataLoader, EpochBatches]] = {}
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not resume:
                forget_checkpoint(self.folder)
            state.history.rewrite(self.folder / "log.jsonl")

    def epoch(self, train: BatchedDataset, valid: BatchedDataset | None) -> str:
        """Train on every row once; return a few words on how it went."""
        state = self.state
        self._train(train)
        record: dict[str, Any] = {"epoch": state.epoch + 1, "step": state.step, **state.meter.flush()}
        record["learning_rate"] = state.scheduler.get_last_lr()[0]
        monitored = record["loss"]
        if valid is not None:
            record |= {f"valid_{name}": value for name, value in self._validate(valid).items()}
            monitored = record["valid_loss"]
        state.history.append(record, self.folder / "log.jsonl" if self.folder else None)
        self.accelerator.log(
            {name: value for name, value in record.items() if name != "step"}, step=state.step
        )
        state.end_epoch(monitored)
        if time.monotonic() - self.saved_at >= self.config.checkpoint_seconds:
            self.save()
        return f"loss {record['loss']:.4g}" + (f", validation {monitored:.4g}" if valid is not None else "")

    def _train(self, train: BatchedDataset) -> None:
        state = self.state
        state.objective.train()
        for batch in self._batches("train", train, start=state.batch_in_epoch):
            with self.accelerator.accumulate(state.objective):
                total, terms = state.objective(batch)
                self._update(total)
            state.meter.add(total, terms, rows=_n_rows(batch))
            state.batch_in_epoch += 1
            if self.accelerator.sync_gradients:
                state.count_step()
                self.stop_if_asked()

    def _update(self, total: Tensor) -> None:
        state, accelerator = self.state, self.accelerator
        if state.plain:
            (total / self.config.accumulate).backward()
        else:
            accelerator.backward(total)
        if not accelerator.sync_gradients:
            return
        if self.config.clip_norm is not None:
            accelerator.clip_grad_norm_(state.objective.parameters(), self.config.clip_norm)
        state.optimizer.step()
        state.optimizer.zero_grad()

    @torch.no_grad()
    def _validate(self, valid: BatchedDataset) -> dict[str, float]:
        # The same noise every time: epochs are compared, and training's own randomness isn't disturbed.
        meter = Meter(self.accelerator)
        with seeded(self.config.seed):
            objective = self.state.evaluated().eval()
            for batch in self._batches("valid", valid):
                total, terms = objective(batch)
                meter.add(total, terms, rows=_n_rows(batch))
        return meter.flush()

    def _batches(self, name: str, dataset: BatchedDataset, *, start: int = 0) -> Iterator[Batch]:
        if name not in self.loaders:
            batches = EpochBatches(
                len(dataset),
                self.config.batch_size,
                seed=self.config.seed,
                shuffle=name == "train",
                multiple_of=self.accelerator.num_processes,
            )
            loader = make_loader(dataset, batches, workers=self.config.workers)
            self.loaders[name] = self.accelerator.prepare(loader), batches
        loader, batches = self.loaders[name]
        batches.epoch, batches.start = self.state.epoch, start
        return iter(loader)

    def stop_if_asked(self, *, saved: bool = False) -> None:
        """Save and raise `Interrupted` if a signal came, to this process or to any other."""
        number = self.stop.signal_number or 0
        if self.accelerator.num_processes > 1:
            # All stop at the same step: one that went on would wait for the others' gradients for ever.
            asked = torch.tensor([float(number)], device=self.accelerator.device)
            number = int(self.accelerator.gather(asked).max().item())
        if number == 0:
            return
        if not saved:
            self.save()
        place = f"saved to {self.place}" if self.place else "nothing was saved, as no folder was given"
        position = f"after epoch {self.state.epoch}" if saved else f"in epoch {self.state.epoch + 1}"
        raise Interrupted(f"stopped {position}, {place}", number)

    def save(self) -> None:
        """Write a checkpoint, if there is a folder."""
        self.saved_at = time.monotonic()
        if self.folder is not None:
            save_checkpoint(self.state.checkpoint(), self.folder)


def _n_rows(batch: Mapping[str, Tensor]) -> int:
    return len(next(iter(batch.values())))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generator inside, put it back as it was outside.

    For what cannot be given a generator: the first weights of a layer, and dropout.
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


@contextmanager
def _accelerator(config: TrainConfig, folder: str | Path | None) -> Iterator[Accelerator]:
    _check_possible_here(config, folder)
    # Accelerate keeps its settings in globals; a second training with others would be refused. The process
    # group stays, where there is one.
    alone = PartialState(cpu=config.device == "cpu").num_processes == 1
    AcceleratorState._reset_state(reset_partial_state=alone)
    GradientState._reset_state()
    accelerator = Accelerator(
        cpu=config.device == "cpu",
        mixed_precision=config.precision,
        gradient_accumulation_steps=config.accumulate,
        dataloader_config=DataLoaderConfiguration(even_batches=False),
        log_with=None if config.tracker == "none" else config.tracker,
        project_dir=None if folder is None else str(folder),
    )
    if config.tracker != "none":
        settings = {key: str(value) for key, value in asdict(config).items()}
        accelerator.init_trackers("genailab", config=settings)
    try:
        yield accelerator
    finally:
        # Not end_training: it would also take down the process group, which the next training needs.
        for tracker in accelerator.trackers:
            tracker.finish()


def _check_possible_here(config: TrainConfig, folder: str | Path | None) -> None:
    if config.device in ("cuda", "mps") and not getattr(torch, config.device).is_available():
        raise InputError(
            f"device is {config.device!r} but torch finds none here: use device=auto, or see genailab doctor"
        )
    if config.precision == "fp16" and config.device == "cpu":
        raise InputError("precision is 'fp16', which needs a GPU: use bf16 or no on the CPU")
    if config.tracker != "none" and importlib.util.find_spec(config.tracker) is None:
        raise InputError(
            f"tracker is {config.tracker!r}, which is not installed: pip install 'genailab[tracking]', or "
            "use tracker=none"
        )
    if config.tracker == "tensorboard" and folder is None:
        raise InputError("tracker is 'tensorboard', which writes files: give a folder, or use tracker=none")

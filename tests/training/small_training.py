"""A training small enough to be killed many times: as a module for the tests, as a script for a subprocess.

``python small_training.py FOLDER SETTINGS RESUME DEATH STEP`` trains, and at a step sends itself a signal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from genailab.nn.model import Batch, Loss, Model
from genailab.training import Interrupted, TrainConfig, fit, seeded

N_ROWS = 50


@dataclass(frozen=True)
class NoConfig:
    pass


class Regression(Model):
    """Two layers with dropout and batch normalisation: parameters, buffers and randomness."""

    config_class = NoConfig

    def __init__(self, *, dropout: float = 0.2, seed: int = 0) -> None:
        super().__init__()
        self.config = NoConfig()
        self.steps = 0
        self.before_step = lambda step: None
        with seeded(seed):
            self.layers = nn.Sequential(
                nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1)
            )

    def loss(self, batch: Batch) -> Loss:
        if self.training:
            self.steps += 1
            self.before_step(self.steps)
        error = (self.layers(batch["x"])[:, 0] - batch["y"]).square().mean()
        return Loss(error, {"squared_error": error})


class Rows:
    """``y`` is a curve of ``x`` with noise."""

    def __init__(self, n: int = N_ROWS, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.x = torch.randn(n, 3, generator=generator)
        self.y = self.x.prod(dim=1) + 0.1 * torch.randn(n, generator=generator)

    def __len__(self) -> int:
        return len(self.y)

    def __getitems__(self, indices: list[int]) -> dict[str, Tensor]:
        return {"x": self.x[indices], "y": self.y[indices]}


def small_config(**settings: object) -> TrainConfig:
    defaults = {"max_epochs": 4, "batch_size": 8, "learning_rate": 1e-2, "checkpoint_seconds": 0}
    return TrainConfig(**{**defaults, "device": "cpu", **settings})


def train(
    folder: Path | None = None, *, resume: bool = False, model: Regression | None = None, **settings: object
):
    # Sums depend on the number of threads, and other libraries' calls in the same test process change it.
    torch.set_num_threads(1)
    model = model or Regression()
    history = fit(
        model,
        Rows(),
        Rows(20, seed=1),
        small_config(**settings),
        folder=folder,
        resume=resume,
        show_progress=False,
    )
    return model, history


def main(folder: str, settings: str, resume: str, death: str, step: str) -> None:
    model = Regression()

    def die(now: int) -> None:
        if now == int(step):
            os.kill(os.getpid(), signal.Signals[death])

    if death:
        model.before_step = die
    try:
        train(Path(folder), resume=resume == "resume", model=model, **json.loads(settings))
    except Interrupted as stop:
        sys.exit(stop.signal_number)
    save_file(model.state_dict(), Path(folder) / "weights.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:])

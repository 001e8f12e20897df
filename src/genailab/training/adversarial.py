"""Training of GANs: the same `fit`, with settings that suit a game."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Literal

from genailab.errors import InputError
from genailab.generative.gan.adversarial import AdversarialModel
from genailab.generative.gan.diagnostics import collapse
from genailab.training.batches import BatchedDataset
from genailab.training.config import TrainConfig
from genailab.training.fit import fit
from genailab.training.history import History

__all__ = ["GAN_TRAINING", "train_gan"]

# No weight decay, as a weight's best value moves with the other player; a constant rate, as there is no end
# to approach; a moving average of the weights, because the players circle around the solution and their
# average lies nearer to it (Yazici et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training").
GAN_TRAINING = TrainConfig(max_epochs=200, batch_size=128, learning_rate=5e-4, ema_decay=0.99)


def train_gan(
    model: AdversarialModel,
    train: BatchedDataset,
    valid: BatchedDataset | None = None,
    config: TrainConfig | None = None,
    *,
    keep: Literal["best", "last"] = "best",
    folder: str | Path | None = None,
    resume: bool = False,
    show_progress: bool = True,
) -> History:
    """Train a GAN in place, watch for collapse, and return what happened in each epoch.

    All that `fit` does, and the rates and betas of the model's own configuration for each player. The history
    holds ``diversity``, ``coverage``, ``distance`` and ``critic_auroc`` of each epoch (see
    `AdversarialModel.loss`), of the averaged weights as ``valid_...``. Ends with a warning if the weights
    that are kept look collapsed.

    Parameters
    ----------
    model
        A VectorGAN, ExpressionGAN or SequenceGAN.
    train, valid
        Rows fetched in batches. Validation compares generated rows with these by their energy distance.
    config
        How to train; by default ``GAN_TRAINING``.
    keep
        ``"best"``: the averaged weights of the epoch with the smallest energy distance to ``valid``, where
        there is one; ``"last"``: those of the last epoch. Neither looks at the players' losses, which say
        nothing about quality.
    folder, resume, show_progress
        As in `fit`.

    Raises
    ------
    InputError
        For what `fit` refuses; if ``patience`` is set without validation rows; or for an unknown ``keep``.
    """
    config = config or GAN_TRAINING
    if keep not in ("best", "last"):
        raise InputError(f"keep is {keep!r}: choose 'best' or 'last'")
    if config.patience is not None and valid is None:
        raise InputError(
            f"patience is {config.patience} but there are no validation rows, and a game's own loss says "
            "nothing about quality: give valid, or set patience to null"
        )
    if keep == "last":
        config = replace(config, patience=None)
    elif valid is not None and config.patience is None:
        config = replace(config, patience=config.max_epochs)  # never stops early, but keeps the best
    history = fit(
        model, train, valid, config, folder=folder, resume=resume, title="GAN", show_progress=show_progress
    )
    _warn_of_collapse(history, best=config.patience is not None, prefix="valid_" if valid is not None else "")
    return history


def _warn_of_collapse(history: History, *, best: bool, prefix: str) -> None:
    epoch = history.best_epoch if best and history.best_epoch is not None else len(history.records)
    record = history.records[epoch - 1]
    reason = collapse(record[f"{prefix}diversity"], record[f"{prefix}coverage"])
    if reason is not None:
        warnings.warn(
            f"the generator looks collapsed in epoch {epoch}: {reason}; train longer, or set penalty='r1', a "
            "larger n_critic or a smaller generator_learning_rate_factor",
            stacklevel=3,
        )

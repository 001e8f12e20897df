"""The standard GAN, R1, hinge and WGAN-GP on a mixture of 25 Gaussians and on PBMC.

The mixture is the usual test of mode collapse: a 5 x 5 grid whose components have a fortieth of their
distance as standard deviation. Counted are the modes hit and the share of high-quality rows, within 3
standard deviations of a mode (Srivastava et al. 2017, VEEGAN). The cells are 490 real PBMC x 765 genes; the
210 held out are scored against as many generated ones of their types, beside the independent negative
binomial and real cells against real ones.

Every game has the same networks, batches, rate and number of critic steps (so WGAN-GP, with 5 critic steps
for each generator step, has a fifth of the generator steps), and keeps the averaged weights of the last step.
One seed each: a comparison, not a ranking of methods.

Measured (results/gan_losses.json, 25 to 30 seconds of one core a training): the standard GAN collapses on
both, to 2 of the 25 modes and to no coverage of the cells. R1 covers all modes and, on cells, reaches the
independent NB (MMD 0.001 [0.000, 0.003] against 0.003 [0.001, 0.005], coverage 0.67 against 0.63), but a
discriminator still tells its cells from real ones (AUROC 0.89, as for the NB), and they follow the asked type
less well (agreement 0.50; real cells 0.65). Hinge and WGAN-GP cover 25 and 24 of the modes, and within these
few steps are far from the cells (coverage 0.02 and 0.11). 2,000 steps make no game sharp: 1 to 8% of the rows
lie within 3 of the narrow standard deviations.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from machine import save_result
from torch import Tensor

from genailab.data import CellDataset, load_pbmc
from genailab.data.rows import TensorRows
from genailab.evaluation.baselines import IndependentNB
from genailab.evaluation.cells import CellComparison
from genailab.evaluation.options import ComparisonOptions
from genailab.evaluation.scores import Score
from genailab.generative.gan import (
    ExpressionGAN,
    ExpressionGANConfig,
    VectorGAN,
    VectorGANConfig,
    mode_coverage,
    near_modes,
    published_settings,
)
from genailab.training import TrainConfig, seeded
from genailab.training.adversarial import train_gan

GAMES = ("standard", "r1", "hinge", "wgan_gp")
METRICS = ("MMD", "coverage", "recall", "discriminator AUROC", "classifier agreement")
STD = 0.025  # of a component; the grid's spacing is 1


def grid(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return the modes ``(25, 2)``, rows ``(n, 2)`` and each row's mode; about unit variance."""
    modes = torch.cartesian_prod(torch.arange(-2.0, 3.0), torch.arange(-2.0, 3.0))
    labels = torch.randint(25, (n,), generator=generator)
    return modes, modes[labels] + STD * torch.randn(n, 2, generator=generator), labels


def measure(work: Callable[[], object]) -> float:
    """Return the seconds of processor time."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of collapse: it is what is measured
        work()
    return round(time.process_time() - started, 1)


def on_the_grid(game: str, n_steps: int) -> dict[str, Any]:
    """Train on the mixture and count modes."""
    modes, rows, labels = grid(10_000, torch.Generator().manual_seed(0))
    with seeded(0):
        model = VectorGAN(VectorGANConfig(n_dims=2, n_latent=8, **published_settings(game)))
    config = TrainConfig(
        max_epochs=1000, max_steps=n_steps, batch_size=200, learning_rate=1e-3, ema_decay=0.99, device="cpu"
    )
    seconds = measure(lambda: train_gan(model, TensorRows(x=rows), config=config, show_progress=False))
    generated = model.sample(5000, generator=torch.Generator().manual_seed(1))
    found, good = near_modes(modes, generated, radius=3 * STD)
    return {
        "modes_hit": found,
        "high_quality_share": round(good, 3),
        "mode_coverage": mode_coverage(rows, generated, labels=labels),
        "cpu_seconds": seconds,
    }


def on_cells(
    game: str, train: CellDataset, test: CellDataset, comparison: CellComparison, n_steps: int
) -> dict[str, Any]:
    """Train on cells and score one generated cell for each held-out one, of its type."""
    log_library = np.log(train.library_sizes)
    with seeded(0):
        model = ExpressionGAN(
            ExpressionGANConfig(
                genes=train.genes,
                conditions={"bulk_labels": tuple(train.labels.categories)},
                library_log_mean=float(log_library.mean()),
                library_log_std=float(log_library.std()),
                **published_settings(game),
            )
        )
    model.start_from(torch.as_tensor(train.gene_shares(), dtype=torch.float32))
    config = TrainConfig(
        max_epochs=1000, max_steps=n_steps, batch_size=128, learning_rate=5e-4, ema_decay=0.99, device="cpu"
    )
    seconds = measure(lambda: train_gan(model, train, config=config, show_progress=False))
    types = torch.from_numpy(test.labels.codes.astype(np.int64))
    counts = model.sample(test.n_cells, {"bulk_labels": types}, generator=torch.Generator().manual_seed(1))
    names = tuple(f"generated-{number}" for number in range(test.n_cells))
    cells = replace(test, counts=sp.csr_matrix(counts.numpy()), cells=names, source="generated")
    return {**as_table(comparison.compare(cells, subject=game)), "cpu_seconds": seconds}


def as_table(scores: list[Score]) -> dict[str, str]:
    """Return the scores that the comparison is about, each with its 95% interval."""
    return {
        score.metric: f"{score.value:.3f} [{score.ci_low:.3f}, {score.ci_high:.3f}]"
        for score in scores
        if score.metric in METRICS
    }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid-steps", type=int, default=2000)
    parser.add_argument("--cell-steps", type=int, default=600)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cells = load_pbmc()
    order = np.random.default_rng(0).permutation(cells.n_cells)
    test, train = cells.subset(order[:210]), cells.subset(order[210:])
    comparison = CellComparison.fit(test, train=train, options=ComparisonOptions(n_bootstrap=200), seed=0)
    simple = IndependentNB.fit(train).sample(
        [str(name) for name in test.labels], generator=np.random.default_rng(1)
    )
    result = {
        "steps": {"grid": options.grid_steps, "cells": options.cell_steps},
        "grid": {game: on_the_grid(game, options.grid_steps) for game in GAMES},
        "cells": {
            **{game: on_cells(game, train, test, comparison, options.cell_steps) for game in GAMES},
            "independent NB": as_table(comparison.compare(simple, subject="independent NB")),
            "real against real": as_table(comparison.ceiling()),
        },
    }
    save_result("gan_losses", result)


if __name__ == "__main__":
    main()

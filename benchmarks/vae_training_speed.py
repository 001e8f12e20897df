"""CountVAE against scvi-tools' SCVI: training speed in cells a second, and the held-out bound that it buys.

Both train on the same cells, 700 real PBMC of which 210 are held out and 490 tiled to 7,000, with the same
widths, latent size, likelihood, batch size, learning rate, KL warm-up, epochs and threads. They take turns in
one process; the ratio is formed round by round, so that a machine whose speed drifts does not decide it. The
held-out importance-weighted bound is computed by the same code for both.

Needs scvi-tools 1.4, which is no dependency of genailab (it brings Lightning): in its own environment run
``pip install "scvi-tools==1.4.*" "lightning<2.6" -e . -c constraints.txt`` and then this file.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from machine import save_result
from torch import Tensor
from torch.distributions import Normal

from genailab.data import CellDataset, load_pbmc
from genailab.generative.vae import CountVAE, CountVAEConfig, importance_weighted_bound
from genailab.training import TrainConfig, fit

N_TRAIN, N_HELD_OUT = 7000, 210
N_LATENT, N_HIDDEN, BATCH, LEARNING_RATE = 10, 128, 128, 1e-3
KL_WARMUP_EPOCHS = 7  # torch.compile builds it in: not to be changed after the run that warms up
N_DRAWS = 200


def tiled_cells() -> tuple[CellDataset, CellDataset]:
    """Return 7,000 training cells, repeated from 490, and 210 held-out ones."""
    cells = load_pbmc()
    order = np.random.default_rng(0).permutation(cells.n_cells)
    held_out, rest = order[:N_HELD_OUT], order[N_HELD_OUT:]
    rows = np.resize(rest, N_TRAIN)
    train = cells.subset(rest)
    names = tuple(f"{i}-{cells.cells[row]}" for i, row in enumerate(rows))
    tiled = CellDataset(counts=cells.counts[rows], genes=cells.genes, cells=names)
    return tiled, CellDataset(
        counts=cells.subset(held_out).counts, genes=train.genes, cells=cells.subset(held_out).cells
    )


def train_ours(
    train: CellDataset, held_out: CellDataset, epochs: int, likelihood: str, *, compiled: bool = False
) -> tuple[float, float]:
    """Return seconds of training and the held-out bound in nats a cell."""
    log_library = np.log(train.library_sizes)
    torch.manual_seed(0)
    vae = CountVAE(
        CountVAEConfig(
            genes=train.genes,
            likelihood=likelihood,
            n_latent=N_LATENT,
            n_hidden=N_HIDDEN,
            kl_warmup=KL_WARMUP_EPOCHS * N_TRAIN // BATCH,
            library_log_mean=float(log_library.mean()),
            library_log_std=float(log_library.std()),
        )
    )
    started = time.perf_counter()
    vae.start_from(train.gene_shares())
    fit(
        vae,
        train,
        config=TrainConfig(
            max_epochs=epochs, batch_size=BATCH, learning_rate=LEARNING_RATE, device="cpu", compile=compiled
        ),
        show_progress=False,
    )
    seconds = time.perf_counter() - started
    batch = held_out.__getitems__(range(len(held_out)))
    weights = vae.log_weights(batch, n_draws=N_DRAWS, generator=torch.Generator().manual_seed(0))
    return seconds, importance_weighted_bound(weights).mean().item()


def train_scvi(
    train: CellDataset, held_out: CellDataset, epochs: int, likelihood: str
) -> tuple[float, float]:
    """Return the same of scvi-tools."""
    import scvi

    scvi.settings.seed = 0
    scvi.settings.verbosity = logging.ERROR
    adata = train.to_anndata()
    adata.X = adata.X.astype(np.float32)
    scvi.model.SCVI.setup_anndata(adata)
    model = scvi.model.SCVI(adata, n_hidden=N_HIDDEN, n_latent=N_LATENT, gene_likelihood=likelihood)
    started = time.perf_counter()
    model.train(
        max_epochs=epochs,
        accelerator="cpu",
        train_size=1.0,
        batch_size=BATCH,
        enable_progress_bar=False,
        logger=False,
        enable_checkpointing=False,
        plan_kwargs={"lr": LEARNING_RATE, "n_epochs_kl_warmup": KL_WARMUP_EPOCHS},
    )
    seconds = time.perf_counter() - started
    return seconds, importance_weighted_bound(scvi_log_weights(model.module.eval(), held_out)).mean().item()


@torch.no_grad()
def scvi_log_weights(module: torch.nn.Module, cells: CellDataset) -> Tensor:
    """Return ``log p(x, z) - log q(z | x)`` of draws under scvi's module, ``(draws, cells)``."""
    counts = torch.from_numpy(cells.counts.toarray())
    batch = torch.zeros(len(cells), 1)
    generator = torch.Generator().manual_seed(0)
    posterior = module.inference(counts, batch)["qz"]
    library = counts.sum(dim=1, keepdim=True).log()
    rows = []
    for _ in range(N_DRAWS):
        z = posterior.loc + posterior.scale * torch.randn(posterior.loc.shape, generator=generator)
        likelihood = module.generative(z, library, batch)["px"].log_prob(counts).sum(dim=1)
        rows.append(likelihood + (Normal(0.0, 1.0).log_prob(z) - posterior.log_prob(z)).sum(dim=1))
    return torch.stack(rows)


def main() -> None:
    """Take turns, print each round, keep the summary."""
    if importlib.util.find_spec("scvi") is None:
        print("skipped: scvi-tools is not installed here; the top of this file says how to")
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--likelihood", choices=["nb", "zinb", "poisson"], default="nb")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(arguments.threads)
    train, held_out = tiled_cells()
    trainers: dict[str, Callable[..., tuple[float, float]]] = {
        "genailab": train_ours,
        "genailab compiled": partial(train_ours, compiled=True),
        "scvi-tools": train_scvi,
    }
    warm_up = {}
    for name, trainer in trainers.items():  # imports, allocator, and the compiler's own time
        started = time.perf_counter()
        trainer(train, held_out, 2, arguments.likelihood)
        warm_up[name] = round(time.perf_counter() - started, 1)
    rows = []
    for round_ in range(arguments.rounds):
        row = {}
        for name, trainer in trainers.items():
            seconds, bound = trainer(train, held_out, arguments.epochs, arguments.likelihood)
            row[name] = {"cells_per_second": N_TRAIN * arguments.epochs / seconds, "bound": bound}
        print(round_, row, flush=True)
        rows.append(row)
    save_result(
        "vae_training_speed",
        {
            "settings": vars(arguments),
            "warm_up_seconds": warm_up,
            "ratio_to_scvi_tools": {name: ratios(rows, name) for name in ("genailab", "genailab compiled")},
            "rounds": rows,
        },
        packages=("scvi-tools", "lightning"),
    )


def ratios(rows: list[dict[str, dict[str, float]]], name: str) -> dict[str, float]:
    """Return the spread over rounds of how many times faster than scvi-tools."""
    found = sorted(row[name]["cells_per_second"] / row["scvi-tools"]["cells_per_second"] for row in rows)
    return {"min": found[0], "median": found[len(found) // 2], "max": found[-1]}


if __name__ == "__main__":
    main()

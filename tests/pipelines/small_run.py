"""A single-cell run of seconds: invented cells in a file, and settings that barely train.

As a script, ``python small_run.py FILE OUT STEP`` runs it and kills itself at a training step of the VAE.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from genailab.configuration import with_settings
from genailab.evaluation.scores import Score
from genailab.pipelines import single_cell, single_cell_report
from genailab.pipelines.single_cell_config import SingleCellConfig

SUBJECTS = {"latent diffusion", "VAE prior", "independent NB", "Gaussian copula", "ceiling"}
QUICK = (
    "vae_training.max_epochs=4",
    "vae_training.checkpoint_seconds=0",
    "vae_training.device=cpu",
    "vae.n_hidden=16",
    "vae.n_latent=4",
    "diffusion_training.max_epochs=4",
    "diffusion_training.checkpoint_seconds=0",
    "diffusion_training.device=cpu",
    "diffusion.width=16",
    "diffusion.depth=1",
    "sampling.n_steps=4",
    "evaluation.n_bootstrap=10",
)


def cells(n: int = 200, n_genes: int = 40, *, rare: int = 0, empty: int = 0) -> ad.AnnData:
    """Three types, four donors, two batches; ``rare`` cells of a fourth type, ``empty`` without counts."""
    rng = np.random.default_rng(0)
    types = np.resize(["B cell", "T cell", "NK"], n).astype(object)
    types[:rare] = "rare"
    levels = {name: rng.gamma(2, 2, n_genes) for name in ("B cell", "T cell", "NK", "rare")}
    counts = rng.poisson(np.stack([levels[name] for name in types]))
    counts[n - empty :] = 0
    obs = pd.DataFrame(
        {
            "cell_type": types,
            "donor": rng.choice(["d1", "d2", "d3", "d4"], n),
            "batch": np.where(np.arange(n) % 2, "a", "b"),
        },
        index=[f"cell{number}" for number in range(n)],
    )
    var = pd.DataFrame(index=[f"gene{number}" for number in range(n_genes)])
    return ad.AnnData(sp.csr_matrix(counts.astype(np.float32)), obs=obs, var=var)


def write(folder: Path, adata: ad.AnnData) -> Path:
    adata.write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


def quick(file: Path, *settings: str) -> SingleCellConfig:
    return with_settings(
        SingleCellConfig(), [*QUICK, f"data.path={file}", "data.label_key=cell_type", *settings]
    )


def random_map(cells, generated, *, seed: int) -> pd.DataFrame:
    """Stand in for UMAP, which takes most of a small run's time."""
    rng = np.random.default_rng(seed)
    parts = [("real", cells.used), ("generated", generated)]
    tables = [
        pd.DataFrame(rng.normal(size=(part.n_cells, 2)), columns=["x", "y"]).assign(
            kind=kind, type=np.asarray(part.labels, dtype=str)
        )
        for kind, part in parts
    ]
    return pd.concat(tables, ignore_index=True)


def one_score() -> tuple[list[Score], str]:
    """Stand in for the comparison of cells, which takes most of the rest."""
    words = {"metric": "MMD", "subject": "latent diffusion", "better": "lower", "space": "none"}
    return [Score(**words, value=0.5, ci_low=0.4, ci_high=0.6, n=1)], "The verdict."


def main(file: str, out: str, step: str) -> None:
    from genailab.generative.vae import CountVAE

    before = CountVAE.loss

    def loss(self, batch):
        if self.training and int(self.steps) == int(step):
            os.kill(os.getpid(), signal.SIGKILL)
        return before(self, batch)

    CountVAE.loss = loss
    single_cell_report.embed = random_map
    single_cell.run(quick(Path(file)), out=out)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])

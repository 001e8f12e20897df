"""The model, the baselines and the ceiling, all against the same held-out cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
import torch

from genailab.data import CellDataset
from genailab.evaluation.baselines import GaussianCopula, IndependentNB
from genailab.evaluation.cells import CellComparison
from genailab.evaluation.options import ComparisonOptions
from genailab.evaluation.scores import Score
from genailab.evaluation.verdict import verdict
from genailab.generative.diffusion import LatentDiffusion
from genailab.pipelines.single_cell_config import SingleCellConfig
from genailab.pipelines.single_cell_data import PreparedCells

__all__ = ["generate_like", "judge"]

MODEL = "latent diffusion"


def judge(model: LatentDiffusion, cells: PreparedCells, config: SingleCellConfig) -> tuple[list[Score], str]:
    """Score the model, three baselines and the ceiling; return the scores and what they say.

    Every subject generates one cell for each held-out cell, of its type: as many, in the same mixture.
    """
    options = ComparisonOptions(
        n_bootstrap=config.evaluation.n_bootstrap, max_cells=config.evaluation.max_cells
    )
    comparison = CellComparison.fit(cells.test, train=cells.train, options=options, seed=config.seed)
    # Not the seed of generated.h5ad: those cells are for use, these for judging, and none are chosen.
    seed = config.seed + 1
    scores = comparison.compare(generate_like(model, cells.test, config, seed=seed), subject=MODEL)
    scores += comparison.compare(
        _from_prior(model, cells.test, seed=seed), subject="VAE prior", agreement=False
    )
    types = [str(name) for name in cells.test.labels]
    for subject, baseline in (("independent NB", IndependentNB), ("Gaussian copula", GaussianCopula)):
        drawn = baseline.fit(cells.train).sample(types, generator=np.random.default_rng(seed))
        scores += comparison.compare(drawn, subject=subject)
    scores += comparison.ceiling()
    return scores, verdict(scores, model=MODEL)


def generate_like(
    model: LatentDiffusion, like: CellDataset, config: SingleCellConfig, *, seed: int
) -> CellDataset:
    """Generate one cell for each of ``like``, of its type and batch."""
    sampling = config.sampling
    counts = model.sample(
        like.n_cells,
        {key: torch.from_numpy(values.codes.astype(np.int64)) for key, values in like.covariates.items()},
        generator=torch.Generator().manual_seed(seed),
        sampler=sampling.sampler,
        n_steps=sampling.n_steps,
        guidance_scale=sampling.guidance_scale,
    )
    return _as_cells(counts, like)


def _from_prior(model: LatentDiffusion, like: CellDataset, *, seed: int) -> CellDataset:
    vae = model.vae
    codes = {key: like.covariates[key].codes.astype(np.int64) for key in vae.config.covariates}
    counts = vae.sample(
        like.n_cells,
        {key: torch.from_numpy(values) for key, values in codes.items()},
        generator=torch.Generator().manual_seed(seed),
    )
    return replace(_as_cells(counts, like), label_key=None)  # the prior isn't told a type


def _as_cells(counts: torch.Tensor, like: CellDataset) -> CellDataset:
    names = tuple(f"generated-{number:05d}" for number in range(1, len(counts) + 1))
    return replace(like, counts=sp.csr_matrix(counts.cpu().numpy()), cells=names, source="generated")

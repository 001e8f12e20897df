"""Every family of generator on the same real cells, in one table: quality, time and memory.

The 700 bundled PBMC, split as the demo does. Latent families share one CountVAE and differ in one word
(`genailab.generative.latent_generator`); each generates one cell for each held-out cell, of its type. Beside
them stand the independent negative binomial, the Gaussian copula and real cells (ceiling).

Each family is trained and sampled in a process of its own on one core, so that seconds (of processor time)
and peak memory are its own; the memory holds torch and the data as well (``before_training``), the training
of a latent family not the VAE's, which is in its own row. Intervals are bootstraps over cells: what another
training would change is seen between seeds only.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from cell_families import FAMILIES, VAE_TRAINING, Family, count_vae
from machine import save_result
from torch import Tensor

from genailab.data import CellDataset
from genailab.evaluation.baselines import GaussianCopula, IndependentNB
from genailab.evaluation.cells import CellComparison
from genailab.evaluation.scores import Score
from genailab.generative.latent_cells import LatentModel
from genailab.generative.vae import CountVAE
from genailab.nn.model import Model
from genailab.pipelines.single_cell_config import SingleCellConfig
from genailab.pipelines.single_cell_data import PreparedCells, prepare
from genailab.training import fit, seeded

SHOWN = (
    "MMD",
    "energy distance",
    "discriminator AUROC",
    "precision",
    "recall",
    "density",
    "coverage",
    "classifier agreement",
    "nearest-training-cell ratio",
)
N_TIMED = 1000  # cells whose sampling is timed


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, sample, judge and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=list(FAMILIES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--folder", type=Path, help="keep samples here; what is there is not made anew")
    parser.add_argument("--only-make", action="store_true", help="train and sample here, judge nothing")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    folder = options.folder or Path(tempfile.mkdtemp())
    runs = {}
    for seed in options.seeds:
        if options.only_make:
            for name in options.families:
                make(name, seed, folder / str(seed))
            continue
        # The first trains the VAE that the others take.
        for name in dict.fromkeys(["CountVAE", *options.families]):
            _made_by_itself(name, seed, folder)
        runs[str(seed)] = judge(options.families, seed, folder / str(seed))
        print(as_table(runs), flush=True)
    if runs:
        save_result("families_cells", {"runs": runs, "table": as_table(runs).splitlines()})


# --- train and sample ------------------------------------------------------------------------------------


def _made_by_itself(name: str, seed: int, folder: Path) -> None:
    if _place(folder / str(seed), name).with_suffix(".json").is_file():
        return
    command = [sys.executable, __file__, "--only-make", "--families", name, "--seeds", str(seed)]
    subprocess.run([*command, "--folder", str(folder)], check=True)


def _place(folder: Path, name: str) -> Path:
    return folder / re.sub(r"\W+", "_", name)


def make(name: str, seed: int, folder: Path) -> None:
    """Train one family and write its cells, and what they cost, to ``folder``."""
    family, place = FAMILIES[name], _place(folder, name)
    folder.mkdir(parents=True, exist_ok=True)
    cells = _cells(seed)
    before, started = peak_memory(), time.process_time()
    model, n_steps = _trained(family, cells, seed, folder / "vae")
    seconds = time.process_time() - started
    cost: dict[str, Any] = {"training_cpu_seconds": round(seconds, 1), "steps": n_steps}
    cost["parameters"] = sum(parameter.numel() for parameter in _learned(model).parameters())
    counts = _draw(model, family, cells.test, cells.test.n_cells, seed=seed + 1)
    started = time.process_time()
    _draw(model, family, cells.test, N_TIMED, seed=seed + 2)
    cost[f"sampling_cpu_seconds_per_{N_TIMED}"] = round(time.process_time() - started, 2)
    cost |= {"peak_memory_mb": peak_memory(), "before_training_mb": before}
    sp.save_npz(place.with_suffix(".npz"), sp.csr_matrix(counts.numpy()))
    place.with_suffix(".json").write_text(json.dumps(cost))


def _trained(family: Family, cells: PreparedCells, seed: int, vae_folder: Path) -> tuple[Model, int]:
    if family.training is None:
        with seeded(seed):
            vae = count_vae(cells)
        history = fit(vae, cells.train, cells.valid, replace(VAE_TRAINING, seed=seed), show_progress=False)
        vae.save_pretrained(vae_folder)
        return vae, history.records[-1]["step"]
    with seeded(seed):
        model = family.make(cells, CountVAE.from_pretrained(vae_folder))
    latent = isinstance(model, LatentModel)
    train, valid = (model.encode(part) if latent else part for part in (cells.train, cells.valid))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = fit(model, train, valid, replace(family.training, seed=seed), show_progress=False)
    return model, history.records[-1]["step"]


def _learned(model: Model) -> Model:
    return model.prior if isinstance(model, LatentModel) else model


def _draw(model: Any, family: Family, like: CellDataset, n: int, *, seed: int) -> Tensor:
    """Generate ``n`` cells of the types of ``like``, over and over again."""
    assert like.label_key is not None
    codes = torch.from_numpy(np.resize(like.labels.codes.astype(np.int64), n))
    condition = {like.label_key: codes} if family.told else None
    return model.sample(n, condition, generator=torch.Generator().manual_seed(seed), **family.sampling)


def _cells(seed: int) -> PreparedCells:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return prepare(SingleCellConfig(seed=seed))


def peak_memory() -> int:
    """Most memory that this process has held, MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the parent's, before this program was loaded
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


# --- judge -----------------------------------------------------------------------------------------------


def judge(families: Sequence[str], seed: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Score families, baselines and real cells alike; return the rows of the table."""
    cells = _cells(seed)
    comparison = CellComparison.fit(cells.test, train=cells.train, seed=seed)
    types = [str(name) for name in cells.test.labels]
    rows: dict[str, dict[str, Any]] = {"real cells": shown(comparison.ceiling())}
    for name, baseline in (("independent NB", IndependentNB), ("Gaussian copula", GaussianCopula)):
        drawn = baseline.fit(cells.train).sample(types, generator=np.random.default_rng(seed + 1))
        rows[name] = shown(comparison.compare(drawn, subject=name))
    for name in families:
        counts, told = sp.load_npz(_place(folder, name).with_suffix(".npz")), FAMILIES[name].told
        made = replace(
            cells.test,
            counts=counts,
            cells=tuple(f"generated-{number}" for number in range(counts.shape[0])),
            label_key=cells.test.label_key if told else None,
            source="generated",
        )
        cost = json.loads(_place(folder, name).with_suffix(".json").read_text())
        rows[name] = shown(comparison.compare(made, subject=name, agreement=told)) | cost
    return rows


def shown(scores: Sequence[Score]) -> dict[str, Any]:
    """Return value and 95% interval of each metric of the table."""
    return {
        score.metric: [round(number, 4) for number in (score.value, score.ci_low, score.ci_high)]
        for score in scores
        if score.metric in SHOWN
    }


def as_table(runs: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return subjects as lines of a Markdown table: the mean over seeds, or a single seed's interval."""
    rows = list(runs.values())
    columns = list(dict.fromkeys(key for row in rows[0].values() for key in row))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in rows[0]:
        values = [_cell([row[name][key] for row in rows if key in row[name]]) for key in columns]
        lines.append(f"| {name} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _cell(values: list[Any]) -> str:
    if not values:
        return ""
    if not isinstance(values[0], list):
        return f"{statistics.mean(values):.3g}" if isinstance(values[0], float) else f"{values[0]:,}"
    if len(values) == 1:
        return "{:.3f} [{:.3f}, {:.3f}]".format(*values[0])
    first = [value[0] for value in values]
    return f"{statistics.mean(first):.3f} ({min(first):.3f} to {max(first):.3f})"


if __name__ == "__main__":
    main()

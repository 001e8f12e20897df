"""Generate single cells of each type, and judge them honestly against held-out ones.

    counts -> CountVAE -> latent diffusion, told the type -> new cells -> scores beside baselines and ceiling

Each stage leaves what it made in the run's folder; a run that was killed goes on from the last stage, or from
the middle of a training, to the same result.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import genailab
from genailab.configuration import build, differences, read_yaml, to_yaml
from genailab.data import CellDataset, Split
from genailab.errors import InputError
from genailab.evaluation.scores import Score
from genailab.generative.diffusion import LatentDiffusion
from genailab.generative.vae import CountVAE, CountVAEConfig
from genailab.pipelines.run_folder import CONFIG, RunFolder, full_disk_in_one_sentence
from genailab.pipelines.single_cell_config import SingleCellConfig
from genailab.pipelines.single_cell_data import PreparedCells, prepare
from genailab.pipelines.single_cell_report import report
from genailab.pipelines.single_cell_scores import generate_like, judge
from genailab.training import History, TrainConfig, fit, seeded

__all__ = ["Result", "run"]

logger = logging.getLogger("genailab")

MODEL = "model"
SPLIT = "split.json"
FINISHED = "finished"  # a model whose training is over, in the folder of its training
LOG = "log.jsonl"

# Told the name of each stage as it starts.
Announce = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """Where a run's output is, and what it found."""

    folder: Path
    metrics: Mapping[str, Any]

    @property
    def verdict(self) -> str:
        """One or two sentences on how good the generated cells are."""
        return self.metrics["verdict"]


def run(
    config: SingleCellConfig | None = None,
    *,
    out: str | Path,
    resume: bool = False,
    overwrite: bool = False,
    announce: Announce | None = None,
    command: str = "",
) -> Result:
    """Run the whole job and write its folder.

    Parameters
    ----------
    config
        Settings; None takes the defaults or, with ``resume``, those of the run in ``out``.
    out
        Folder for ``metrics.json``, ``generated.h5ad``, ``model/``, ``config.yaml``, ``run.log``,
        ``report.html``, the split and a table with the fate of every cell.
    resume, overwrite
        Go on with the run in ``out``, or replace it.
    announce
        Told the name of each stage as it starts, and every warning.
    command
        How the run was called, for the report.

    Raises
    ------
    InputError
        If the data, the settings or the folder can't be right; the message is one sentence.
    Interrupted
        After Ctrl-C or SIGTERM in training, once the state is saved.
    """
    started = time.monotonic()
    folder = RunFolder.open(out, resume=resume, overwrite=overwrite)
    if resume:
        config = _same_settings(folder, config)
    config = config or SingleCellConfig()
    with (
        full_disk_in_one_sentence(folder.path),
        folder.log(),
        _warnings_told(announce) as told,
        _cpu_threads(config.threads),
    ):
        stage = _Stages(announce)
        stage("Reading cells")
        cells = prepare(config)
        # Only now: cells that can't be read cost nobody an earlier run and leave nothing behind.
        _check_same_split(folder, cells)
        folder.start(to_yaml(config))
        folder.write(SPLIT, cells.split.save)
        folder.write("cells.csv", lambda path: cells.split.table().to_csv(path, index=False))
        stage("Training the variational autoencoder")
        vae, vae_history = _train_vae(cells, config, folder, resume=resume)
        stage("Training the latent diffusion")
        model, diffusion_history = _train_diffusion(vae, cells, config, folder, resume=resume)
        stage("Generating cells")
        generated = _generate(model, cells, config)
        folder.write("generated.h5ad", generated.to_anndata().write_h5ad)
        stage("Judging them against held-out cells")
        scores, verdict = judge(model, cells, config)
        metrics = _metrics(cells, scores, verdict)
        folder.write_text("metrics.json", json.dumps(metrics, indent=2) + "\n")
        stage("Drawing the report")
        histories = {"Variational autoencoder": vae_history, "Latent diffusion": diffusion_history}
        page = report(
            cells, generated, histories, scores, verdict, config,
            command=command, seconds=time.monotonic() - started, resumed=resume, told=told,
        )  # fmt: skip
        folder.write_text("report.html", page)
        stage("Done")
    return Result(folder.path, metrics)


def _train_vae(
    cells: PreparedCells, config: SingleCellConfig, folder: RunFolder, *, resume: bool
) -> tuple[CountVAE, History]:
    place = folder / "training" / "vae"
    if resume and (place / FINISHED).is_dir():
        return CountVAE.from_pretrained(place / FINISHED), History.read(place / LOG)
    log_library = np.log(cells.train.library_sizes)
    settings = CountVAEConfig(
        genes=cells.train.genes,
        covariates={key: cells.train.categories[key] for key in config.data.batch_keys},
        library_log_mean=float(log_library.mean()),
        library_log_std=float(max(log_library.std(), 1e-3)),
        split_hash=cells.split.hash,
        **dataclasses.asdict(config.vae),
    )
    with seeded(config.seed):
        vae = CountVAE(settings)
    vae.start_from(cells.train.gene_shares())
    history = fit(
        vae,
        cells.train,
        cells.valid,
        _seeded_by(config.vae_training, config.seed),
        folder=place,
        resume=resume,
        title="autoencoder",
    )
    folder.write_folder(f"training/vae/{FINISHED}", vae.save_pretrained)
    return vae, history


def _train_diffusion(
    vae: CountVAE, cells: PreparedCells, config: SingleCellConfig, folder: RunFolder, *, resume: bool
) -> tuple[LatentDiffusion, History]:
    place = folder / "training" / "diffusion"
    if resume and (folder / MODEL).is_dir():
        return LatentDiffusion.from_pretrained(folder / MODEL), History.read(place / LOG)
    with seeded(config.seed):
        model = LatentDiffusion.around(
            vae.cpu(), cells.train.categories, cells.train, **dataclasses.asdict(config.diffusion)
        )
    train, valid = model.encode(cells.train), model.encode(cells.valid)
    history = fit(
        model,
        train,
        valid,
        _seeded_by(config.diffusion_training, config.seed),
        folder=place,
        resume=resume,
        title="diffusion",
    )
    model.cpu()  # drawing cells takes a second anywhere, and a CPU draws the same ones everywhere
    folder.write_folder(MODEL, model.save_pretrained)
    return model, history


def _seeded_by(training: TrainConfig, seed: int) -> TrainConfig:
    return dataclasses.replace(training, seed=training.seed + seed)


def _generate(model: LatentDiffusion, cells: PreparedCells, config: SingleCellConfig) -> CellDataset:
    """Draw new cells in the real cells' mixture of types (and batches)."""
    real = cells.used
    n = config.sampling.n_cells or real.n_cells
    # Whole rounds of the real cells, then a random part of one: the mixture is kept as nearly as n allows.
    order = np.random.default_rng(config.seed).permutation(real.n_cells)
    like = real.subset(np.sort(np.resize(order, n)))
    return generate_like(model, like, config, seed=config.seed)


def _metrics(cells: PreparedCells, scores: list[Score], verdict: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "dataset": cells.describe(),
        "split_hash": cells.split.hash,
        "scores": [score.as_dict() for score in scores],
        "verdict": verdict,
    }


@contextmanager
def _cpu_threads(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _same_settings(folder: RunFolder, config: SingleCellConfig | None) -> SingleCellConfig:
    before = build(SingleCellConfig, read_yaml(folder / CONFIG))
    if config is not None and (changed := differences(before, config)):
        raise InputError(
            f"the run in {folder.path} has other settings ({changed[0]}): resume it with its own, or start "
            "anew in another folder"
        )
    return before


def _check_same_split(folder: RunFolder, cells: PreparedCells) -> None:
    if not folder.resume or not (folder / SPLIT).is_file():
        return
    before = Split.load(folder / SPLIT).hash
    if before != cells.split.hash:
        raise InputError(
            f"the cells are not those that the run in {folder.path} began with (split "
            f"{cells.split.hash[:12]}, not {before[:12]}): restore {cells.name}, or start anew elsewhere"
        )


class _Stages:
    """Say which stage starts, to the log and to whoever watches."""

    def __init__(self, announce: Announce | None) -> None:
        self.announce = announce

    def __call__(self, name: str) -> None:
        logger.info(name)
        if self.announce is not None:
            self.announce(name)


@contextmanager
def _warnings_told(announce: Announce | None) -> Iterator[list[str]]:
    """Collect what the library warns of, for the user, log and report; others' warnings are only logged."""
    told: list[str] = []
    ours = Path(genailab.__file__).parent

    def show(message: Warning | str, category: type[Warning], filename: str, *_: Any, **__: Any) -> None:
        logger.warning(f"{message}")
        if ours in Path(filename).parents and str(message) not in told:
            told.append(str(message))
            if announce is not None:
                announce(f"Warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = show
        yield told

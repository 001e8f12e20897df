"""Quality against network evaluations for every sampler, on the demo's latent diffusion of cells.

Each sampler draws the same cells: of each held-out cell's type, five times over. Two distances: of the cells'
counts to the held-out real ones (MMD in principal components, as in the demo's report, with a bootstrap
interval over both), and of the latents to those of 1,000 DDPM steps with other noise, which sees a solver's
error long before cells do. An evaluation is a call of the network; ``adaptive_ode`` is given tolerances.

Claims: 20 steps of DPM-Solver++ are as good as 1,000 of DDPM (the bootstrap interval of the difference of
their MMDs holds 0, both resampled with the same held-out cells), and sampling is about 50 times as fast.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from cell_families import DIFFUSION_TRAINING, VAE_TRAINING, count_vae
from machine import save_result
from torch import Tensor

from genailab.data import CellDataset
from genailab.evaluation.bootstrap import Weights, bootstrap_weights, interval
from genailab.evaluation.ceiling import ceiling_rows
from genailab.evaluation.space import CellSpace
from genailab.evaluation.two_sample import Distances, maximum_mean_discrepancy, median_bandwidth
from genailab.generative.diffusion import LatentDiffusion
from genailab.generative.diffusion.samplers import SAMPLERS, Sampler, Spacing, adaptive_ode, time_grid
from genailab.pipelines.single_cell_config import SingleCellConfig
from genailab.pipelines.single_cell_data import PreparedCells, prepare
from genailab.training import fit, seeded

EVALUATIONS = (5, 10, 20, 50, 100, 250, 1000)
TOLERANCES = (0.3, 0.1, 1e-2, 1e-3, 1e-4, 1e-5)
COPIES, N_BOOTSTRAP, N_TIMED = 5, 200, 1000
# Network calls a step; Heun's last step has one.
CALLS = {"heun": 2, "predictor_corrector": 2}
# Steps even in time, which are better than any other here; Heun's second-order steps need EDM's.
SPACING: dict[str, Spacing] = {"heun": "edm", "dpm++2m, even in log-SNR": "log_snr"}


@dataclass(frozen=True, kw_only=True)
class Point:
    """One sampler at one number of network calls."""

    sampler: str
    evaluations: int
    mmd_to_real: float
    ci_low: float
    ci_high: float
    mmd_to_1000_ddpm_steps: float  # in the latent space
    cpu_seconds: float  # for all latents


class Arena:
    """The trained model, the held-out cells and what generated ones are compared with."""

    def __init__(self, model: LatentDiffusion, cells: PreparedCells) -> None:
        self.model, self.cells = model, cells
        real, generator = cells.test, np.random.default_rng(0)
        others = np.setdiff1d(np.arange(len(cells.train)), ceiling_rows(cells.train, real, generator))
        self.space = CellSpace.fit(cells.train.subset(others))
        self.real = self.space.points(real)
        self.bandwidth = median_bandwidth(Distances.of(self.real, self.real).real)
        self.codes = real.labels.codes.astype(np.int64)
        self.asked = {str(real.label_key): torch.from_numpy(np.tile(self.codes, COPIES))}
        self.calls = 0

    def latents(
        self, sampler: Sampler, n_steps: int, spacing: Spacing, *, seed: int, n: int | None = None
    ) -> tuple[Tensor, float]:
        """Return standardised latents of the asked types and the processor's seconds."""
        diffusion, generator = self.model.diffusion, torch.Generator().manual_seed(seed)
        asked = {key: values[:n] for key, values in self.asked.items()}
        denoise, self.calls = diffusion.denoiser(asked), 0

        def counted(x: Tensor, t: Tensor) -> Tensor:
            self.calls += 1
            return denoise(x, t)

        x = torch.randn(len(next(iter(asked.values()))), diffusion.config.n_dims, generator=generator)
        times = time_grid(n_steps, diffusion.schedule, spacing=spacing)
        with torch.no_grad():
            started = time.process_time()
            x = sampler(counted, x, times, diffusion.schedule, generator=generator)
            return x, time.process_time() - started

    def mmds(self, latents: Tensor) -> np.ndarray:
        """Return the MMD of decoded cells to real ones, then that of each resample ``(1 + draws,)``."""
        counts = self.model.decode(latents, self.asked, generator=torch.Generator().manual_seed(2))
        names = tuple(str(number) for number in range(len(counts)))
        genes = self.cells.test.genes
        made = CellDataset(counts=sp.csr_matrix(counts.numpy()), genes=genes, cells=names)
        generated = self.space.points(made)
        # The held-out cells' resamples are the same for every sampler.
        resample = partial(bootstrap_weights, n_bootstrap=N_BOOTSTRAP)
        weights = Weights(
            real=resample(len(self.real), generator=np.random.default_rng(3), types=self.codes),
            generated=resample(
                len(generated), generator=np.random.default_rng(4), types=np.tile(self.codes, COPIES)
            ),
        )
        distances = Distances.of(self.real, generated)
        return maximum_mean_discrepancy(distances, bandwidth=self.bandwidth, weights=weights)


def trained(cells: PreparedCells, folder: Path | None) -> LatentDiffusion:
    """Return the demo's model, from the folder of its run or trained as there."""
    if folder is not None:
        return LatentDiffusion.from_pretrained(folder / "model")
    config = SingleCellConfig()
    with seeded(config.seed):
        vae = count_vae(cells)
    fit(vae, cells.train, cells.valid, VAE_TRAINING)
    with seeded(config.seed):
        model = LatentDiffusion.around(vae, cells.train.categories, cells.train, **asdict(config.diffusion))
    fit(model, model.encode(cells.train), model.encode(cells.valid), DIFFUSION_TRAINING)
    return model


def plans() -> list[tuple[str, Sampler, int, Spacing]]:
    """Return name, sampler, number of steps and spacing of every point of the curve."""
    found: list[tuple[str, Sampler, int, Spacing]] = []
    for name in [*SAMPLERS, "dpm++2m, even in log-SNR"]:
        if name == "adaptive_ode":
            within = [partial(adaptive_ode, relative=error, absolute=error) for error in TOLERANCES]
            found += [(name, sampler, 20, "time") for sampler in within]
            continue
        sampler = SAMPLERS[name.partition(",")[0]]
        for n in EVALUATIONS:
            found.append((name, sampler, math.ceil(n / CALLS.get(name, 1)), SPACING.get(name, "time")))
    return found


def curve(arena: Arena) -> tuple[list[Point], dict[tuple[str, int], np.ndarray], float]:
    """Return the points, the resampled MMDs of each, and the noise floor of the distance to DDPM."""
    reference, _ = arena.latents(SAMPLERS["ddpm"], 1000, "time", seed=10)
    again, _ = arena.latents(SAMPLERS["ddpm"], 1000, "time", seed=11)
    x = reference.double().numpy()
    bandwidth = median_bandwidth(Distances.of(x, x).real)

    def to_reference(latents: Tensor) -> float:
        distances = Distances.of(x, latents.double().numpy())
        return float(maximum_mean_discrepancy(distances, bandwidth=bandwidth)[0])

    points, resampled = [], {}
    for name, sampler, n_steps, spacing in plans():
        latents, seconds = arena.latents(sampler, n_steps, spacing, seed=1)
        calls, values = arena.calls, arena.mmds(latents)
        resampled[name, calls] = values
        found = interval(values)
        point = Point(
            sampler=name,
            evaluations=calls,
            mmd_to_real=found.value,
            ci_low=found.low,
            ci_high=found.high,
            mmd_to_1000_ddpm_steps=to_reference(latents),
            cpu_seconds=round(seconds, 3),
        )
        points.append(point)
        print(point, flush=True)
    return points, resampled, to_reference(again)


def claim(arena: Arena, resampled: dict[tuple[str, int], np.ndarray]) -> dict[str, Any]:
    """Compare 20 steps of DPM-Solver++ with 1,000 of DDPM: MMD with its interval, and seconds."""
    few, many = resampled["dpm++2m", 20], resampled["ddpm", 1000]
    difference, of_many = interval(few - many), interval(many)
    seconds = {
        name: best_of(lambda s=sampler, n=steps: arena.latents(s, n, "time", seed=5, n=N_TIMED)[1])
        for name, sampler, steps in (
            ("dpm++2m, 20", SAMPLERS["dpm++2m"], 20),
            ("ddpm, 1000", SAMPLERS["ddpm"], 1000),
        )
    }
    asked = {key: values[:N_TIMED] for key, values in arena.asked.items()}
    latents = arena.latents(SAMPLERS["dpm++2m"], 20, "time", seed=5, n=N_TIMED)[0]

    def decode() -> float:
        started = time.process_time()
        arena.model.decode(latents, asked, generator=torch.Generator().manual_seed(0))
        return time.process_time() - started

    decoding = best_of(decode)
    few_seconds, many_seconds = seconds.values()
    return {
        "mmd_of_20_dpm_solver_steps": float(few[0]),
        "mmd_of_1000_ddpm_steps": asdict(of_many),
        "difference": asdict(difference),
        "as_good": bool(difference.low <= 0 <= difference.high and of_many.low <= few[0] <= of_many.high),
        "cpu_seconds_per_1000_latents": seconds | {"decoding": decoding},
        "times_faster": many_seconds / few_seconds,
        "times_faster_with_decoding": (many_seconds + decoding) / (few_seconds + decoding),
    }


def best_of(measure: Callable[[], float], *, rounds: int = 3) -> float:
    """Return the least of a few measurements: what disturbs one only adds."""
    return min(measure() for _ in range(rounds))


def draw(points: list[Point], floor: float, many: dict[str, float], place: Path) -> None:
    """Draw both distances against the number of network calls."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "genailab", "font.size": 9})
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    noise = abs(floor)  # unbiased, so about as often below 0 as above
    for number, name in enumerate(dict.fromkeys(point.sampler for point in points)):
        own = sorted((p for p in points if p.sampler == name), key=lambda p: p.evaluations)
        calls = [p.evaluations for p in own]
        style = {"marker": "osv^D<>Pp"[number], "ms": 4, "lw": 1.3, "color": f"C{number}", "label": name}
        left.plot(calls, [p.mmd_to_real for p in own], **style)
        right.plot(calls, [max(p.mmd_to_1000_ddpm_steps, noise / 2) for p in own], **style)
    left.axhspan(many["low"], many["high"], color="0.9", zorder=0)
    left.set(xscale="log", ylabel="MMD to held-out cells", xlabel="network evaluations")
    left.set_ylim(many["low"] - 0.001, many["high"] + 0.004)
    left.set_title("grey: 95% interval of 1,000 DDPM steps", fontsize=9)
    right.axhspan(noise / 3, noise, color="0.9", zorder=0)
    right.set_ylim(bottom=noise / 3)
    right.set_title("grey: as far as another run of 1,000 DDPM steps, or less", fontsize=9)
    right.set(xscale="log", yscale="log", xlabel="network evaluations")
    right.set_ylabel("MMD of latents to 1,000 DDPM steps")
    right.legend(frameon=False, fontsize=7)
    place.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(place, metadata={"Date": None})


def main() -> None:
    """Measure, draw and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="folder of a finished genailab demo; trained anew without")
    parser.add_argument("--figure", type=Path, help="where to draw the curves, an .svg")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells = prepare(SingleCellConfig())
    arena = Arena(trained(cells, options.run).eval(), cells)
    points, resampled, floor = curve(arena)
    found = claim(arena, resampled)
    if options.figure is not None:
        draw(points, floor, found["mmd_of_1000_ddpm_steps"], options.figure)
    save_result(
        "sampler_quality",
        {
            "cells": len(arena.codes) * COPIES,
            "held_out": len(arena.codes),
            "claim": found,
            "mmd_between_two_runs_of_1000_ddpm_steps": floor,
            "points": [asdict(point) for point in points],
        },
    )


if __name__ == "__main__":
    main()

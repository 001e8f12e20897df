"""What the sampling loop costs beside the network, and its steps beside those of diffusers' schedulers.

The network is the demo's: a residual perceptron 256 wide and 4 deep on 13 dimensions (12 latent ones and the
library size), for 256 cells. Its own time is that of as many bare calls. In the second comparison nothing
but the steps is timed: the "network" returns a tensor made before, so that both sides do only their
arithmetic; ours gives the data, theirs the noise, as each wants it. All take turns in an order that changes,
and ratios are those within a round.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from machine import save_result

from genailab.generative.diffusion import GaussianDiffusion, GaussianDiffusionConfig
from genailab.generative.diffusion.samplers import ddim, ddpm, dpm_solver_2m, euler, heun, time_grid
from genailab.generative.diffusion.schedules import make_schedule

N_CELLS, N_DIMS, N_STEPS = 256, 13, 20
ROUNDS, REPEATS = 10, 1

SAMPLERS: dict[str, Callable[..., torch.Tensor]] = {
    "dpm++2m": dpm_solver_2m,
    "ddim": ddim,
    "ddpm": ddpm,
    "euler": euler,
    "heun": heun,
}


@torch.no_grad()
def main() -> None:
    torch.set_num_threads(1)
    overhead, network = measure_overhead()
    throughput = measure_steps()
    save_result(
        "sampling_loop",
        {
            "cells": N_CELLS,
            "dimensions": N_DIMS,
            "steps": N_STEPS,
            "rounds": ROUNDS,
            "sampling_over_network_alone": overhead,
            "network_microseconds_a_call": network,
            # Steps with nothing to wait for over calls with no loop: far less noise than the ratio above.
            "loop_over_network": {
                name: throughput["seconds"][name]["median"] / (calls_a_step(name) * network["median"])
                for name in SAMPLERS
            },
            "microseconds_a_step": throughput["seconds"],
            "diffusers_over_ours": throughput["ratios"],
        },
        packages=("diffusers", "numpy"),
    )


def calls_a_step(name: str) -> float:
    return 2 - 1 / N_STEPS if name == "heun" else 1


def measure_overhead() -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Return how many times the network's own seconds a whole sampling run takes, and those of a call."""
    model = GaussianDiffusion(GaussianDiffusionConfig(n_dims=N_DIMS)).eval()
    schedule, denoiser = model.schedule, model.denoiser()
    times, x = time_grid(N_STEPS, schedule, spacing="log_snr"), torch.randn(N_CELLS, N_DIMS)

    def bare(n_calls: int) -> None:
        for i in range(n_calls):
            model.network(x, times[i % N_STEPS], None)

    runs: dict[str, Callable[[], Any]] = {"network": lambda: bare(N_STEPS)}
    for name, sampler in SAMPLERS.items():
        # A denoiser that only calls the network: the loop alone.
        runs[f"{name}, loop"] = lambda s=sampler: s(
            lambda x, t: model.network(x, t, None), x, times, schedule
        )
        # The model's own, which also turns the network's prediction into data.
        runs[f"{name}, loop and prediction"] = lambda s=sampler: s(denoiser, x, times, schedule)
    seconds = alternate(runs)
    overhead = {
        name: spread(
            [
                mine / (other * calls_a_step(name.partition(",")[0]))
                for mine, other in zip(values, seconds["network"], strict=True)
            ]
        )
        for name, values in seconds.items()
        if name != "network"
    }
    return overhead, spread([value / N_STEPS * 1e6 for value in seconds["network"]])


def measure_steps() -> dict[str, dict[str, dict[str, float]]]:
    """Return the microseconds of a step, ours and theirs, and their ratio."""
    import diffusers

    output, x = torch.randn(N_CELLS, N_DIMS), torch.randn(N_CELLS, N_DIMS)
    schedule = make_schedule("linear")
    times = time_grid(N_STEPS, schedule)
    theirs = {
        "dpm++2m": diffusers.DPMSolverMultistepScheduler(final_sigmas_type="zero"),
        "ddim": diffusers.DDIMScheduler(clip_sample=False),
        "ddpm": diffusers.DDPMScheduler(clip_sample=False),
        "euler": diffusers.EulerDiscreteScheduler(),
        "heun": diffusers.HeunDiscreteScheduler(),
    }

    def run_theirs(scheduler: Any) -> None:
        scheduler.set_timesteps(N_STEPS)
        sample = x
        for step in scheduler.timesteps:
            sample = scheduler.step(output, step, scheduler.scale_model_input(sample, step)).prev_sample

    runs: dict[str, Callable[[], Any]] = {}
    for name, sampler in SAMPLERS.items():
        runs[name] = lambda s=sampler: s(lambda x, t: output, x, times, schedule)
        runs[f"{name} diffusers"] = lambda s=theirs[name]: run_theirs(s)
    seconds = alternate(runs)
    return {
        "seconds": {name: spread([v / N_STEPS * 1e6 for v in values]) for name, values in seconds.items()},
        "ratios": {
            name: spread([t / o for t, o in zip(seconds[f"{name} diffusers"], seconds[name], strict=True)])
            for name in SAMPLERS
        },
    }


def alternate(runs: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Return the processor's seconds of each run in each round: the best of a few, in turns."""
    order = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for run in runs.values():
            run()
        for _ in range(ROUNDS):
            best = dict.fromkeys(runs, float("inf"))
            for _ in range(REPEATS):
                for name in order.permutation(list(runs)):
                    began = time.process_time()
                    runs[name]()
                    best[name] = min(best[name], time.process_time() - began)
            for name, value in best.items():
                seconds[name].append(value)
    return seconds


def spread(values: list[float]) -> dict[str, float]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


if __name__ == "__main__":
    main()

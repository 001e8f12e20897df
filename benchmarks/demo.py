"""The demo: wall time, memory, and whether the diffusion beats the simple baselines, for several seeds.

A seed decides the split, the first weights, the training and the drawn cells: the spread over seeds is that
of the whole job.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import save_result

MUST_WIN = ("MMD", "energy distance", "discriminator AUROC")
BASELINES = ("independent NB", "Gaussian copula")


def run_demo(seed: int, folder: Path) -> dict[str, Any]:
    """Return wall seconds, peak memory in GB, the scores that matter by subject, and who wins."""
    program = Path(sys.executable).with_name("genailab")
    started = time.perf_counter()
    process = subprocess.Popen(
        [program, "demo", "--out", folder / str(seed), "--seed", str(seed)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"the demo failed with seed {seed}")
    metrics = json.loads((folder / str(seed) / "metrics.json").read_text())
    scores: dict[str, dict[str, float]] = {}
    for score in metrics["scores"]:
        if score["metric"] in MUST_WIN:
            scores.setdefault(score["metric"], {})[score["subject"]] = round(score["value"], 5)
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "memory_gb": round(usage.ru_maxrss / 1e6, 2),
        "scores": scores,
        "wins": {
            metric: all(
                _badness(metric, found["latent diffusion"]) < _badness(metric, found[name])
                for name in BASELINES
            )
            for metric, found in scores.items()
        },
        "verdict": metrics["verdict"],
    }


def _badness(metric: str, value: float) -> float:
    return abs(value - 0.5) if metric == "discriminator AUROC" else value


def main() -> None:
    """Run the demo for each seed, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for seed in parser.parse_args().seeds:
            rows.append(run_demo(seed, Path(folder)))
            print(json.dumps(rows[-1]), flush=True)
    save_result("demo", {"runs": rows})


if __name__ == "__main__":
    main()

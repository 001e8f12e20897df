"""In-silico mutagenesis of 3-layer CNNs over 1 kb beside tangermeme's plain ISM: one thread, taking turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from machine import save_result
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from torch import Tensor, nn

from genailab.data.sequences.encoding import one_hot
from genailab.interpret import in_silico_mutagenesis

LENGTH, TURNS = 1000, 5


def network(*, pool: int, head: str) -> nn.Module:
    """64 filters of 15, then two layers of 64 filters of 5; pooled by 4 after the first two layers or not."""
    pools = [[nn.MaxPool1d(pool)] if pool > 1 else [] for _ in range(2)]
    reduced = LENGTH // pool**2
    collect = [nn.Flatten()] if head == "flatten" else [nn.AdaptiveMaxPool1d(1), nn.Flatten()]
    return nn.Sequential(
        nn.Conv1d(4, 64, 15, padding=7), nn.ReLU(), *pools[0],
        nn.Conv1d(64, 64, 5, padding=2), nn.ReLU(), *pools[1],
        nn.Conv1d(64, 64, 5, padding=2), nn.ReLU(), *collect,
        nn.Linear(64 * reduced if head == "flatten" else 64, 32), nn.ReLU(), nn.Linear(32, 1),
    ).eval()  # fmt: skip


def theirs(model: nn.Module, x: Tensor) -> Tensor:
    before, after = saturation_mutagenesis(model, x, raw_outputs=True, fast=False, device="cpu")
    return after[..., 0] - before[:, None, None, 0]


def ours(model: nn.Module, x: Tensor) -> Tensor:
    return in_silico_mutagenesis(model, x).effects


def seconds(
    method: Callable[[nn.Module, Tensor], Tensor], model: nn.Module, x: Tensor
) -> tuple[float, Tensor]:
    started = time.perf_counter()
    found = method(model, x)
    return time.perf_counter() - started, found


def compare(model: nn.Module, x: Tensor) -> dict[str, object]:
    ours(model, x)  # warm
    pairs, gap = [], 0.0
    for _ in range(TURNS):
        (their_time, their_effects), (our_time, our_effects) = (seconds(m, model, x) for m in (theirs, ours))
        pairs.append((their_time, our_time))
        gap = max(gap, (their_effects - our_effects).abs().max().item())
    ratios = sorted(their_time / our_time for their_time, our_time in pairs)
    return {
        "tangermeme plain, seconds": statistics.median(pair[0] for pair in pairs),
        "genailab, seconds": statistics.median(pair[1] for pair in pairs),
        "times faster": {"min": ratios[0], "median": statistics.median(ratios), "max": ratios[-1]},
        "largest difference": gap,
    }


def main() -> None:
    """Compare both on three networks of the same layers."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = one_hot(torch.randint(0, 4, (1, LENGTH), dtype=torch.uint8))
    result = {
        f"pool {pool}, {head}": compare(network(pool=pool, head=head), x)
        for pool, head in ((4, "flatten"), (4, "global max"), (1, "global max"))
    }
    save_result(
        "mutagenesis_speed", {"length": LENGTH, "turns": TURNS, "networks": result}, packages=("tangermeme",)
    )


if __name__ == "__main__":
    main()

"""Do the filters of a trained network look for a known factor? With the controls that the question needs.

A matrix with hardly any information matches JASPAR's long CTCF matrices (31 and 33 columns, many of them
flat) with e-values of 1e-10, ours and memelite's alike: TomTom takes columns for independent, and flat
columns come in rows. So uninformative ends are cut off, a match has to beat shuffles of the filter's own
columns, which keep each column and lose the motif, and a network that was never trained is judged beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genailab.data.motifs.motif import Motif
from genailab.data.motifs.motif_match import match_motifs
from genailab.interpret.filters import filters_to_motifs
from genailab.models.motif_cnn import MotifCNN
from genailab.nn.model import Batch

__all__ = ["belongs", "importance", "learned_motifs"]

SIGNIFICANT = 0.05  # largest e-value of a match
N_SHUFFLES = 20  # so that beating all of them has a probability of 1 / 21
MIN_BITS = 0.25  # of the outermost columns that are kept
MIN_COLUMNS = 4


def learned_motifs(
    model: MotifCNN, peaks: Tensor, batch: Batch, jaspar: Sequence[Motif], *, factor: str
) -> dict[str, Any]:
    """Match every filter with JASPAR, the ten most important ones in full.

    Parameters
    ----------
    model
        The trained network.
    peaks
        Codes ``(n, length)`` of held-out peaks, in which the filters' sites are counted.
    batch
        Held-out rows with ``codes`` and ``target``, by which filters are ranked.
    jaspar
        Known motifs.
    factor
        ``"ctcf"`` or ``"pu1"``.
    """
    gains = importance(model, batch)
    motifs = filters_to_motifs(model, peaks)
    ranked = [describe(motifs[number], jaspar) for number in np.argsort(-gains)]
    for row, number in zip(ranked, np.argsort(-gains), strict=True):
        row["importance"] = round(float(gains[number]), 5)
    torch.manual_seed(0)
    untrained = filters_to_motifs(MotifCNN(model.config), peaks)
    return {
        "trained": count(ranked, factor),
        "untrained, as a control": count([describe(motif, jaspar) for motif in untrained], factor),
        "by_importance": ranked[:10],
    }


@torch.no_grad()
def importance(model: MotifCNN, batch: Batch) -> np.ndarray:
    """How much the loss rises when a filter's matches are those of other sequences, ``(n_filters,)``.

    Swapped, not set to zero: a filter that is the same everywhere is a bias, and tells nothing.
    """
    model.eval()
    others = torch.randperm(len(batch["codes"]), generator=torch.Generator().manual_seed(0))
    swapped = torch.zeros(model.config.n_filters, 1, dtype=torch.bool)

    def swap(_module: torch.nn.Module, _inputs: Any, matches: Tensor) -> Tensor:
        return torch.where(swapped, matches[others], matches)

    unchanged = model.loss(batch).total.item()
    losses = np.zeros(len(swapped))
    handle = model.detectors[-1].register_forward_hook(swap)
    for number in range(len(swapped)):
        swapped[number] = True
        losses[number] = model.loss(batch).total.item()
        swapped[number] = False
    handle.remove()
    return losses - unchanged


def describe(motif: Motif, jaspar: Sequence[Motif]) -> dict[str, Any]:
    """Name the best match of a filter, and whether it stands up to shuffles of the filter's columns."""
    core = informative(motif)
    if core is None:
        return {"filter": motif.name, "sites": int(motif.n_sites), "matches": False, "by_e_value": False}
    best = match_motifs(core, jaspar).iloc[0]
    by_e_value = bool(best["e_value"] < SIGNIFICANT)
    return {
        "filter": motif.name,
        "sites": int(motif.n_sites),
        "consensus": core.consensus,
        "bits": round(float(core.information().sum()), 1),
        "best_match": best["motif"],
        "matrix_id": best["matrix_id"],
        "family": best["family"],
        "e_value": float(f"{best['e_value']:.2g}"),
        "by_e_value": by_e_value,
        "matches": by_e_value and bool(best["e_value"] < best_of_shuffles(core, jaspar)),
    }


def informative(motif: Motif) -> Motif | None:
    """Cut off the ends that say nothing; None where next to nothing is left."""
    if motif.n_sites == 0:
        return None
    if (motif.information() >= MIN_BITS).sum() < MIN_COLUMNS:
        return None
    return motif.trimmed(min_bits=MIN_BITS)


def best_of_shuffles(motif: Motif, jaspar: Sequence[Motif]) -> float:
    """Return the lowest e-value that the motif's columns reach in another order."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(motif)) for _ in range(N_SHUFFLES)]
    return min(
        float(match_motifs(replace(motif, counts=motif.counts[:, order]), jaspar)["e_value"].iloc[0])
        for order in orders
    )


def belongs(match: dict[str, Any], factor: str) -> bool:
    """Whether a match is the factor's: CTCF itself, or for PU.1 any factor of the ETS family."""
    if not match["matches"]:
        return False
    return bool(match["best_match"] == "CTCF" if factor == "ctcf" else "Ets-related" in match["family"])


def count(rows: Sequence[dict[str, Any]], factor: str) -> dict[str, int]:
    return {
        "filters": len(rows),
        "with a motif": sum("best_match" in row for row in rows),
        "match by e-value alone": sum(row["by_e_value"] for row in rows),
        "match": sum(row["matches"] for row in rows),
        "match the factor": sum(belongs(row, factor) for row in rows),
    }

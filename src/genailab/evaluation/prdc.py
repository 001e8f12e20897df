"""Precision, recall, density and coverage from neighbourhoods of cells.

Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models", equations 2 to 5;
precision and recall as in Kynkaanniemi et al. 2019.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights
from genailab.evaluation.two_sample import Distances

__all__ = ["neighbourhood_radii", "prdc"]


def prdc(distances: Distances, *, k: int = 5, weights: Weights | None = None) -> dict[str, FloatArray]:
    """How realistic generated cells are (precision, density), and how varied (recall, coverage).

    A cell's neighbourhood is the ball that reaches its ``k``-th nearest cell of its own set.

    - precision: share of generated cells in a real cell's neighbourhood;
    - recall: share of real cells in a generated cell's neighbourhood;
    - density: real neighbourhoods around a generated cell, divided by ``k``;
    - coverage: share of real cells with a generated cell in their neighbourhood.

    Parameters
    ----------
    distances
        Within and between the samples.
    k
        Neighbours that make a neighbourhood.
    weights
        Resamples of the cells, whose neighbourhoods stay as they are; a single value each without.

    Returns
    -------
    ``(draws,)`` by metric name.

    Raises
    ------
    InputError
        If a set has fewer than ``k + 1`` cells.
    """
    weights = weights or Weights.once(*distances.between.shape)
    real_radii = neighbourhood_radii(distances.real, k=k, name="real")[:, None]
    generated_radii = neighbourhood_radii(distances.generated, k=k, name="generated")[None, :]
    inside_real = distances.between < real_radii  # (real, generated)
    inside_generated = distances.between < generated_radii
    return {
        "precision": _mean(np.any(inside_real, axis=0), weights.generated),
        "recall": _mean(np.any(inside_generated, axis=1), weights.real),
        "density": _mean(np.sum(inside_real, axis=0) / k, weights.generated),
        "coverage": _mean(np.any(inside_real, axis=1), weights.real),
    }


def neighbourhood_radii(within: FloatArray, *, k: int, name: str = "") -> FloatArray:
    """Distance of each cell to its ``k``-th nearest other: ``(cells,)`` from ``(cells, cells)``."""
    if len(within) < k + 1:
        raise InputError(
            f"neighbourhoods of {k} cells need at least {k + 1} {name} cells, got {len(within)}: compare "
            "more cells or lower n_neighbours"
        )
    return np.partition(within, k, axis=1)[:, k]  # place 0 is the cell itself


def _mean(per_cell: ArrayLike, weights: FloatArray) -> FloatArray:
    return weights @ np.asarray(per_cell, dtype=np.float64) / weights.sum(axis=1)

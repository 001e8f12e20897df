"""Whether generated cells are copies of training cells.

Meehan et al. 2020, "A non-parametric test to detect data-copying in generative models": copies lie nearer to
the training set than fresh samples of the same distribution do.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import pairwise_distances_argmin_min

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights, weighted_median

__all__ = ["nearest_distances", "nearest_ratio"]


def nearest_distances(cells: FloatArray, training: FloatArray) -> FloatArray:
    """Distance of each of ``cells (n, dims)`` to the nearest of ``training (m, dims)``: ``(n,)``."""
    if not len(training):
        raise InputError("there is no training cell to be near to: pass the cells the model was trained on")
    return np.asarray(pairwise_distances_argmin_min(cells, training)[1], dtype=np.float64)


def nearest_ratio(real: FloatArray, generated: FloatArray, weights: Weights | None = None) -> FloatArray:
    """Median of the generated cells' nearest distances over that of the held-out real cells': ``(draws,)``.

    1 is what fresh real cells have; 0 is copies. Cells that are too average lie near the training set as
    well, and cells with too much noise far from it, so the ratio accuses only together with good other
    scores.

    Parameters
    ----------
    real, generated
        `nearest_distances` of the held-out real cells ``(n,)`` and of the generated ones ``(m,)``.
    weights
        Resamples of the cells; a single value without.

    Raises
    ------
    InputError
        If half of the held-out real cells lie exactly on training cells.

    Examples
    --------
    >>> nearest_ratio(np.array([2.0, 4.0]), np.array([0.0, 3.0]))
    array([0.5])
    """
    weights = weights or Weights.once(len(real), len(generated))
    if np.median(real) == 0:
        raise InputError(
            f"half of the {len(real)} held-out real cells are identical to training cells: look for "
            "duplicated cells, and split again without them"
        )
    floor = np.min(real[real > 0])  # a resample of the few duplicates alone must not divide by 0
    return weighted_median(generated, weights.generated) / np.maximum(
        weighted_median(real, weights.real), floor
    )

"""A random forest that tries to tell generated from real cells it was not trained on.

Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests".
"""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.bootstrap import Weights

__all__ = ["auroc", "out_of_fold_scores", "stratified_folds"]


def out_of_fold_scores(
    real: FloatArray,
    generated: FloatArray,
    *,
    real_types: IntArray | None = None,
    generated_types: IntArray | None = None,
    n_folds: int = 5,
    n_trees: int = 100,
    seed: int = 0,
) -> tuple[FloatArray, FloatArray]:
    """Probability of being generated, of real ``(n,)`` and generated cells ``(m,)``, out of fold.

    Parameters
    ----------
    real, generated
        Points of the same space, ``(n, dims)`` and ``(m, dims)``.
    real_types, generated_types
        Codes of the cell types, shared by both. Folds then hold the same types of both origins: otherwise a
        type that one fold lacks would tell the forest where the left-out cells come from.
    n_folds, n_trees, seed
        Folds, trees a forest, and the seed of folds and forests.

    Raises
    ------
    InputError
        If there are fewer cells of an origin than folds.
    """
    if min(len(real), len(generated)) < n_folds:
        raise InputError(
            f"{n_folds} folds need at least {n_folds} cells of each origin, got {len(real)} real and "
            f"{len(generated)} generated: compare more cells"
        )
    generator = np.random.default_rng(seed)
    folds = np.concatenate(
        [
            stratified_folds(_codes(real_types, len(real)), n_folds=n_folds, generator=generator),
            stratified_folds(_codes(generated_types, len(generated)), n_folds=n_folds, generator=generator),
        ]
    )
    cells = np.concatenate([real, generated])
    is_generated = np.arange(len(cells)) >= len(real)
    scores = np.empty(len(cells))
    for fold in range(n_folds):
        held_out = folds == fold
        forest = RandomForestClassifier(n_trees, random_state=seed + fold, n_jobs=1)
        forest.fit(cells[~held_out], is_generated[~held_out])
        scores[held_out] = forest.predict_proba(cells[held_out])[:, 1]
    return scores[: len(real)], scores[len(real) :]


def auroc(
    real_scores: FloatArray, generated_scores: FloatArray, weights: Weights | None = None
) -> FloatArray:
    """Probability that a generated cell scores above a real one, ties counting half: ``(draws,)``.

    Mann & Whitney 1947. 0.5 when the scores say nothing, 1 when they separate the two.

    Examples
    --------
    >>> auroc(np.array([0.1, 0.4]), np.array([0.4, 0.9]))
    array([0.875])
    """
    weights = weights or Weights.once(len(real_scores), len(generated_scores))
    order = np.argsort(real_scores)
    ranked = real_scores[order]
    below = np.searchsorted(ranked, generated_scores, side="left")
    at_most = np.searchsorted(ranked, generated_scores, side="right")
    seen = np.cumsum(np.pad(weights.real[:, order], ((0, 0), (1, 0))), axis=1)  # (draws, n + 1)
    won = (seen[:, below] + seen[:, at_most]) / 2  # real cells that each generated one beats, (draws, m)
    return np.einsum("bj,bj->b", won, weights.generated) / (
        weights.real.sum(axis=1) * weights.generated.sum(axis=1)
    )


def stratified_folds(types: IntArray, *, n_folds: int, generator: np.random.Generator) -> IntArray:
    """Fold of each cell, ``(cells,)``: each type, and the whole, is spread as evenly as can be.

    Examples
    --------
    >>> folds = stratified_folds(np.array([0] * 6 + [1] * 3), n_folds=3, generator=np.random.default_rng(0))
    >>> np.bincount(folds[:6]), np.bincount(folds[6:])
    (array([2, 2, 2]), array([1, 1, 1]))
    """
    order = np.lexsort([generator.random(len(types)), types])
    folds = np.empty(len(types), dtype=np.int64)
    folds[order] = np.arange(len(types)) % n_folds
    return folds


def _codes(types: IntArray | None, n_cells: int) -> IntArray:
    return np.zeros(n_cells, dtype=np.int64) if types is None else types

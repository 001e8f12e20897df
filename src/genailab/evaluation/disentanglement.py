"""How well each dimension of a latent space stands for one known factor: MIG, DCI and SAP.

All take latents ``(n, n_latent)`` (posterior means) and factors ``(n, n_factors)`` that are known because the
data were simulated or annotated; each score is 1 where every factor has a dimension of its own, and near 0
where the dimensions are rotated or tell nothing. Without an inductive bias or labels disentanglement cannot
be learned (Locatello et al. 2019, "Challenging Common Assumptions"): read the scores beside several seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray

__all__ = ["DCI", "dci", "mig", "sap"]

# A factor with more values than this is continuous, unless it is made of names.
MOST_CATEGORIES = 20


def mig(latents: ArrayLike, factors: ArrayLike, *, n_bins: int = 20) -> float:
    """Return the mutual information gap, in [0, 1].

    For each factor, how much more the best dimension tells of it than the second best, as a share of the
    factor's entropy: ``mean_k (I(z_best; v_k) - I(z_second; v_k)) / H(v_k)``. Chen et al. 2018, "Isolating
    Sources of Disentanglement in VAEs", equation 6; mutual information between bins, as Locatello et al.
    2019 measure it, with the Miller-Madow correction, so that a dimension that tells nothing counts as
    telling nothing.

    Parameters
    ----------
    latents
        ``(n, n_latent)``, at least two dimensions.
    factors
        ``(n, n_factors)``: whole numbers or floats.
    n_bins
        Bins of equal width, for latents and for continuous factors.

    Raises
    ------
    InputError
        If the rows differ in number or are too few, a value is not finite, or a factor never changes.

    Examples
    --------
    >>> factors = np.stack(np.meshgrid(np.arange(5), np.arange(5)), axis=-1).reshape(-1, 2).repeat(20, axis=0)
    >>> mig(2.0 * factors, factors)
    1.0
    """
    z, v = _checked(latents, factors)
    if n_bins < 2:
        raise InputError(f"n_bins is {n_bins}: it must be at least 2")
    binned = [_bins(column, n_bins) for column in z.T]
    gaps = []
    for column in v.T:
        labels = np.unique(column, return_inverse=True)[1] if _is_discrete(column) else _bins(column, n_bins)
        told = sorted(_mutual_information(bins, labels) for bins in binned)
        gaps.append((told[-1] - told[-2]) / _entropy(labels))
    return float(np.clip(np.mean(gaps), 0.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class DCI:
    """Scores of Eastwood & Williams and the importances that they are made of."""

    disentanglement: float  # a dimension tells of one factor
    completeness: float  # a factor is told by one dimension
    informativeness: float  # how well held-out rows are predicted: R^2, or balanced accuracy above chance
    importance: FloatArray = field(repr=False)  # (n_latent, n_factors), columns sum to 1


def dci(latents: ArrayLike, factors: ArrayLike, *, seed: int = 0, n_trees: int = 50) -> DCI:
    """Return disentanglement, completeness and informativeness.

    A random forest for each factor says how important each dimension is, R ``(n_latent, n_factors)``.
    Disentanglement is ``sum_i rho_i (1 - H_K(R_i))``, an entropy over factors in units of log K, weighted by
    the dimension's share of all importance; completeness ``mean_j (1 - H_D(R_j))``, an entropy over
    dimensions. Eastwood & Williams 2018, "A Framework for the Quantitative Evaluation of Disentangled
    Representations", sections 2.1 and 2.2. Of the paper's two predictors the forest: where there is nothing
    to tell, it shares the importance out evenly, while the few weights that the lasso leaves look
    disentangled.

    Parameters
    ----------
    latents
        ``(n, n_latent)``, at least two dimensions.
    factors
        ``(n, n_factors)``, at least two.
    seed
        Of the split in training and held-out rows (80 to 20), and of the forests.
    n_trees
        Of each forest.

    Raises
    ------
    InputError
        As `mig`, and if there is one factor alone.
    """
    z, v = _checked(latents, factors)
    if v.shape[1] < 2:
        raise InputError("DCI compares factors with each other, got 1: give at least 2, or use mig or sap")
    columns, scores = [], []
    for column in v.T:
        importance, score = _importance(z, column, seed=seed, n_trees=n_trees)
        columns.append(importance)
        scores.append(score)
    importance = np.stack(columns, axis=1)  # (n_latent, n_factors)
    share_of_all = importance.sum(axis=1) / max(importance.sum(), 1e-12)
    return DCI(
        disentanglement=float(share_of_all @ (1 - _relative_entropy(importance))),
        completeness=float(np.mean(1 - _relative_entropy(importance.T))),
        informativeness=float(np.mean(scores)),
        importance=importance,
    )


def sap(latents: ArrayLike, factors: ArrayLike, *, seed: int = 0) -> float:
    """Return the separated attribute predictability, in [0, 1].

    For each factor the gap between the two dimensions that predict it best alone: R^2 of a line for a
    continuous factor, balanced accuracy of thresholds for a discrete one, on held-out rows. Kumar et al.
    2018, "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations", section 3.
    Accuracy is counted above chance, ``(accuracy - 1/K) / (1 - 1/K)``, so that both kinds of factor reach 1.

    Parameters
    ----------
    latents
        ``(n, n_latent)``, at least two dimensions.
    factors
        ``(n, n_factors)``.
    seed
        Of the split in training and held-out rows (half each), for discrete factors.

    Raises
    ------
    InputError
        As `mig`.
    """
    z, v = _checked(latents, factors)
    gaps = []
    for column in v.T:
        scores = sorted(_predictability(latent, column, seed=seed) for latent in z.T)
        gaps.append(scores[-1] - scores[-2])
    return float(np.mean(gaps))


def _checked(latents: ArrayLike, factors: ArrayLike) -> tuple[FloatArray, FloatArray]:
    z, v = np.asarray(latents, dtype=np.float64), np.asarray(factors)
    if v.dtype.kind not in "biuf":
        v = np.stack([np.unique(column, return_inverse=True)[1] for column in v.T], axis=1)
    if z.ndim != 2 or v.ndim != 2 or len(z) != len(v):
        raise InputError(
            f"latents {z.shape} and factors {v.shape} do not fit: give (n, n_latent) and (n, n_factors) of "
            "the same rows"
        )
    if z.shape[1] < 2:
        raise InputError(f"the scores compare dimensions, got {z.shape[1]}: give at least 2")
    if len(z) < 20:
        raise InputError(f"the scores need rows to learn from and rows to test on, got {len(z)}: give 20")
    v = v.astype(np.float64)
    for name, values in (("latents", z), ("factors", v)):
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            row, column = bad[0]
            raise InputError(
                f"{name} hold {values[row, column]} in row {row}, column {column}: leave out such rows"
            )
    for k, column in enumerate(v.T):
        if np.ptp(column) == 0:
            raise InputError(f"factor {k} is {column[0]:g} in every row: leave it out, nothing can tell it")
    return z, v


def _is_discrete(factor: FloatArray) -> bool:
    return len(np.unique(factor)) <= MOST_CATEGORIES


def _bins(values: FloatArray, n_bins: int) -> IntArray:
    edges = np.linspace(values.min(), values.max(), n_bins + 1)[1:-1]
    return np.digitize(values, edges)


def _entropy(labels: IntArray) -> float:
    counts = np.bincount(labels)
    shares = counts[counts > 0] / len(labels)
    return float(-(shares * np.log(shares)).sum())


def _mutual_information(x: IntArray, y: IntArray) -> float:
    joint = np.zeros((x.max() + 1, y.max() + 1))
    np.add.at(joint, (x, y), 1)
    shares = joint / len(x)
    product = shares.sum(axis=1, keepdims=True) * shares.sum(axis=0, keepdims=True)
    seen = shares > 0
    plain = float((shares[seen] * np.log(shares[seen] / product[seen])).sum())
    # Plug-in entropies lie too low by (bins - 1) / 2n each. Where the joint has no more cells than the
    # coarser side has bins, one tells the other exactly and there is nothing to correct.
    n_x, n_y = (int((shares.sum(axis=axis) > 0).sum()) for axis in (1, 0))
    excess = max(0, int(seen.sum()) - n_x - n_y + 1)
    return max(0.0, plain - excess / (2 * len(x)))


def _relative_entropy(importance: FloatArray) -> FloatArray:
    """Entropy of each row's shares in units of the log of their number; 1 for a row of zeros."""
    total = importance.sum(axis=1, keepdims=True)
    n = importance.shape[1]
    shares = np.where(total > 0, importance / np.maximum(total, 1e-300), 1 / n)
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    return -(shares * logs).sum(axis=1) / np.log(n)


def _importance(z: FloatArray, factor: FloatArray, *, seed: int, n_trees: int) -> tuple[FloatArray, float]:
    """Return each dimension's share of what is told of the factor, and the score on held-out rows."""
    discrete = _is_discrete(factor)
    target = np.unique(factor, return_inverse=True)[1] if discrete else factor
    z_train, z_test, train, test = train_test_split(z, target, test_size=0.2, random_state=seed)
    kind = RandomForestClassifier if discrete else RandomForestRegressor
    # Every split sees every dimension: one that had to use another would make that look important.
    forest = kind(n_trees, max_features=None, min_samples_leaf=5, random_state=seed).fit(z_train, train)
    predicted = forest.predict(z_test)
    score = _above_chance(test, predicted) if discrete else r2_score(test, predicted)
    importance = forest.feature_importances_
    return importance / max(float(importance.sum()), 1e-300), float(score)


def _predictability(latent: FloatArray, factor: FloatArray, *, seed: int) -> float:
    if latent.std() == 0:
        return 0.0
    if not _is_discrete(factor):
        return float(np.corrcoef(latent, factor)[0, 1] ** 2)
    labels = np.unique(factor, return_inverse=True)[1]
    z_train, z_test, train, test = train_test_split(latent[:, None], labels, test_size=0.5, random_state=seed)
    thresholds = DecisionTreeClassifier(
        max_leaf_nodes=int(labels.max()) + 1, class_weight="balanced", random_state=seed
    )
    return _above_chance(test, thresholds.fit(z_train, train).predict(z_test))


def _above_chance(labels: IntArray, predicted: IntArray) -> float:
    return float(max(0.0, balanced_accuracy_score(labels, predicted, adjusted=True)))

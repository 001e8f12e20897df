"""Has the generator collapsed? What a GAN's losses do not say.

A generator that makes one perfect cell over and over can have the same losses as one that makes them all.
These numbers compare a generated batch with a real one: how diverse it is, which share of the real rows it
reaches, and how far apart the two distributions are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["BatchComparison", "collapse", "compare_batches", "mode_coverage", "near_modes"]

N_NEIGHBOURS = 5
# Below these the generator makes too little of too much. Real rows against others of their own distribution
# have a diversity of 1 and a coverage of 0.97.
LEAST_DIVERSITY = 0.5
LEAST_COVERAGE = 0.2


class BatchComparison(NamedTuple):
    """Generated rows beside real ones, scalars."""

    distance: Tensor  # energy distance, unbiased; 0 where the distributions are the same
    diversity: Tensor  # mean distance of two generated rows, over that of two real ones
    coverage: Tensor  # share of real rows with a generated one among their nearest neighbours


@torch.no_grad()
def compare_batches(real: Tensor, fake: Tensor, codes: Mapping[str, Tensor] | None = None) -> BatchComparison:
    """Compare generated rows with real ones of the same conditions, ``(batch, ...)`` both.

    The energy distance is ``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` (Szekely & Rizzo 2013, equation 6), without
    a row's distance to itself, hence unbiased. Coverage is that of Naeem et al. 2020, "Reliable Fidelity and
    Diversity Metrics for Generative Models", equation 3, with 5 neighbours. In both, rows of different
    conditions lie apart by the mean distance of real rows, so that what is generated for the wrong condition
    counts as missing.

    Parameters
    ----------
    real, fake
        Rows of any shape, flattened.
    codes
        Of each condition, ``(batch,)``: row i of both was made for it.
    """
    real, fake = real.flatten(1), fake.flatten(1)
    if len(real) < 2:  # no pairs, nothing to hold against the generator
        one = real.new_ones(())
        return BatchComparison(torch.zeros_like(one), one, one)
    real_pairs, fake_pairs = torch.cdist(real, real), torch.cdist(fake, fake)
    typical = _mean_of_pairs(real_pairs).clamp(min=torch.finfo(real.dtype).tiny)
    diversity = _mean_of_pairs(fake_pairs) / typical
    other = _different_conditions(codes or {}, len(real)).to(real) * typical.square()
    within_real, within_fake, between = (
        (pairs.square() + other).sqrt() for pairs in (real_pairs, fake_pairs, torch.cdist(real, fake))
    )
    distance = 2 * between.mean() - _mean_of_pairs(within_real) - _mean_of_pairs(within_fake)
    return BatchComparison(distance, diversity, _coverage(within_real, between))


def collapse(diversity: float, coverage: float) -> str | None:
    """Say in half a sentence what points to a collapsed generator, or None.

    Examples
    --------
    >>> collapse(0.9, 0.95)
    >>> collapse(0.1, 0.95)
    'generated rows are 0.10 times as diverse as real ones'
    """
    if not diversity >= LEAST_DIVERSITY:
        return f"generated rows are {diversity:.2f} times as diverse as real ones"
    if not coverage >= LEAST_COVERAGE:
        return f"only {coverage:.0%} of the real rows have a generated one among their neighbours"
    return None


def mode_coverage(
    real: Tensor,
    generated: Tensor,
    *,
    labels: Tensor | None = None,
    n_clusters: int = 25,
    least_share: float = 0.1,
) -> float:
    """Return the share of the real rows' clusters that the generator hits.

    A generated row belongs to the cluster of its nearest real row. A cluster is hit where its share of the
    generated rows is at least ``least_share`` of its share of the real ones.

    Parameters
    ----------
    real, generated
        ``(rows, n_dims)`` in the same space.
    labels
        The cluster of each real row, ``(rows,)``; without them k-means finds ``n_clusters``.
    n_clusters
        For k-means.
    least_share
        1 asks for every cluster at its full frequency.

    Raises
    ------
    InputError
        If a sample is empty or not finite, the dimensions differ, or labels do not fit the rows.

    Examples
    --------
    >>> real = torch.tensor([[0.0], [0.1], [9.0], [9.1]])
    >>> mode_coverage(real, real[:2], labels=torch.tensor([0, 0, 1, 1]))
    0.5
    """
    _check(real, generated)
    if labels is None:
        labels = _clusters(real, n_clusters)
    if labels.shape != (len(real),):
        raise InputError(
            f"labels have the shape {tuple(labels.shape)} for {len(real)} real rows: give one a row"
        )
    _, cluster = labels.unique(return_inverse=True)
    n_clusters = int(cluster.max()) + 1
    nearest_rows = torch.cat([torch.cdist(rows, real).argmin(dim=1) for rows in generated.split(2048)])
    found = torch.bincount(cluster[nearest_rows], minlength=n_clusters) / len(generated)
    expected = torch.bincount(cluster, minlength=n_clusters) / len(real)
    return float((found >= least_share * expected).double().mean())


def near_modes(modes: Tensor, generated: Tensor, *, radius: float) -> tuple[int, float]:
    """Count a mixture's modes that are hit, and the share of generated rows that are of high quality.

    A row is of high quality if its nearest mode lies within ``radius``, for which 3 standard deviations are
    usual; a mode is hit by one such row. Srivastava et al. 2017, "VEEGAN", section 4.1.

    Parameters
    ----------
    modes
        Centres of the components, ``(n_modes, n_dims)``.
    generated
        ``(rows, n_dims)``.
    radius
        In the units of the space.
    """
    _check(modes, generated)
    distances, nearest_mode = torch.cdist(generated, modes).min(dim=1)
    good = distances <= radius
    return len(nearest_mode[good].unique()), float(good.double().mean())


def _mean_of_pairs(distances: Tensor) -> Tensor:
    # A row's distance to itself leaves both the sum and the count; cdist may round it above 0.
    n = len(distances)
    return (distances.sum() - distances.diagonal().sum()) / (n * (n - 1))


def _different_conditions(codes: Mapping[str, Tensor], n: int) -> Tensor:
    """Count the conditions in which two rows differ, ``(n, n)``."""
    differing = [(code[:, None] != code).float() for code in codes.values()]
    return torch.stack(differing).sum(dim=0) if differing else torch.zeros(n, n)


def _coverage(within_real: Tensor, between: Tensor) -> Tensor:
    k = min(N_NEIGHBOURS, len(within_real) - 1)
    apart = within_real.clone().fill_diagonal_(torch.inf)
    radii = apart.kthvalue(k, dim=1).values  # (batch,)
    return (between.amin(dim=1) <= radii).to(between).mean()


def _clusters(real: Tensor, n_clusters: int) -> Tensor:
    from sklearn.cluster import KMeans

    if not 1 <= n_clusters <= len(real):
        raise InputError(f"n_clusters is {n_clusters} for {len(real)} real rows: give 1 to {len(real)}")
    found = KMeans(n_clusters, n_init=4, random_state=0).fit_predict(real.cpu().numpy())
    return torch.from_numpy(found).to(real.device)


def _check(real: Tensor, generated: Tensor) -> None:
    if real.dim() != 2 or generated.dim() != 2 or real.shape[1] != generated.shape[1]:
        raise InputError(
            f"real rows are {tuple(real.shape)} and generated ones {tuple(generated.shape)}: give both as "
            "(rows, n_dims) in the same space"
        )
    for name, rows in (("real", real), ("generated", generated)):
        if len(rows) == 0:
            raise InputError(f"there are no {name} rows: give at least 1")
        if not rows.isfinite().all():
            row = int((~rows.isfinite()).any(dim=1).nonzero()[0])
            raise InputError(f"{name} row {row} holds a value that is not finite: {rows[row].tolist()[:5]}")

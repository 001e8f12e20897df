"""Bootstrap over sequences, or over the groups that related sequences come in.

Sequences of one chromosome or positions of one protein are no independent draws: given groups, whole groups
are drawn (Field & Welsh 2007, "Bootstrapping clustered data"). A resample is held as how often each row
occurs in it, as in `genailab.evaluation.bootstrap`, and all subjects meet the same resamples, so that the
difference of two of them has an interval of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.bootstrap import Interval, bootstrap_weights, interval
from genailab.evaluation.metrics import Metric

__all__ = ["metric_interval", "resample", "row_weights"]

_ENTRIES = 4_000_000  # weights held at a time: 32 MB
_UNDEFINED = 0.05  # share of the resamples that may leave a metric undefined


def row_weights(
    n_rows: int, *, n_bootstrap: int, generator: np.random.Generator, groups: IntArray | None = None
) -> FloatArray:
    """How often each row is drawn: ``(1 + n_bootstrap, n_rows)``, first the sample itself.

    With ``groups``, codes ``(n_rows,)`` from 0 on, all rows of a group are drawn together.

    Examples
    --------
    >>> weights = row_weights(
    ...     4, n_bootstrap=50, generator=np.random.default_rng(0), groups=np.array([0, 0, 1, 1])
    ... )
    >>> bool((weights[:, 0] == weights[:, 1]).all()), weights.sum(axis=1).max().item()
    (True, 4.0)
    """
    if groups is None:
        return bootstrap_weights(n_rows, n_bootstrap=n_bootstrap, generator=generator)
    n_groups = int(groups.max()) + 1
    return bootstrap_weights(n_groups, n_bootstrap=n_bootstrap, generator=generator)[:, groups]


def resample(
    statistics: Sequence[Callable[[FloatArray], FloatArray]],
    n_rows: int,
    *,
    groups: IntArray | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> FloatArray:
    """Compute statistics of the sample and of its resamples, some resamples at a time.

    Parameters
    ----------
    statistics
        Each takes weights ``(draws, rows)`` and gives ``(draws,)``.
    n_rows, groups
        Rows, and the code of each row's group where rows are related.
    n_bootstrap, seed
        Resamples, and what makes them the same again.

    Returns
    -------
    ``(statistics, 1 + n_bootstrap)``: the sample's own values first.
    """
    if n_bootstrap < 1:
        raise InputError(f"n_bootstrap is {n_bootstrap}: an interval needs at least 1 resample")
    generator = np.random.default_rng(seed)
    size = max(1, _ENTRIES // n_rows)
    blocks = []
    for start, stop in pairwise([*range(0, n_bootstrap, size), n_bootstrap]):
        weights = row_weights(n_rows, n_bootstrap=stop - start, generator=generator, groups=groups)
        weights = weights if start == 0 else weights[1:]  # the sample itself once
        blocks.append(np.stack([statistic(weights) for statistic in statistics]))
    return np.concatenate(blocks, axis=1)


def metric_interval(values: FloatArray, metric: Metric, *, subject: str = "the model") -> Interval:
    """Percentile interval of ``values (1 + resamples,)``, the sample's own value first.

    A resample may lack a class or all variation, which leaves the metric undefined (NaN) in it; up to 5% of
    such resamples are set aside.

    Raises
    ------
    InputError
        If the metric is undefined in the sample or in more of the resamples.
    """
    undefined = np.isnan(values)
    if undefined[0] or undefined.mean() > _UNDEFINED:
        where = "for these rows" if undefined[0] else f"in {undefined[1:].mean():.0%} of the resamples"
        raise InputError(
            f"{metric.name} of {subject} is undefined {where}: there are too few rows, groups or different "
            "values of one kind, so give more"
        )
    return interval(values[~undefined], lowest=metric.lowest, highest=metric.highest)

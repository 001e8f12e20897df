"""The metrics of generated cells: what each one means and which value is best."""

from __future__ import annotations

import math
from dataclasses import dataclass

from genailab.errors import InputError, nearest

__all__ = ["METRICS", "Metric", "metric_named"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric's name, its meaning in a sentence, and where its good values lie.

    Parameters
    ----------
    name, meaning
        As they stand in a report.
    best
        The ideal value: minus infinity where lower is always better, infinity where higher is.
    lowest, highest
        Values the metric can't pass; a bootstrap interval is cut there.
    """

    name: str
    meaning: str
    best: float
    lowest: float = -math.inf
    highest: float = math.inf

    @property
    def better(self) -> str:
        """``lower``, ``higher``, or the ideal value as text."""
        return {-math.inf: "lower", math.inf: "higher"}.get(self.best, f"{self.best:g}")

    def badness(self, value: float) -> float:
        """How far from the best a value is: smaller is better, on every metric."""
        if math.isinf(self.best):
            return -value if self.best > 0 else value
        return abs(value - self.best)


METRICS: tuple[Metric, ...] = (
    Metric(
        name="MMD",
        meaning="squared distance between the two sets' mean embeddings under a Gaussian kernel, unbiased: "
        "about 0 when the distributions agree",
        best=-math.inf,
    ),
    Metric(
        name="energy distance",
        meaning="how much farther apart generated and real cells are than cells of the same set, unbiased: "
        "about 0 when the distributions agree",
        best=-math.inf,
    ),
    Metric(
        name="sliced Wasserstein",
        meaning="how far cells must move to turn one set into the other, averaged over random directions; "
        "above 0 even for real cells, because the sets are finite",
        best=-math.inf,
        lowest=0.0,
    ),
    Metric(
        name="precision",
        meaning="share of generated cells that fall among the real cells: are they realistic",
        best=math.inf,
        lowest=0.0,
        highest=1.0,
    ),
    Metric(
        name="recall",
        meaning="share of real cells that fall among the generated cells: is all variety there",
        best=math.inf,
        lowest=0.0,
        highest=1.0,
    ),
    Metric(
        name="density",
        meaning="in how many real cells' neighbourhoods a generated cell lies, relative to expectation; can "
        "exceed 1 when cells crowd where real cells are dense",
        best=math.inf,
        lowest=0.0,
    ),
    Metric(
        name="coverage",
        meaning="share of real cells with a generated cell in their neighbourhood",
        best=math.inf,
        lowest=0.0,
        highest=1.0,
    ),
    Metric(
        name="discriminator AUROC",
        meaning="how well a random forest tells generated from real cells it was not trained on: 0.5 is "
        "guessing, 1 is always",
        best=0.5,
        lowest=0.0,
        highest=1.0,
    ),
    Metric(
        name="gene mean correlation",
        meaning="Pearson correlation over genes of the mean log-normalised expression",
        best=math.inf,
        lowest=-1.0,
        highest=1.0,
    ),
    Metric(
        name="gene variance correlation",
        meaning="Pearson correlation over genes of the variance of log-normalised expression",
        best=math.inf,
        lowest=-1.0,
        highest=1.0,
    ),
    Metric(
        name="zero fraction correlation",
        meaning="Pearson correlation over genes of the share of cells without a count",
        best=math.inf,
        lowest=-1.0,
        highest=1.0,
    ),
    Metric(
        name="classifier agreement",
        meaning="share of cells that a classifier trained on real cells gives the type that was asked for, "
        "averaged over types; above the ceiling means more typical than real cells are, not better",
        best=math.inf,
        lowest=0.0,
        highest=1.0,
    ),
    Metric(
        name="nearest-training-cell ratio",
        meaning="median distance of generated cells to the nearest training cell, relative to that of "
        "held-out real cells: far below 1 they are copies or too average, above 1 noisier than real cells",
        best=1.0,
        lowest=0.0,
    ),
)


def metric_named(name: str) -> Metric:
    """Return the metric of this name; InputError with the nearest names if there is none."""
    found = {metric.name: metric for metric in METRICS}
    if name not in found:
        raise InputError(f"there is no metric {name!r}: {nearest(name, found)}")
    return found[name]

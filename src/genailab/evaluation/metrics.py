"""The metrics of generated cells and generated sequences: what each one means and which value is best."""

from __future__ import annotations

import math
from dataclasses import dataclass

from genailab.errors import InputError, nearest

__all__ = ["GENERATED_SEQUENCE_METRICS", "METRICS", "Metric", "metric_named"]


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


def _sequences(name: str, meaning: str, best: float, *, highest: float = 1.0, lowest: float = 0.0) -> Metric:
    return Metric(name=name, meaning=meaning, best=best, lowest=lowest, highest=highest)


LOW, HIGH = -math.inf, math.inf

GENERATED_SEQUENCE_METRICS: tuple[Metric, ...] = (
    _sequences("GC KS", "Kolmogorov-Smirnov distance of the sequences' shares of G and C", LOW),
    _sequences("length KS", "Kolmogorov-Smirnov distance of the sequences' lengths in letters", LOW),
    *(
        metric
        for k in range(1, 7)
        for metric in (
            _sequences(
                f"{k}-mer distance",
                f"Jensen-Shannon distance (base 2) of the spectra of words of {k}: 0 alike, 1 disjoint; "
                "above 0 even for real sequences, because the sets are finite",
                LOW,
            ),
            _sequences(
                f"{k}-mer correlation",
                f"Pearson correlation over words of {k} of how often they occur",
                HIGH,
                lowest=-1.0,
            ),
        )
    ),
    _sequences(
        "motif rate correlation",
        "Pearson correlation over motifs of the share of sequences with a site of it",
        HIGH,
        lowest=-1.0,
    ),
    _sequences(
        "motif co-occurrence correlation",
        "Pearson correlation over pairs of motifs of how much oftener than by chance both have a site in one "
        "sequence",
        HIGH,
        lowest=-1.0,
    ),
    _sequences(
        "Frechet distance",
        "squared distance of Gaussians fitted to an independent predictor's embeddings of the two sets",
        LOW,
        highest=math.inf,
    ),
    _sequences("activity KS", "Kolmogorov-Smirnov distance of an independent predictor's values", LOW),
    _sequences(
        "activity Wasserstein",
        "how far an independent predictor's values must move on average, in units of their standard "
        "deviation over held-out real sequences",
        LOW,
        highest=math.inf,
    ),
    _sequences(
        "class fidelity",
        "share of sequences that a classifier trained on real ones gives the class that was asked for, "
        "averaged over classes; above the ceiling means more typical than real sequences are, not better",
        HIGH,
    ),
    _sequences(
        "logistic AUROC",
        "how well a logistic regression on k-mers and positions tells generated from real sequences it was "
        "not trained on: 0.5 is guessing, 1 is always",
        0.5,
    ),
    _sequences(
        "forest AUROC",
        "how well a random forest on k-mers and positions tells generated from real sequences it was not "
        "trained on: 0.5 is guessing, 1 is always",
        0.5,
    ),
    _sequences(
        "diversity ratio",
        "mean distance of two generated sequences, relative to that of two real ones: below 1 they resemble "
        "each other too much",
        1.0,
        highest=math.inf,
    ),
    _sequences(
        "unique share", "share of sequences that are no repeat of another one, on either strand", HIGH
    ),
    _sequences(
        "exact-copy rate",
        "share of sequences that are, on either strand, a training sequence letter by letter; the ceiling is "
        "what held-out real sequences have",
        LOW,
    ),
    _sequences(
        "novelty ratio",
        "mean distance to the nearest training sequence, relative to that of held-out real sequences: far "
        "below 1 they are near-copies, above 1 less like the training set than real ones are",
        1.0,
        highest=math.inf,
    ),
    _sequences(
        "attribution correlation",
        "Pearson correlation over words of the mean attribution that a predictor gives them in either set",
        HIGH,
        lowest=-1.0,
    ),
    _sequences(
        "open reading frames",
        "share of sequences that are one: whole codons, a start codon first, a stop codon last, none before",
        HIGH,
    ),
    _sequences(
        "valid proteins",
        "share of sequences that begin with methionine, hold amino acids only and have no stop within",
        HIGH,
    ),
)


def metric_named(name: str) -> Metric:
    """Return the metric of this name; InputError with the nearest names if there is none."""
    found = {metric.name: metric for metric in (*METRICS, *GENERATED_SEQUENCE_METRICS)}
    if name not in found:
        raise InputError(f"there is no metric {name!r}: {nearest(name, found)}")
    return found[name]

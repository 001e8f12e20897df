"""The metrics of predictions from sequences and of generated sequences: what each means, what is best."""

from __future__ import annotations

import math

from genailab.errors import InputError, nearest
from genailab.evaluation.metrics import Metric

__all__ = ["SEQUENCE_METRICS", "sequence_metric"]


def _share(name: str, meaning: str, best: float = math.inf) -> Metric:
    return Metric(name=name, meaning=meaning, best=best, lowest=0.0, highest=1.0)


def _correlation(name: str, meaning: str) -> Metric:
    return Metric(name=name, meaning=meaning, best=math.inf, lowest=-1.0, highest=1.0)


SEQUENCE_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _share("AUROC", "how often a positive is ranked above a negative: 0.5 is guessing"),
        _share("AUPRC", "average precision: guessing scores the prevalence, which stands beside it"),
        _share("Brier score", "mean squared difference of probability and label", best=-math.inf),
        _share(
            "calibration error",
            "mean distance of predicted and observed frequency over 10 bins of equal width; above 0 for a "
            "perfect model too, because a bin's frequency is a sample",
            best=-math.inf,
        ),
        _share("accuracy", "share of rows given their own class"),
        _share("balanced accuracy", "share of a class's rows given it, averaged over classes"),
        Metric(
            name="R2",
            meaning="share of the variance explained; below 0 is worse than predicting the mean",
            best=math.inf,
            highest=1.0,
        ),
        _correlation("Spearman", "correlation of the ranks"),
        _correlation("Pearson", "linear correlation"),
        _share("Q3", "share of residues whose state (helix, strand, coil) is predicted right"),
        _share("Q3 per protein", "share of a protein's residues predicted right, averaged over proteins"),
        _share("GC distance", "Wasserstein distance of the sequences' GC shares", best=-math.inf),
        _share(
            "motif rate difference",
            "how far the share of sequences with a hit is off, averaged over motifs",
            best=-math.inf,
        ),
    )
}


def sequence_metric(name: str) -> Metric:
    """Return the metric of this name; InputError if there is none.

    ``recall of <state>`` and ``<k>-mer distance`` are metrics for any state and k.
    """
    if name.startswith("recall of "):
        return _share(name, "share of the residues in this state that were predicted in it")
    if name.endswith("-mer distance"):
        return _share(name, "Jensen-Shannon distance (base 2) of the k-mer spectra", best=-math.inf)
    if name not in SEQUENCE_METRICS:
        raise InputError(f"there is no metric {name!r}: {nearest(name, SEQUENCE_METRICS)}")
    return SEQUENCE_METRICS[name]

"""What a set of sequences looks like as a whole: its k-mers, its GC content, its motifs.

Real and generated sets that differ here differ for certain; sets that agree may still differ elsewhere. Score
other real sequences the same way (``subject="ceiling"``) to see what a perfect generator would reach:
distances of finite sets lie above 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from torch import Tensor

from genailab.data.sequences.alphabet import DNA
from genailab.data.sequences.kmers import kmer_names
from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights, bootstrap_weights
from genailab.evaluation.kmer_features import kmer_features
from genailab.evaluation.resampling import metric_interval
from genailab.evaluation.scores import Score
from genailab.evaluation.sequence_metrics import sequence_metric

__all__ = [
    "compare_sequences",
    "gc_content",
    "gc_distance",
    "jensen_shannon_distance",
    "kmer_spectrum",
    "motif_hit_rates",
]

Hits = Callable[[Tensor], ArrayLike]


def compare_sequences(
    real: Tensor,
    generated: Tensor,
    *,
    subject: str,
    k: Sequence[int] = (3, 6),
    hits: Hits | None = None,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> list[Score]:
    """Score generated sequences against real ones: k-mer spectra, GC content and motif hit rates.

    Parameters
    ----------
    real, generated
        DNA codes ``(n, length)`` and ``(m, other_length)``. Compare as many of the same length: the distances
        shrink as the sets grow.
    subject
        What made the generated sequences.
    k
        Lengths of the words; a score each.
    hits
        From codes to whether each sequence has a hit of each motif, ``(n, motifs)``; such as
        ``lambda codes: best_motif_scores(codes, motifs) > 12``. Left out without.
    n_bootstrap, seed
        Resamples of the sequences of either set, and what makes them the same again.

    Raises
    ------
    InputError
        If a set is empty, holds no letter but unknown ones, or is shorter than k.

    Examples
    --------
    >>> import torch
    >>> from genailab.data.sequences.encoding import encode
    >>> cpg, at = encode(["ACGCGT", "CGCGAA"]), encode(["AATTAA", "TATATT"])
    >>> [(score.metric, round(score.value, 2)) for score in compare_sequences(cpg, at, subject="at", k=[2])]
    [('2-mer distance', 0.93), ('GC distance', 0.67)]
    """
    for name, codes in (("real", real), ("generated", generated)):
        if len(codes) == 0 or codes.dim() != 2:
            raise InputError(
                f"{name} sequences have shape {tuple(codes.shape)}: give codes (n, length) of at least 1"
            )
    statistics = {f"{size}-mer distance": _kmer_statistic(real, generated, size) for size in k}
    statistics["GC distance"] = partial(gc_distance, gc_content(real), gc_content(generated))
    if hits is not None:
        pair = (np.asarray(hits(real), dtype=float), np.asarray(hits(generated), dtype=float))
        statistics["motif rate difference"] = partial(_rate_difference, *pair)
    generator = np.random.default_rng(seed)
    drawn = [
        bootstrap_weights(len(codes), n_bootstrap=n_bootstrap, generator=generator)
        for codes in (real, generated)
    ]
    weights = Weights(real=drawn[0], generated=drawn[1])
    space = (
        f"{len(real):,} real sequences of {real.shape[1]} letters, {len(generated):,} of "
        f"{generated.shape[1]}; {n_bootstrap:,} resamples of both"
    )
    values = {name: statistic(weights=weights) for name, statistic in statistics.items()}
    return _scores(values, subject=subject, space=space, n=len(generated))


def kmer_spectrum(codes: Tensor, k: int) -> pd.Series:
    """Share of each k-mer among all of the sequences' k-mers, by its text.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import encode
    >>> kmer_spectrum(encode(["AACA"]), 1).tolist()
    [0.75, 0.25, 0.0, 0.0]
    """
    counts = np.asarray(kmer_features(codes, k).sum(axis=0), dtype=np.float64).ravel()
    _check_any(counts.sum(), k)
    return pd.Series(counts / counts.sum(), index=kmer_names(k))


def jensen_shannon_distance(p: FloatArray, q: FloatArray) -> FloatArray:
    """Root of the Jensen-Shannon divergence in bits, along the last axis: 0 if alike, 1 if disjoint.

    ``JSD = H((p + q) / 2) - (H(p) + H(q)) / 2`` (Lin 1991); its root is a metric (Endres & Schindelin 2003).

    Examples
    --------
    >>> jensen_shannon_distance(np.array([1.0, 0.0]), np.array([0.0, 1.0])).item()
    1.0
    """
    divergence = _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2
    return np.sqrt(np.clip(divergence, 0.0, 1.0))


def gc_content(codes: Tensor) -> FloatArray:
    """Share of G and C among the known letters of each sequence, ``(n,)``.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import encode
    >>> gc_content(encode(["GGCA", "ACNN"]))
    array([0.75, 0.5 ])
    """
    found = codes.numpy()
    known = (found < DNA.size).sum(axis=1)
    if not known.all():
        raise InputError(
            f"sequence {int(np.argmin(known))} has no known letter, hence no GC content: leave it out"
        )
    return ((found == 1) | (found == 2)).sum(axis=1) / known


def gc_distance(real: FloatArray, generated: FloatArray, weights: Weights | None = None) -> FloatArray:
    """Wasserstein distance of two sets' GC shares, ``(draws,)``: how far shares must move on average.

    Examples
    --------
    >>> gc_distance(np.array([0.4, 0.6]), np.array([0.5, 0.7])).round(3)
    array([0.1])
    """
    weights = weights or Weights.once(len(real), len(generated))
    order = np.argsort(np.concatenate([real, generated]), kind="stable")
    signed = np.concatenate(
        [
            weights.real / weights.real.sum(axis=1, keepdims=True),
            -weights.generated / weights.generated.sum(axis=1, keepdims=True),
        ],
        axis=1,
    )[:, order]
    gaps = np.diff(np.concatenate([real, generated])[order])
    return np.abs(np.cumsum(signed, axis=1)[:, :-1]) @ gaps


def motif_hit_rates(
    real: ArrayLike, generated: ArrayLike, *, names: Sequence[str] | None = None
) -> pd.DataFrame:
    """Share of real and of generated sequences with a hit of each motif, the farthest apart first.

    Parameters
    ----------
    real, generated
        Whether each sequence has a hit of each motif, ``(n, motifs)`` and ``(m, motifs)``.
    names
        Of the motifs; their numbers by default.

    Examples
    --------
    >>> motif_hit_rates([[1, 0], [1, 1]], [[0, 0], [1, 1]], names=["CTCF", "SP1"])
      motif  real  generated  difference
    0  CTCF   1.0        0.5        -0.5
    1   SP1   0.5        0.5         0.0
    """
    first, second = (np.asarray(hits, dtype=float) for hits in (real, generated))
    _check_hits(first, second)
    labels = list(range(first.shape[1])) if names is None else list(names)
    rates = pd.DataFrame({"motif": labels, "real": first.mean(axis=0), "generated": second.mean(axis=0)})
    rates["difference"] = rates["generated"] - rates["real"]
    order = rates["difference"].abs().sort_values(ascending=False, kind="stable").index
    return rates.loc[order].reset_index(drop=True)


def _kmer_statistic(real: Tensor, generated: Tensor, k: int) -> Callable[..., FloatArray]:
    counts = [kmer_features(codes, k) for codes in (real, generated)]
    for found in counts:
        _check_any(found.sum(), k)

    def distance(*, weights: Weights) -> FloatArray:
        spectra = [
            (found.T @ drawn.T).T
            for found, drawn in zip(counts, (weights.real, weights.generated), strict=True)
        ]
        shares = [spectrum / spectrum.sum(axis=1, keepdims=True) for spectrum in spectra]
        return jensen_shannon_distance(*shares)

    return distance


def _rate_difference(real: FloatArray, generated: FloatArray, *, weights: Weights) -> FloatArray:
    _check_hits(real, generated)
    rates = [
        drawn @ hits / drawn.sum(axis=1, keepdims=True)
        for drawn, hits in ((weights.real, real), (weights.generated, generated))
    ]
    return np.abs(rates[0] - rates[1]).mean(axis=1)


def _entropy(shares: FloatArray) -> FloatArray:
    logs = np.log2(shares, out=np.zeros_like(shares, dtype=np.float64), where=shares > 0)
    return -(shares * logs).sum(axis=-1)


def _scores(values: Mapping[str, FloatArray], *, subject: str, space: str, n: int) -> list[Score]:
    scores = []
    for name, found in values.items():
        metric = sequence_metric(name)
        ends = metric_interval(found, metric, subject=subject)
        scores.append(
            Score(
                metric=name,
                subject=subject,
                value=ends.value,
                ci_low=ends.low,
                ci_high=ends.high,
                better=metric.better,
                space=space,
                n=n,
            )
        )
    return scores


def _check_any(total: np.number | float, k: int) -> None:
    if total == 0:
        raise InputError(f"there is no {k}-mer without an unknown letter: give sequences of known letters")


def _check_hits(real: FloatArray, generated: FloatArray) -> None:
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise InputError(
            f"motif hits have shapes {real.shape} and {generated.shape}: give (sequences, motifs) for "
            "the same motifs"
        )

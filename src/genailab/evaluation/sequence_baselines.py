"""Simple baselines of sequence models, all fitted to training rows only: see what a deep model adds to them.

`Majority` for classes, `BestMotif` and `KmerLogistic` for binding, `PositionLogistic` for aligned sites,
`LinearSequenceModel` for measured values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from genailab.data.motifs.motif import Motif
from genailab.data.motifs.motif_scan import best_motif_scores
from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.classification import auroc
from genailab.evaluation.linear_baselines import LinearSequenceModel
from genailab.evaluation.logistic_baselines import KmerLogistic, PositionLogistic
from genailab.evaluation.predictions import binary_labels, same_length
from genailab.nn.tasks import IGNORED

__all__ = ["BestMotif", "KmerLogistic", "LinearSequenceModel", "Majority", "PositionLogistic"]


@dataclass(frozen=True, kw_only=True)
class Majority:
    """The commonest class, whatever the sequence.

    Parameters
    ----------
    label
        The class.
    per_position
        Whether every position has a class, as in secondary structure.
    """

    label: int
    per_position: bool

    @classmethod
    def fit(cls, labels: ArrayLike) -> Majority:
        """Find the commonest of ``labels``, ``(n,)`` or ``(n, length)``; -100 does not count.

        Examples
        --------
        >>> Majority.fit([0, 2, 2]).predict(torch.zeros(4, 9)).tolist()
        [2, 2, 2, 2]
        """
        found = np.asarray(labels)
        counted = found[found != IGNORED]
        if not len(counted):
            raise InputError("no label counts: give at least one that is not -100")
        classes, n = np.unique(counted, return_counts=True)
        return cls(label=int(classes[n.argmax()]), per_position=found.ndim == 2)

    def predict(self, codes: Tensor) -> IntArray:
        """Give the class to each sequence, ``(n,)``, or to each position, ``(n, length)``."""
        return np.full(tuple(codes.shape) if self.per_position else len(codes), self.label)


@dataclass(frozen=True, kw_only=True, eq=False)
class BestMotif:
    """The one motif whose best site in a sequence, on either strand, ranks the training rows best.

    Parameters
    ----------
    motif
        The motif.
    training_auroc
        Of its best site's log-odds, on the training rows it was chosen by.
    slope, intercept
        From log-odds in bits to the log-odds of being positive: Platt 1999. The ranks are the score's own.
    """

    motif: Motif
    training_auroc: float
    slope: float
    intercept: float

    @classmethod
    def fit(
        cls, codes: Tensor, labels: ArrayLike, *, motifs: Sequence[Motif], max_rows: int = 4000
    ) -> BestMotif:
        """Choose by AUROC on up to ``max_rows`` training rows, taken at even steps.

        Parameters
        ----------
        codes, labels
            DNA codes ``(n, length)`` and 0 or 1, ``(n,)``. Motifs longer than the sequences are passed over.
        motifs
            To choose from, such as all of JASPAR's vertebrate motifs.
        max_rows
            Rows to choose by; time grows with it and the number of motifs.
        """
        truth = binary_labels(labels)
        same_length(codes, truth, name="the training set")
        fitting = [motif for motif in motifs if len(motif) <= codes.shape[1]]
        if not fitting:
            raise InputError(
                f"none of the {len(motifs)} motifs fits into {codes.shape[1]} letters: give shorter ones"
            )
        rows = np.unique(np.linspace(0, len(truth) - 1, min(len(truth), max_rows)).round().astype(np.int64))
        binary_labels(truth[rows])
        scores = _best_scores(codes[torch.from_numpy(rows)], fitting)  # (rows, motifs)
        areas = [auroc(truth[rows], scores[:, motif]).item() for motif in range(len(fitting))]
        best = int(np.argmax(areas))
        line = LogisticRegression(C=1e6).fit(scores[:, best : best + 1], truth[rows])
        return cls(
            motif=fitting[best],
            training_auroc=areas[best],
            slope=float(line.coef_.item()),
            intercept=float(line.intercept_.item()),
        )

    def predict(self, codes: Tensor) -> FloatArray:
        """Probability of being positive, ``(n,)``, by the motif's best site."""
        scores = _best_scores(codes, [self.motif])[:, 0]
        return 1 / (1 + np.exp(-(self.intercept + self.slope * scores)))


def _best_scores(codes: Tensor, motifs: Sequence[Motif]) -> FloatArray:
    found = best_motif_scores(codes, motifs).double().numpy()
    # No site at all, where every window holds an unknown letter: as bad as the worst site of the motif.
    worst = [float(motif.log_odds().min(axis=0).sum()) for motif in motifs]
    return np.maximum(found, worst)

"""Whether generated sequences carry the motifs of real ones, as often and in the same company.

The share of sequences with a site of each motif, and the covariance of having sites of two, compared by their
correlation over motifs and over pairs of motifs (after Sarkar et al. 2024, "Designing DNA with tunable
regulatory activity using discrete diffusion", who compare both over JASPAR's motifs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from genailab.data.motifs.motif import Motif
from genailab.data.motifs.motif_scan import best_motif_scores
from genailab.data.motifs.score_distribution import score_tail
from genailab.data.sequences.alphabet import DNA
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights
from genailab.evaluation.gene_statistics import row_correlation

__all__ = ["MotifPanel", "co_occurrence_correlation", "rate_correlation"]

P_VALUE = 1e-4  # of a site: FIMO's default (Grant, Bailey & Noble 2011)


@dataclass(frozen=True, kw_only=True)
class MotifPanel:
    """Motifs, and the score from which a word is a site of each. Make it with `of`.

    Parameters
    ----------
    motifs
        Those that are looked for.
    thresholds
        Log-odds in bits, ``(motifs,)``; infinite where even the best word is likelier than the p-value.
    """

    motifs: tuple[Motif, ...] = ()
    thresholds: FloatArray

    @classmethod
    def of(cls, motifs: Sequence[Motif], *, p_value: float = P_VALUE) -> MotifPanel:
        """Take the scores that a random word reaches with at most this probability.

        Letters are a quarter each, so that both strands have one threshold.
        """
        shares = np.full(DNA.size, 1 / DNA.size)
        tails = [score_tail(motif.log_odds(), shares, up_to=p_value) for motif in motifs]
        return cls(motifs=tuple(motifs), thresholds=np.array([tail.threshold(p_value) for tail in tails]))

    @classmethod
    def frequent(
        cls, codes: Tensor, motifs: Sequence[Motif], *, most: int = 100, p_value: float = P_VALUE
    ) -> MotifPanel:
        """Take those motifs with sites in the most of these sequences, at most ``most``, in their order.

        Choose on training sequences: a motif without a site in real sequences says nothing about their
        rates.
        """
        panel = cls.of([motif for motif in motifs if len(motif) <= codes.shape[1]], p_value=p_value)
        rates = panel.hits(codes).mean(axis=0)
        kept = np.sort(np.argsort(-rates, kind="stable")[:most])
        kept = kept[rates[kept] > 0]
        return cls(motifs=tuple(panel.motifs[column] for column in kept), thresholds=panel.thresholds[kept])

    def __len__(self) -> int:
        return len(self.motifs)

    def hits(self, codes: Tensor) -> FloatArray:
        """Whether each DNA sequence ``(n, length)`` has a site on either strand: ``(n, motifs)`` of 0 and 1.

        A motif longer than the sequences has none.
        """
        found = np.zeros((len(codes), len(self)))
        fitting = [column for column, motif in enumerate(self.motifs) if len(motif) <= codes.shape[1]]
        if fitting:
            best = best_motif_scores(codes, [self.motifs[column] for column in fitting])
            found[:, fitting] = best.double().numpy() >= self.thresholds[fitting]
        return found


def rate_correlation(real: FloatArray, generated: FloatArray, weights: Weights | None = None) -> FloatArray:
    """Pearson correlation over motifs of the share of sequences with a site, ``(draws,)``.

    Parameters
    ----------
    real, generated
        `MotifPanel.hits` of either set, for the same motifs.
    weights
        Resamples of the sequences; a single value without.
    """
    weights = weights or Weights.once(len(real), len(generated))
    return row_correlation(_rates(real, weights.real), _rates(generated, weights.generated))


def co_occurrence_correlation(
    real: FloatArray, generated: FloatArray, weights: Weights | None = None
) -> FloatArray:
    """Pearson correlation over pairs of motifs of the covariance of having a site of each, ``(draws,)``.

    The covariance, not the share of sequences with both: that share is high for any two frequent motifs.
    Options as in `rate_correlation`.
    """
    weights = weights or Weights.once(len(real), len(generated))
    return row_correlation(_covariances(real, weights.real), _covariances(generated, weights.generated))


def _rates(hits: FloatArray, weights: FloatArray) -> FloatArray:
    return np.asarray(weights @ hits / weights.sum(axis=1, keepdims=True))


def _covariances(hits: FloatArray, weights: FloatArray) -> FloatArray:
    first, second = np.triu_indices(hits.shape[1], k=1)
    rates = _rates(hits, weights)  # (draws, motifs)
    few = hits.astype(np.float32)  # counts to millions are exact, and take half of the time
    both = weights.astype(np.float32) @ (few[:, first] * few[:, second])  # (draws, pairs)
    return both / weights.sum(axis=1, keepdims=True) - rates[:, first] * rates[:, second]

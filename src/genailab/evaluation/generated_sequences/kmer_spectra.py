"""How often each word of k letters occurs in a set of sequences, against how often in another set."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from torch import Tensor

from genailab.data.sequences.alphabet import DNA, Alphabet
from genailab.data.sequences.kmers import kmers
from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights
from genailab.evaluation.gene_statistics import row_correlation
from genailab.evaluation.sequence_summaries import jensen_shannon_distance

__all__ = ["spectrum_correlation", "spectrum_distance", "word_counts"]

MOST_WORDS = 20**4  # a column each, in every resample


def word_counts(codes: Tensor, k: int, *, alphabet: Alphabet = DNA) -> sp.csr_matrix:
    """Count the words of ``k`` letters of each sequence: ``(n, size^k)`` sparse, in alphabetical order.

    Parameters
    ----------
    codes
        ``(n, length)`` of any alphabet; words with an unknown letter don't count.
    k
        Letters of a word.

    Raises
    ------
    InputError
        If k is out of range, or all sequences are shorter.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import encode
    >>> word_counts(encode(["ACGG"]), 1).toarray().tolist()
    [[1.0, 1.0, 2.0, 0.0]]
    """
    if k < 1 or alphabet.size**k > MOST_WORDS:
        raise InputError(
            f"k is {k}: words have at least 1 letter, and at most {MOST_WORDS:,} of them are counted, so "
            f"take fewer letters of {alphabet.name}"
        )
    words = kmers(codes, k, alphabet=alphabet).numpy()  # (n, starts)
    row, start = np.nonzero(words < alphabet.size**k)
    ones = np.ones(len(row))
    return sp.csr_matrix((ones, (row, words[row, start])), shape=(len(codes), alphabet.size**k))


def spectrum_distance(
    real: sp.csr_matrix, generated: sp.csr_matrix, weights: Weights | None = None
) -> FloatArray:
    """Jensen-Shannon distance of two spectra in base 2, ``(draws,)``: 0 if alike, 1 if disjoint.

    ``JSD = H((p + q) / 2) - (H(p) + H(q)) / 2`` of the shares p and q of the words, and its root (Lin 1991;
    Endres & Schindelin 2003). Its square times ln 2 is the divergence in nats, which ends at ln 2.

    Parameters
    ----------
    real, generated
        `word_counts` of either set.
    weights
        Resamples of the sequences; a single value without.
    """
    return jensen_shannon_distance(*_spectra(real, generated, weights))


def spectrum_correlation(
    real: sp.csr_matrix, generated: sp.csr_matrix, weights: Weights | None = None
) -> FloatArray:
    """Pearson correlation over words of their shares in either set, ``(draws,)``; as `spectrum_distance`."""
    return row_correlation(*_spectra(real, generated, weights))


def _spectra(
    real: sp.csr_matrix, generated: sp.csr_matrix, weights: Weights | None
) -> tuple[FloatArray, FloatArray]:
    weights = weights or Weights.once(real.shape[0], generated.shape[0])
    return _shares(real, weights.real, "real"), _shares(generated, weights.generated, "generated")


def _shares(counts: sp.csr_matrix, weights: FloatArray, kind: str) -> FloatArray:
    totals = np.asarray((counts.T @ weights.T).T)  # (draws, words)
    if totals[0].sum() == 0:
        raise InputError(
            f"the {kind} sequences hold no word without an unknown letter: give sequences of known letters, "
            "as long as the words"
        )
    # A resample of a few sequences can miss all that have a word: its spectrum is then 0, far from any.
    return totals / np.maximum(totals.sum(axis=1, keepdims=True), 1.0)

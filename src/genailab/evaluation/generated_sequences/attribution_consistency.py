"""Whether a predictor rests on the same words in generated as in real sequences.

A generator can match what occurs and still make sequences that a predictor reads for other reasons. Each
word of k letters is given the mean attribution of its letters, wherever it occurs; the two sets' means are
then correlated over words. A simple relative of Majdandzic et al. 2022, "Selecting deep neural networks that
yield consistent attribution-based interpretations for genomics", who compare attributed words of k letters
with chance.
"""

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
from genailab.evaluation.generated_sequences.kmer_spectra import word_counts

__all__ = ["attribution_correlation", "word_attributions"]

SEEN_IN = 5  # occurrences in either set, for a word's mean to count


def word_attributions(
    codes: Tensor, attributions: FloatArray, k: int, *, alphabet: Alphabet = DNA
) -> sp.csr_matrix:
    """Sum of the attributions of each word's letters over its occurrences: ``(n, size^k)`` sparse.

    Parameters
    ----------
    codes
        ``(n, length)``.
    attributions
        ``(n, length)``, or ``(n, size, length)`` as gradient x input gives them, summed over the channels.
    k
        Letters of a word.

    Raises
    ------
    InputError
        If the shapes don't fit each other.
    """
    letters = attributions.sum(axis=1) if attributions.ndim == 3 else attributions
    if letters.shape != tuple(codes.shape):
        raise InputError(
            f"attributions have shape {attributions.shape} for codes {tuple(codes.shape)}: give one to each "
            "letter, (n, length) or (n, letters, length)"
        )
    words = kmers(codes, k, alphabet=alphabet).numpy()  # (n, starts)
    totals = np.cumsum(np.pad(letters, ((0, 0), (1, 0))), axis=1)
    of_word = totals[:, k:] - totals[:, :-k]  # (n, starts)
    row, start = np.nonzero(words < alphabet.size**k)
    entries = (of_word[row, start], (row, words[row, start]))
    return sp.csr_matrix(entries, shape=(len(codes), alphabet.size**k))


def attribution_correlation(
    real: tuple[Tensor, FloatArray],
    generated: tuple[Tensor, FloatArray],
    weights: Weights | None = None,
    *,
    k: int = 4,
    alphabet: Alphabet = DNA,
) -> FloatArray:
    """Pearson correlation over words of their mean attribution in either set, ``(draws,)``.

    Parameters
    ----------
    real, generated
        Codes and attributions of either set, as `word_attributions` takes them.
    weights
        Resamples of the sequences; a single value without.
    k
        Letters of a word; only words that occur at least 5 times in both sets count.

    Raises
    ------
    InputError
        If fewer than 3 words do.
    """
    weights = weights or Weights.once(len(real[0]), len(generated[0]))
    counts = [word_counts(codes, k, alphabet=alphabet) for codes, _ in (real, generated)]
    often = [np.asarray(found.sum(axis=0)).ravel() >= SEEN_IN for found in counts]
    kept = np.flatnonzero(often[0] & often[1])
    if len(kept) < 3:
        raise InputError(
            f"{len(kept)} words of {k} letters occur {SEEN_IN} times in both sets: give more sequences, or "
            "shorter words"
        )
    means = [
        _means(word_attributions(*pair, k, alphabet=alphabet)[:, kept], found[:, kept], drawn)
        for pair, found, drawn in zip(
            (real, generated), counts, (weights.real, weights.generated), strict=True
        )
    ]
    return row_correlation(*means)


def _means(sums: sp.csr_matrix, counts: sp.csr_matrix, weights: FloatArray) -> FloatArray:
    n = (counts.T @ weights.T).T
    return np.asarray((sums.T @ weights.T).T / np.maximum(n, 1))

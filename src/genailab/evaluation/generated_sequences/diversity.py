"""How different generated sequences are from one another: a generator that repeats itself is found here."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import normalize

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights
from genailab.evaluation.generated_sequences.collection import SequenceCollection
from genailab.evaluation.generated_sequences.kmer_spectra import word_counts
from genailab.evaluation.generated_sequences.novelty import hamming_matches

__all__ = ["diversity_ratio", "first_of_kind", "pairwise_distances"]


def pairwise_distances(sequences: SequenceCollection, *, aligned: bool | None = None) -> FloatArray:
    """Distance of each sequence to each other, ``(n, n)``.

    Share of the letters that differ (Hamming) where all have one length; otherwise the cosine distance of
    their counts of words of 4 letters (2 in proteins).

    Parameters
    ----------
    aligned
        Which of the two; by default what the sequences allow. Compare two sets by the same one.

    Examples
    --------
    >>> pairwise_distances(SequenceCollection.of(["AACC", "AACG"])).tolist()
    [[0.0, 0.25], [0.25, 0.0]]
    """
    size = sequences.alphabet.size
    if sequences.aligned if aligned is None else aligned:
        matches = hamming_matches(sequences.codes, sequences.codes, size)
        distances = 1 - matches.double() / sequences.codes.shape[1]
    else:
        k = min(4 if size <= 4 else 2, sequences.codes.shape[1])
        counts = word_counts(sequences.codes, k, alphabet=sequences.alphabet).toarray()
        unit = normalize(torch.from_numpy(counts), dim=1)
        distances = (1 - unit @ unit.T).clamp(min=0)
    return np.asarray(distances.fill_diagonal_(0).numpy())


def diversity_ratio(real: FloatArray, generated: FloatArray, weights: Weights | None = None) -> FloatArray:
    """Mean distance of two generated sequences over that of two real ones, ``(draws,)``.

    Parameters
    ----------
    real, generated
        `pairwise_distances` within either set.
    weights
        Resamples of the sequences; a single value without.

    Raises
    ------
    InputError
        If all real sequences are the same.
    """
    weights = weights or Weights.once(len(real), len(generated))
    if not real.any():
        raise InputError(f"all {len(real)} real sequences are the same: hold out others to compare with")
    return _mean_within(generated, weights.generated) / _mean_within(real, weights.real)


def first_of_kind(sequences: SequenceCollection) -> FloatArray:
    """1 for each sequence that repeats no earlier one, on either strand, else 0: ``(n,)``.

    Examples
    --------
    >>> first_of_kind(SequenceCollection.of(["AACC", "GGTT", "AAAA"]))
    array([1., 0., 1.])
    """
    words = sequences.words(both_strands=True)
    first = {word: row for row, word in reversed(list(enumerate(words)))}
    return np.array([first[word] == row for row, word in enumerate(words)], dtype=float)


def _mean_within(distances: FloatArray, weights: FloatArray) -> FloatArray:
    # A sequence drawn twice is still itself: pairs of it with itself leave the count as they leave the sum.
    total = np.einsum("bj,bj->b", weights @ distances, weights)
    return total / (weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1))

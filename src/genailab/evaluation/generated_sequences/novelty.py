"""Whether generated sequences are copies or near-copies of training sequences, on either strand.

Held-out real sequences are the measure: they too resemble training sequences, and some are the same.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.bootstrap import Weights
from genailab.evaluation.generated_sequences.collection import SequenceCollection
from genailab.evaluation.generated_sequences.edit_distances import edit_distances
from genailab.evaluation.generated_sequences.kmer_spectra import word_counts

__all__ = ["copied", "hamming_matches", "nearest_training_distance", "novelty_ratio"]

ROWS_AT_ONCE = 512
CANDIDATES = 3  # training sequences whose edit distance is measured, per strand


def copied(sequences: SequenceCollection, train: SequenceCollection) -> FloatArray:
    """Whether each sequence is a training sequence letter by letter, on either strand: ``(n,)`` of 0 and 1.

    Examples
    --------
    >>> train = SequenceCollection.of(["AACC", "GATA"])
    >>> copied(SequenceCollection.of(["GGTT", "GATC"]), train)  # GGTT is AACC on the other strand
    array([1., 0.])
    """
    known = set(train.words(both_strands=True))
    return np.array([word in known for word in sequences.words(both_strands=True)], dtype=float)


def nearest_training_distance(sequences: SequenceCollection, train: SequenceCollection) -> FloatArray:
    """Share of the letters that differ from the nearest training sequence, on either strand, ``(n,)``.

    Where all sequences have one length: Hamming distance over the length, to every training sequence.
    Otherwise Levenshtein distance over the longer length, to the 3 training sequences on each strand whose
    words of 4 letters (2 in proteins) are the most alike (cosine), so that it is an upper bound.
    """
    if not len(train):
        raise InputError(
            "there is no training sequence to be near to: pass those that the model was trained on"
        )
    together = sequences.aligned and train.aligned and sequences.lengths[0] == train.lengths[0]
    find = _nearest_hamming if together else _nearest_edit
    return np.minimum.reduce([find(codes, sequences.lengths, train) for codes in _strands(sequences)])


def novelty_ratio(real: FloatArray, generated: FloatArray, weights: Weights | None = None) -> FloatArray:
    """Mean nearest distance of the generated sequences over that of held-out real ones, ``(draws,)``.

    Parameters
    ----------
    real, generated
        `nearest_training_distance` of either set, to training sequences that hold none of it.
    weights
        Resamples of the sequences; a single value without.

    Raises
    ------
    InputError
        If every held-out real sequence is a copy of a training sequence.

    Examples
    --------
    >>> novelty_ratio(np.array([0.2, 0.4]), np.array([0.0, 0.3]))
    array([0.5])
    """
    weights = weights or Weights.once(len(real), len(generated))
    if not real.any():
        raise InputError(
            f"all {len(real)} held-out real sequences are copies of training sequences: hold out others"
        )
    floor = real[real > 0].min() / len(real)  # a resample of copies alone must not divide by 0
    means = [values @ drawn.T / drawn.sum(axis=1) for values, drawn in _pairs(real, generated, weights)]
    return np.asarray(means[1] / np.maximum(means[0], floor))


def hamming_matches(first: Tensor, second: Tensor, size: int) -> Tensor:
    """Positions at which two sequences hold the same known letter, ``(n, m)``, for codes of one length."""
    flat = [_flat_one_hot(codes, size) for codes in (first, second)]
    return flat[0] @ flat[1].T


def _pairs(
    real: FloatArray, generated: FloatArray, weights: Weights
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    return (real, weights.real), (generated, weights.generated)


def _strands(sequences: SequenceCollection) -> list[Tensor]:
    if not sequences.alphabet.complements:
        return [sequences.codes]
    return [sequences.codes, torch.from_numpy(sequences.reversed_codes())]


def _flat_one_hot(codes: Tensor, size: int) -> Tensor:
    hot = codes[..., None] == torch.arange(size, dtype=codes.dtype)  # (n, length, size)
    return hot.flatten(1).float()


def _nearest_hamming(codes: Tensor, lengths: IntArray, train: SequenceCollection) -> FloatArray:
    size, length = train.alphabet.size, train.codes.shape[1]
    against = _flat_one_hot(train.codes, size).T
    most = [(_flat_one_hot(rows, size) @ against).amax(dim=1) for rows in codes.split(ROWS_AT_ONCE)]
    return (1 - torch.cat(most).double() / length).numpy()


def _nearest_edit(codes: Tensor, lengths: IntArray, train: SequenceCollection) -> FloatArray:
    k = 4 if train.alphabet.size <= 4 else 2
    k = min(k, codes.shape[1], train.codes.shape[1])
    mine, theirs = (_unit_words(given, k, train) for given in (codes, train.codes))
    nearest = np.full(len(codes), np.inf)
    for start in range(0, len(codes), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(codes)))
        alike = mine[rows] @ theirs.T  # (rows, training)
        for column in alike.topk(min(CANDIDATES, len(train)), dim=1).indices.numpy().T:
            longer = np.maximum(lengths[rows], train.lengths[column])
            found = edit_distances(
                codes.numpy()[rows], lengths[rows], train.codes.numpy()[column], train.lengths[column]
            )
            nearest[rows] = np.minimum(nearest[rows], found / longer)
    return nearest


def _unit_words(codes: Tensor, k: int, like: SequenceCollection) -> Tensor:
    counts = word_counts(codes, k, alphabet=like.alphabet).toarray()
    return normalize(torch.from_numpy(counts).float(), dim=1)  # (n, words)

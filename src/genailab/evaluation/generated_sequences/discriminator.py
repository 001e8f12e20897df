"""Classifiers that try to tell generated from real sequences they were not trained on.

Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests". Sequences that are nearly the same are kept
in one fold: a classifier that has seen a sequence's twin would recognise it instead of its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from scipy.sparse.csgraph import connected_components
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.discriminator import stratified_folds
from genailab.evaluation.generated_sequences.collection import SequenceCollection
from genailab.evaluation.generated_sequences.kmer_spectra import word_counts
from genailab.evaluation.generated_sequences.novelty import hamming_matches

__all__ = ["discriminator_features", "forest", "logistic", "out_of_fold_scores", "related_groups"]

Classifier = Callable[[int], Any]


def logistic(seed: int) -> LogisticRegression:
    """Make a logistic regression, which sees differences that add up over words and positions."""
    return LogisticRegression(C=0.05, max_iter=300, random_state=seed)


def forest(n_trees: int) -> Classifier:
    """Extremely randomised trees (Geurts et al. 2006): they see combinations of words and positions too."""

    def made(seed: int) -> ExtraTreesClassifier:
        # Each tree sees half of the rows: as good here, in half of the time.
        return ExtraTreesClassifier(
            n_trees, min_samples_leaf=3, bootstrap=True, max_samples=0.5, random_state=seed, n_jobs=1
        )

    return made


def discriminator_features(sequences: SequenceCollection, *, k: int, positions: bool) -> FloatArray:
    """Shares of the words of 1 to ``k`` letters, and the letter at each position: ``(n, features)`` float32.

    Parameters
    ----------
    k
        Longest word.
    positions
        Whether to add positions, for sequences that all have one length.
    """
    size = sequences.alphabet.size
    blocks = []
    for each in range(1, k + 1):
        counts = word_counts(sequences.codes, each, alphabet=sequences.alphabet).toarray()
        # Scaled so that a word's count varies by about 1, as a letter at a position does at most.
        blocks.append(np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * size**each) / 2)
    if positions:
        hot = sequences.codes[..., None] == torch.arange(size, dtype=torch.uint8)  # (n, length, size)
        blocks.append(hot.flatten(1).numpy())
    return np.concatenate(blocks, axis=1).astype(np.float32)


def related_groups(sequences: SequenceCollection, *, identity: float = 0.9) -> IntArray:
    """Code of each sequence's group, ``(n,)``: copies and near-copies, directly or through others.

    Copies are found on either strand; near-copies are sequences of one length of which at least ``identity``
    of the letters agree.
    """
    words = sequences.words(both_strands=True)
    codes = np.unique(np.array(words, dtype=object), return_inverse=True)[1]
    if not sequences.aligned:
        return codes
    near = _near(sequences.codes, sequences.alphabet.size, identity)
    same = sp.csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)))
    return connected_components(near + same @ same.T, directed=False)[1]


def out_of_fold_scores(
    features: FloatArray,
    generated: np.ndarray,
    *,
    classifier: Classifier,
    groups: IntArray,
    n_folds: int = 5,
    seed: int = 0,
) -> FloatArray:
    """Probability of being generated, ``(n,)``, each by a classifier that saw no related sequence.

    Parameters
    ----------
    features
        ``(n, features)``.
    generated
        Whether each row is generated, ``(n,)`` bool.
    classifier
        Makes an unfitted classifier from a seed: `logistic`, or `forest` of some trees.
    groups
        Codes of related rows, which stay in one fold.
    n_folds, seed
        Folds, and the seed of folds and classifiers.

    Raises
    ------
    InputError
        If there are fewer groups of either origin than folds.
    """
    least = min(len(set(groups[generated])), len(set(groups[~generated])))
    if least < n_folds:
        raise InputError(
            f"{n_folds} folds need at least {n_folds} unrelated sequences of each origin, got {least}: "
            "compare more, or more different, sequences"
        )
    scores = np.empty(len(features))
    folds = _folds(generated, groups, n_folds=n_folds, generator=np.random.default_rng(seed))
    for fold in range(n_folds):
        held_out = folds == fold
        model = classifier(seed + fold).fit(features[~held_out], generated[~held_out])
        scores[held_out] = model.predict_proba(features[held_out])[:, 1]
    return scores


def _folds(
    generated: np.ndarray, groups: IntArray, *, n_folds: int, generator: np.random.Generator
) -> IntArray:
    """Fold of each row: whole groups, and groups of as many real and generated rows spread evenly."""
    n_groups = int(groups.max()) + 1
    made = np.stack([np.bincount(groups[rows], minlength=n_groups) for rows in (generated, ~generated)])
    kinds = np.unique(made, axis=1, return_inverse=True)[1].ravel()
    return stratified_folds(kinds, n_folds=n_folds, generator=generator)[groups]


def _near(codes: Tensor, size: int, identity: float) -> sp.csr_matrix:
    rows: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    least = identity * codes.shape[1] - 1e-6
    for start in range(0, len(codes), 512):
        row, column = (hamming_matches(codes[start : start + 512], codes, size) >= least).nonzero().numpy().T
        rows.append(row + start)
        columns.append(column)
    joined = np.concatenate(rows), np.concatenate(columns)
    return sp.csr_matrix((np.ones(len(joined[0])), joined), shape=(len(codes), len(codes)))

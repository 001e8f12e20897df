"""Every metric of generated sequences, by name, in all resamples at once."""

from __future__ import annotations

import numpy as np

from genailab.data.sequences.alphabet import PROTEIN
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.bootstrap import Weights
from genailab.evaluation.discriminator import auroc
from genailab.evaluation.generated_sequences.attribution_consistency import attribution_correlation
from genailab.evaluation.generated_sequences.collection import SequenceCollection, together
from genailab.evaluation.generated_sequences.discriminator import (
    Classifier,
    discriminator_features,
    forest,
    logistic,
    out_of_fold_scores,
    related_groups,
)
from genailab.evaluation.generated_sequences.distribution_distances import kolmogorov_smirnov, wasserstein
from genailab.evaluation.generated_sequences.diversity import (
    diversity_ratio,
    first_of_kind,
    pairwise_distances,
)
from genailab.evaluation.generated_sequences.frechet import frechet_distance
from genailab.evaluation.generated_sequences.kmer_spectra import spectrum_correlation, spectrum_distance
from genailab.evaluation.generated_sequences.motif_frequencies import (
    co_occurrence_correlation,
    rate_correlation,
)
from genailab.evaluation.generated_sequences.novelty import novelty_ratio
from genailab.evaluation.generated_sequences.options import SequenceOptions
from genailab.evaluation.generated_sequences.reading_frames import coding_validity, protein_validity
from genailab.evaluation.generated_sequences.view import SequenceView

__all__ = [
    "composition",
    "discriminators",
    "diversity",
    "have_one_length",
    "motif_statistics",
    "novelty",
    "predictions",
    "share",
    "spectra",
    "validity",
]

Values = dict[str, FloatArray]

FEWEST_MOTIFS = 5  # a correlation over fewer says nothing


def composition(real: SequenceView, generated: SequenceView, weights: Weights) -> Values:
    """GC content of nucleotides, and lengths where they differ."""
    values: Values = {}
    if real.sequences.alphabet.size == 4:
        values["GC KS"] = kolmogorov_smirnov(real.gc, generated.gc, weights)
    if not have_one_length(real.sequences, generated.sequences):
        lengths = real.sequences.lengths.astype(float), generated.sequences.lengths.astype(float)
        values["length KS"] = kolmogorov_smirnov(*lengths, weights)
    return values


def spectra(real: SequenceView, generated: SequenceView, weights: Weights) -> Values:
    """Distance and correlation of the spectra of each length of words that both sets have."""
    values: Values = {}
    for k in sorted(set(real.counts) & set(generated.counts)):
        pair = real.counts[k], generated.counts[k]
        values[f"{k}-mer distance"] = spectrum_distance(*pair, weights)
        values[f"{k}-mer correlation"] = spectrum_correlation(*pair, weights)
    return values


def motif_statistics(real: SequenceView, generated: SequenceView, weights: Weights) -> Values:
    """How often motifs occur, and in which company; nothing where there are fewer than 5."""
    if len(real.motifs) < FEWEST_MOTIFS:
        return {}
    return {
        "motif rate correlation": rate_correlation(real.hits, generated.hits, weights),
        "motif co-occurrence correlation": co_occurrence_correlation(real.hits, generated.hits, weights),
    }


def predictions(real: SequenceView, generated: SequenceView, weights: Weights) -> Values:
    """Compare what the given predictors make of either set."""
    values: Values = {}
    given = real.predictors
    if given.embed is not None:
        values["Frechet distance"] = frechet_distance(real.embeddings, generated.embeddings, weights)
    if given.activity is not None:
        pair = real.activity, generated.activity
        values["activity KS"] = kolmogorov_smirnov(*pair, weights)
        values["activity Wasserstein"] = wasserstein(*pair, weights) / (real.activity.std() or 1.0)
    if given.attribute is not None:
        values["attribution correlation"] = attribution_correlation(
            (real.sequences.codes, real.attributions),
            (generated.sequences.codes, generated.attributions),
            weights,
            alphabet=real.sequences.alphabet,
        )
    return values


def discriminators(
    real: SequenceView, generated: SequenceView, weights: Weights, *, options: SequenceOptions, seed: int
) -> Values:
    """AUROC of a logistic regression and of a forest, out of fold."""
    pooled = together(real.sequences, generated.sequences)
    k = options.discriminator_words(pooled.alphabet, pooled.codes.shape[1])
    features = discriminator_features(pooled, k=k, positions=pooled.aligned)
    origin = np.arange(len(pooled)) >= len(real)
    groups = related_groups(pooled, identity=options.related)
    if np.bincount(groups).max() > len(pooled) / options.n_folds:
        # All are variants of one sequence: only copies can then be kept together.
        groups = related_groups(pooled, identity=1.0)
    classifiers: dict[str, Classifier] = {"logistic AUROC": logistic}
    if options.n_trees:
        classifiers["forest AUROC"] = forest(options.n_trees)
    values: Values = {}
    for name, classifier in classifiers.items():
        scores = out_of_fold_scores(
            features, origin, classifier=classifier, groups=groups, n_folds=options.n_folds, seed=seed
        )
        values[name] = auroc(scores[~origin], scores[origin], weights)
    return values


def diversity(real: SequenceView, generated: SequenceView, weights: Weights) -> Values:
    """How different sequences are from one another, and how many repeat another."""
    aligned = have_one_length(real.sequences, generated.sequences)
    within_real = pairwise_distances(real.sequences, aligned=aligned)
    within_generated = pairwise_distances(generated.sequences, aligned=aligned)
    return {
        "diversity ratio": diversity_ratio(within_real, within_generated, weights),
        "unique share": share(first_of_kind(generated.sequences), weights.generated),
    }


def novelty(
    nearest_real: FloatArray, nearest_generated: FloatArray, copies: FloatArray, weights: Weights
) -> Values:
    """Exact copies and distance to the nearest training sequence, on either strand."""
    values = {"exact-copy rate": share(copies, weights.generated)}
    # Where every held-out sequence is a training sequence, no distance is a measure.
    if nearest_real.any():
        values["novelty ratio"] = novelty_ratio(nearest_real, nearest_generated, weights)
    return values


def validity(generated: SequenceView, weights: Weights, *, coding: bool) -> Values:
    """Whether coding sequences are open reading frames, and proteins proteins."""
    if generated.sequences.alphabet is PROTEIN:
        valid = protein_validity(generated.sequences)["valid"]
        return {"valid proteins": share(valid.to_numpy(float), weights.generated)}
    if not coding:
        return {}
    valid = coding_validity(generated.sequences)["valid"]
    return {"open reading frames": share(valid.to_numpy(float), weights.generated)}


def share(of: FloatArray, weights: FloatArray) -> FloatArray:
    """Share of the rows that are marked 1, in each resample: ``(draws,)``."""
    return np.asarray(weights @ of / weights.sum(axis=1))


def have_one_length(*sets: SequenceCollection) -> bool:
    """Whether all sequences of all sets have one and the same length."""
    return len({length for each in sets for length in each.lengths.tolist()}) == 1

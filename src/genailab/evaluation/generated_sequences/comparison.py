"""Generated sequences against held-out real ones: every metric with its interval, baselines and a ceiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from genailab.data.motifs.motif import Motif
from genailab.data.sequences.alphabet import DNA, Alphabet
from genailab.errors import InputError, nearest
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.bootstrap import Weights, bootstrap_weights, interval
from genailab.evaluation.classifier import agreement
from genailab.evaluation.generated_sequences import statistics as statistics
from genailab.evaluation.generated_sequences.collection import SequenceCollection, Sequences
from genailab.evaluation.generated_sequences.discriminator import discriminator_features
from genailab.evaluation.generated_sequences.motif_frequencies import P_VALUE, MotifPanel
from genailab.evaluation.generated_sequences.novelty import copied, nearest_training_distance
from genailab.evaluation.generated_sequences.options import SequenceOptions, SequencePredictors
from genailab.evaluation.generated_sequences.references import ceiling_rows, reference_sequences
from genailab.evaluation.generated_sequences.view import SequenceView
from genailab.evaluation.metrics import GENERATED_SEQUENCE_METRICS
from genailab.evaluation.scores import Score

__all__ = ["SequenceComparison"]

CHOOSING = 500  # training sequences by which motifs are chosen

# Streams of random numbers, so that each step draws the same whatever the others do.
PREPARING, SUBSAMPLING, REAL, GENERATED, REFERENCES = range(5)


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceComparison:
    """What many subjects are compared with: the held-out sequences, motifs and a classifier, made once.

    Make it with `fit`. Every subject then meets the same sequences, motifs and resamples.

    Parameters
    ----------
    real
        The held-out sequences, at most ``options.max_sequences`` of them.
    train
        All training sequences.
    ceiling_rows
        Those of ``train`` that stand in for generated sequences in the ceiling.
    neighbours
        Rows of ``train`` among which the nearest is sought.
    classifier
        Of the classes; None where there are no two.
    coding
        Whether the sequences are coding sequences, read from their first letter.
    options, seed
        How sequences are compared.
    """

    real: SequenceView
    train: SequenceCollection
    ceiling_rows: IntArray
    neighbours: IntArray
    classifier: LogisticRegression | None
    coding: bool
    options: SequenceOptions
    seed: int

    @classmethod
    def fit(
        cls,
        real: Sequences,
        *,
        train: Sequences,
        alphabet: Alphabet = DNA,
        labels: Sequence[str] | None = None,
        train_labels: Sequence[str] | None = None,
        motifs: Sequence[Motif] = (),
        predictors: SequencePredictors | None = None,
        coding: bool = False,
        options: SequenceOptions | None = None,
        seed: int = 0,
    ) -> SequenceComparison:
        """Prepare a comparison with held-out ``real`` sequences.

        Parameters
        ----------
        real, train
            uint8 codes ``(n, length)``, or text of any lengths: sequences that no part of the generator has
            seen, and those that it was trained on. Related sequences belong on one side.
        alphabet
            What codes and text mean.
        labels, train_labels
            Classes of the sequences; both or none.
        motifs
            To choose from, such as ``read_jaspar(tax_group="vertebrates")``; DNA only.
        predictors
            Independent judges; the metrics that need one are left out without.
        coding
            Whether the sequences are coding sequences, read from their first letter.
        options, seed
            How to compare; the same seed and sequences give the same scores.

        Raises
        ------
        InputError
            If there are too few sequences, a letter is not of the alphabet, or labels don't fit.
        """
        options, predictors = options or SequenceOptions(), predictors or SequencePredictors()
        generator = np.random.default_rng([seed, PREPARING])
        learned = _labelled(train, alphabet, train_labels, kind="training", least=4 * options.n_folds)
        given = _labelled(real, alphabet, labels, kind="held-out", least=2 * options.n_folds)
        _check_labels(learned, given)
        held_out = given.subsample(options.max_sequences, generator)
        view = SequenceView(
            sequences=held_out,
            n_given=len(given),
            words=options.words(alphabet, held_out.codes.shape[1]),
            motifs=_motifs(learned, motifs, options, generator),
            predictors=predictors,
        )
        return cls(
            real=view,
            train=learned,
            ceiling_rows=ceiling_rows(learned, held_out, generator),
            neighbours=_neighbours(len(learned), options.max_train, generator),
            classifier=_classifier(learned, options) if predictors.classify is None else None,
            coding=coding,
            options=options,
            seed=seed,
        )

    def compare(
        self, generated: Sequences | SequenceCollection, *, subject: str, labels: Sequence[str] | None = None
    ) -> list[Score]:
        """Score generated sequences in every metric, in the order of `GENERATED_SEQUENCE_METRICS`.

        Parameters
        ----------
        generated
            uint8 codes ``(n, length)`` or text. Generate as many, of the same classes, as there are held-out
            sequences: distances of finite sets shrink as the sets grow. Of more, as many are drawn.
        subject
            What made them.
        labels
            The class that was asked for, of each.

        Raises
        ------
        InputError
            If there are too few sequences, a letter is not of the alphabet, or a label is unknown.
        """
        alphabet = self.train.alphabet
        found = (
            generated
            if isinstance(generated, SequenceCollection)
            else _labelled(generated, alphabet, labels, kind="generated", least=2 * self.options.n_folds)
        )
        _check_known(found, self.train)
        kept = found.subsample(len(self.real), np.random.default_rng([self.seed, SUBSAMPLING]))
        view = replace(self.real, sequences=kept, n_given=len(found))
        near = self.train.subset(self.neighbours)
        values = self._values(view, train=near, copies=copied(kept, self.train))
        weights = self._weights(view)
        if kept.labels is not None and (predicted := self._classes(view)) is not None:
            values["class fidelity"] = agreement(predicted, kept.labels, weights.generated)
        return self._scores(values, view, subject=subject)

    def baselines(self) -> list[Score]:
        """Score the simplest generators, fitted to the training sequences: see `reference_sequences`."""
        generator = np.random.default_rng([self.seed, REFERENCES])
        made = reference_sequences(self.train, self.real.sequences, generator=generator)
        return [score for name, each in made.items() for score in self.compare(each, subject=name)]

    def ceiling(self) -> list[Score]:
        """Score real sequences as if they had been generated: what a perfect model would reach.

        Training sequences of the held-out ones' classes stand in for generated ones; they are taken out of
        the training set before the nearest one is sought. Copies are counted, and classes recognised, among
        the held-out sequences instead: a generator's copies are held against the test-to-train rate.
        """
        stand_in = self.train.subset(self.ceiling_rows)
        view = replace(self.real, sequences=stand_in, n_given=len(stand_in))
        others = self.train.subset(np.setdiff1d(self.neighbours, self.ceiling_rows))
        values = self._values(view, train=others, copies=np.zeros(len(view)))
        weights = self._weights(view)
        held_out = self.real.sequences
        values["exact-copy rate"] = statistics.share(copied(held_out, self.train), weights.real)
        if held_out.labels is not None and (predicted := self._classes(self.real)) is not None:
            values["class fidelity"] = agreement(predicted, held_out.labels, weights.real)
        return self._scores(values, view, subject="ceiling")

    def _values(
        self, view: SequenceView, *, train: SequenceCollection, copies: FloatArray
    ) -> dict[str, FloatArray]:
        weights = self._weights(view)
        pair = self.real, view
        nearest_real, nearest_generated = (nearest_training_distance(each.sequences, train) for each in pair)
        return {
            **statistics.composition(*pair, weights),
            **statistics.spectra(*pair, weights),
            **statistics.motif_statistics(*pair, weights),
            **statistics.predictions(*pair, weights),
            **statistics.discriminators(*pair, weights, options=self.options, seed=self.seed),
            **statistics.diversity(*pair, weights),
            **statistics.novelty(nearest_real, nearest_generated, copies, weights),
            **statistics.validity(view, weights, coding=self.coding),
        }

    def _weights(self, view: SequenceView) -> Weights:
        # The held-out sequences' resamples are the same for every subject, so that subjects differ by
        # themselves only.
        real, generated = (
            bootstrap_weights(
                len(each),
                n_bootstrap=self.options.n_bootstrap,
                generator=np.random.default_rng([self.seed, stream]),
                types=_codes(each.sequences),
            )
            for each, stream in ((self.real, REAL), (view, GENERATED))
        )
        return Weights(real=real, generated=generated)

    def _classes(self, view: SequenceView) -> Sequence[str] | None:
        if self.real.predictors.classify is not None:
            return [str(name) for name in self.real.predictors.classify(view.sequences.codes)]
        if self.classifier is None:
            return None
        return self.classifier.predict(_class_features(view.sequences, self.train, self.options))

    def _scores(self, values: Mapping[str, FloatArray], view: SequenceView, *, subject: str) -> list[Score]:
        kind = "training" if subject == "ceiling" else "generated"
        scores = []
        for metric in GENERATED_SEQUENCE_METRICS:
            if metric.name not in values:
                continue
            found = interval(values[metric.name], lowest=metric.lowest, highest=metric.highest)
            scores.append(
                Score(
                    metric=metric.name,
                    subject=subject,
                    value=found.value,
                    ci_low=found.low,
                    ci_high=found.high,
                    better=metric.better,
                    space=self._space(metric.name, view, kind=kind),
                    n=len(view),
                )
            )
        return scores

    def _space(self, metric: str, view: SequenceView, *, kind: str) -> str:
        options, alphabet = self.options, self.train.alphabet
        sets = f"{self.real.count()} held-out and {view.count()} {kind} sequences of {_lengths(view)}"
        k = options.discriminator_words(alphabet, self.real.sequences.codes.shape[1])
        seen = f"words of 1 to {k} letters, and positions where lengths are one; {options.n_folds} folds"
        aligned = statistics.have_one_length(self.real.sequences, view.sequences)
        distance = "Hamming distance" if aligned else "edit distance"
        near = f"{distance}, nearest of {len(self.neighbours):,} of {len(self.train):,} training sequences"
        details = {
            "motif rate correlation": f"{len(self.real.motifs)} motifs, sites with p <= {P_VALUE:g}",
            "motif co-occurrence correlation": f"pairs of {len(self.real.motifs)} motifs",
            "Frechet distance": "the given predictor's embeddings, Ledoit-Wolf covariance",
            "logistic AUROC": seen,
            "forest AUROC": f"{options.n_trees} trees; {seen}",
            "diversity ratio": "Hamming distance" if aligned else "cosine distance of words",
            "novelty ratio": near,
            "exact-copy rate": f"among all {len(self.train):,} training sequences",
            "class fidelity": "the given classifier"
            if self.classifier is None
            else f"logistic regression on {len(self.train):,} training sequences",
        }
        return f"{details[metric]}; {sets}" if metric in details else sets


def _labelled(
    sequences: Sequences, alphabet: Alphabet, labels: Sequence[str] | None, *, kind: str, least: int
) -> SequenceCollection:
    return SequenceCollection.of(sequences, alphabet=alphabet, labels=labels, kind=kind, least=least)


def _check_labels(train: SequenceCollection, real: SequenceCollection) -> None:
    if (train.labels is None) != (real.labels is None):
        without = "training" if train.labels is None else "held-out"
        raise InputError(f"the {without} sequences have no labels, the others have: label both or none")
    _check_known(real, train)


def _check_known(found: SequenceCollection, train: SequenceCollection) -> None:
    if found.labels is None or train.labels is None:
        return
    for row, label in enumerate(found.labels):
        if label not in train.labels:
            raise InputError(
                f"sequence {row} (from 0) has label {label!r}, which no training sequence has: "
                f"{nearest(label, sorted(set(train.labels)))}"
            )


def _motifs(
    train: SequenceCollection,
    motifs: Sequence[Motif],
    options: SequenceOptions,
    generator: np.random.Generator,
) -> MotifPanel:
    if not motifs or not options.n_motifs:
        return MotifPanel.of([])
    if train.alphabet is not DNA:
        raise InputError(f"motifs are looked for in DNA, not in {train.alphabet.name}: leave them out")
    chosen_on = train.subsample(CHOOSING, generator).codes
    return MotifPanel.frequent(chosen_on, motifs, most=options.n_motifs)


def _neighbours(n: int, most: int, generator: np.random.Generator) -> IntArray:
    return np.arange(n) if n <= most else np.sort(generator.choice(n, size=most, replace=False))


def _classifier(train: SequenceCollection, options: SequenceOptions) -> LogisticRegression | None:
    if train.labels is None or len(set(train.labels)) < 2:
        return None
    rows = _neighbours(len(train), options.max_train, np.random.default_rng(0))
    fitted = train.subset(rows)
    return LogisticRegression(C=0.1, max_iter=500).fit(
        _class_features(fitted, train, options), np.asarray(fitted.labels)
    )


def _class_features(
    sequences: SequenceCollection, train: SequenceCollection, options: SequenceOptions
) -> FloatArray:
    k = options.discriminator_words(train.alphabet, train.codes.shape[1])
    if train.aligned and not statistics.have_one_length(sequences, train):
        raise InputError(
            f"sequences have {sequences.lengths.min()} to {sequences.lengths.max()} letters, the training "
            f"sequences {train.lengths[0]}: the class of aligned sequences is told at that length alone, so "
            "generate it"
        )
    return discriminator_features(sequences, k=k, positions=train.aligned)


def _codes(sequences: SequenceCollection) -> IntArray | None:
    if sequences.labels is None:
        return None
    return np.unique(np.asarray(sequences.labels), return_inverse=True)[1]


def _lengths(view: SequenceView) -> str:
    low, high = int(view.sequences.lengths.min()), int(view.sequences.lengths.max())
    return f"{low} letters" if low == high else f"{low} to {high} letters"

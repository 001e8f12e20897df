"""Generated cells against held-out real ones, in every metric, with intervals and a ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from genailab.data.cells.dataset import CellDataset
from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray, IntArray
from genailab.evaluation.bootstrap import Weights, bootstrap_weights, interval
from genailab.evaluation.ceiling import ceiling_rows
from genailab.evaluation.classifier import agreement as type_agreement
from genailab.evaluation.classifier import train_type_classifier
from genailab.evaluation.comparable import comparable, subsample
from genailab.evaluation.discriminator import auroc, out_of_fold_scores
from genailab.evaluation.gene_statistics import gene_statistics, row_correlation
from genailab.evaluation.memorisation import nearest_distances, nearest_ratio
from genailab.evaluation.metrics import METRICS
from genailab.evaluation.options import ComparisonOptions
from genailab.evaluation.prdc import prdc
from genailab.evaluation.scores import Score
from genailab.evaluation.sliced_wasserstein import random_directions, sliced_wasserstein
from genailab.evaluation.space import CellSpace, CellView
from genailab.evaluation.two_sample import (
    Distances,
    energy_distance,
    maximum_mean_discrepancy,
    median_bandwidth,
)

__all__ = ["CellComparison", "compare"]


def compare(
    real: CellDataset,
    generated: CellDataset,
    *,
    train: CellDataset,
    subject: str,
    seed: int = 0,
    n_bootstrap: int = 200,
    agreement: bool = True,
) -> list[Score]:
    """Score generated cells against held-out real ones; several subjects are quicker in a `CellComparison`.

    Parameters
    ----------
    real
        Held-out real cells, which no part of the model has seen.
    generated
        Cells to judge, over the same genes. Their labels are the types that were asked for.
    train
        The real cells that the model was trained on.
    subject
        What made the generated cells, as it shall stand in a table.
    seed
        The same seed and cells give the same scores.
    n_bootstrap
        Resamples an interval is made of.
    agreement
        Whether to score the types asked for; False where they are unknown.

    Returns
    -------
    A score a metric, in the order of `genailab.evaluation.metrics.METRICS`.

    Raises
    ------
    InputError
        If the genes differ, a count is negative or not finite, or there are too few cells.
    """
    options = ComparisonOptions(n_bootstrap=n_bootstrap)
    comparison = CellComparison.fit(real, train=train, options=options, seed=seed)
    return comparison.compare(generated, subject=subject, agreement=agreement)


@dataclass(frozen=True, kw_only=True)
class CellComparison:
    """What many subjects are compared with: the held-out cells, the space, and a classifier, made once.

    Make it with `fit`. Every subject then meets the same cells, kernel bandwidth, directions and resamples.

    Parameters
    ----------
    real
        The held-out cells as seen in ``space``.
    train
        The training cells; those in ``ceiling_rows`` stand in for generated cells in the ceiling, and no part
        of ``space`` was fitted on them.
    train_points
        All training cells in ``space``, ``(cells, dims)``.
    space, classifier, bandwidth, directions
        The fitted parts; the classifier is None where there are no two types.
    options, seed
        How cells are compared.
    """

    real: CellView
    train: CellDataset
    ceiling_rows: IntArray
    train_points: FloatArray
    space: CellSpace
    classifier: LogisticRegression | None
    bandwidth: float
    directions: FloatArray
    options: ComparisonOptions
    seed: int

    @classmethod
    def fit(
        cls,
        real: CellDataset,
        *,
        train: CellDataset,
        options: ComparisonOptions | None = None,
        seed: int = 0,
    ) -> CellComparison:
        """Prepare a comparison with held-out ``real`` cells.

        The space is fitted on the training cells that the ceiling does not use: cells that principal
        components were fitted on look different from fresh ones, and the ceiling would come out too low.

        Raises
        ------
        InputError
            If the genes differ, a count is negative or not finite, or there are too few cells.
        """
        options = options or ComparisonOptions()
        least = max(options.n_neighbours + 1, options.n_folds)
        generator = np.random.default_rng([seed, 0])
        train = comparable(train, genes=train.genes, kind="training", min_cells=2 * least)
        real = comparable(real, genes=train.genes, kind="held-out", min_cells=least)
        kept = subsample(real, options.max_cells, generator)
        rows = ceiling_rows(train, kept, generator)
        others = train.subset(np.setdiff1d(np.arange(train.n_cells), rows))
        space = CellSpace.fit(
            subsample(others, options.max_cells, generator), n_components=options.n_components
        )
        view = space.view(kept, n_given=real.n_cells)
        learned = space.view(subsample(train, options.max_cells, generator))
        return cls(
            real=view,
            train=train,
            ceiling_rows=rows,
            train_points=space.points(train),
            space=space,
            classifier=_classifier(learned),
            bandwidth=median_bandwidth(Distances.of(view.points, view.points).real),
            directions=random_directions(options.n_directions, space.n_dims, generator),
            options=options,
            seed=seed,
        )

    def compare(self, generated: CellDataset, *, subject: str, agreement: bool = True) -> list[Score]:
        """Score generated cells in every metric.

        Parameters
        ----------
        generated
            Cells over the same genes. Generate as many, of the same types, as there are held-out cells: some
            metrics depend on the number, all on the mixture.
        subject
            What made them.
        agreement
            Whether to score the types asked for; False where they are unknown.

        Raises
        ------
        InputError
            If the genes differ, a count is negative or not finite, or there are too few cells.
        """
        least = max(self.options.n_neighbours + 1, self.options.n_folds)
        cells = comparable(generated, genes=self.train.genes, kind="generated", min_cells=least)
        if agreement and cells.label_key is None:
            raise InputError(f"the cells of {subject!r} carry no types to agree with: pass agreement=False")
        kept = subsample(cells, self.options.max_cells, np.random.default_rng([self.seed, 1]))
        view = self.space.view(kept, n_given=cells.n_cells)
        weights = self._weights(view)
        values = self._shared_values(view, weights, self.train_points)
        if agreement and self.classifier is not None and view.types is not None:
            predicted = self.classifier.predict(view.expression)
            values["classifier agreement"] = type_agreement(predicted, view.types, weights.generated)
        return self._scores(values, self._spaces(view, kind="generated"), subject=subject, n=len(view))

    def ceiling(self) -> list[Score]:
        """Score real cells as if they had been generated: what a perfect model would reach.

        Training cells that had no part in fitting the space, of the held-out cells' types, stand in for
        generated ones. Two metrics would flatter them: they are taken out of the training set before the
        nearest training cell is sought, and the classifier, which has seen them, is scored on the held-out
        cells instead.
        """
        view = self.space.view(self.train.subset(self.ceiling_rows))
        weights = self._weights(view)
        values = self._shared_values(view, weights, np.delete(self.train_points, self.ceiling_rows, axis=0))
        if self.classifier is not None and self.real.types is not None:
            predicted = self.classifier.predict(self.real.expression)
            values["classifier agreement"] = type_agreement(predicted, self.real.types, weights.real)
        return self._scores(values, self._spaces(view, kind="training"), subject="ceiling", n=len(view))

    def _weights(self, view: CellView) -> Weights:
        # The held-out cells' resamples are the same for every subject, so that subjects differ by themselves
        # only.
        streams = [np.random.default_rng([self.seed, stream]) for stream in (2, 3)]
        real, generated = (
            bootstrap_weights(len(cells), n_bootstrap=self.options.n_bootstrap, generator=stream, types=types)
            for cells, types, stream in zip((self.real, view), _codes(self.real, view), streams, strict=True)
        )
        return Weights(real=real, generated=generated)

    def _shared_values(self, view: CellView, weights: Weights, training: FloatArray) -> dict[str, FloatArray]:
        distances = Distances.of(self.real.points, view.points)
        nearest_real = nearest_distances(self.real.points, training)
        nearest_generated = nearest_distances(view.points, training)
        return {
            "MMD": maximum_mean_discrepancy(distances, bandwidth=self.bandwidth, weights=weights),
            "energy distance": energy_distance(distances, weights),
            "sliced Wasserstein": sliced_wasserstein(self.real.points, view.points, self.directions, weights),
            **prdc(distances, k=self.options.n_neighbours, weights=weights),
            "discriminator AUROC": self._auroc(view, weights),
            **self._gene_correlations(view, weights),
            "nearest-training-cell ratio": nearest_ratio(nearest_real, nearest_generated, weights),
        }

    def _auroc(self, view: CellView, weights: Weights) -> FloatArray:
        real_types, generated_types = _codes(self.real, view)
        scores = out_of_fold_scores(
            self.real.points,
            view.points,
            real_types=real_types,
            generated_types=generated_types,
            n_folds=self.options.n_folds,
            n_trees=self.options.n_trees,
            seed=self.seed,
        )
        return auroc(*scores, weights)

    def _gene_correlations(self, view: CellView, weights: Weights) -> dict[str, FloatArray]:
        real = gene_statistics(self.real.expression, weights.real)
        generated = gene_statistics(view.expression, weights.generated)
        return {f"{name} correlation": row_correlation(real[name], generated[name]) for name in real}

    def _spaces(self, view: CellView, *, kind: str) -> dict[str, str]:
        cells = f"{self.real.count()} held-out and {view.count()} {kind} cells"
        expression = f"log1p counts per {self.space.target:,.0f}"
        # In the ceiling the classifier is scored on the held-out cells, as `ceiling` explains.
        judged = f"{self.real.count()} held-out" if kind == "training" else f"{view.count()} {kind}"
        spaces = {
            metric: f"{self.space.describe()}; {detail}; {cells}"
            for metric, detail in self._details(view, kind=kind).items()
        }
        for name in ("gene mean", "gene variance", "zero fraction"):
            spaces[f"{name} correlation"] = f"{expression}; {view.expression.shape[1]:,} genes; {cells}"
        spaces["classifier agreement"] = f"{expression}; logistic regression; {judged} cells"
        return spaces

    def _details(self, view: CellView, *, kind: str) -> dict[str, str]:
        options = self.options
        near = f"{options.n_neighbours} nearest neighbours"
        training = len(self.train_points) - (len(view) if kind == "training" else 0)
        return {
            "MMD": f"Gaussian kernel of bandwidth {self.bandwidth:.3g}, the held-out cells' median distance",
            "energy distance": "Euclidean distance",
            "sliced Wasserstein": f"{options.n_directions} random directions",
            **dict.fromkeys(("precision", "recall", "density", "coverage"), near),
            "discriminator AUROC": f"random forest of {options.n_trees} trees, {options.n_folds} folds",
            "nearest-training-cell ratio": f"nearest of {training:,} training cells",
        }

    def _scores(
        self, values: Mapping[str, FloatArray], spaces: Mapping[str, str], *, subject: str, n: int
    ) -> list[Score]:
        scores = []
        for metric in METRICS:
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
                    space=spaces[metric.name],
                    n=n,
                )
            )
        return scores


def _classifier(train: CellView) -> LogisticRegression | None:
    if train.types is None or len(set(train.types)) < 2:
        return None
    return train_type_classifier(train.expression, train.types)


def _codes(real: CellView, other: CellView) -> tuple[IntArray | None, IntArray | None]:
    if real.types is None or other.types is None:
        return None, None
    codes = np.unique(np.array([*real.types, *other.types]), return_inverse=True)[1]
    return codes[: len(real)], codes[len(real) :]

"""Three conditional tasks on real DNA, with data for the generator, for its judge, and for neither.

A judge is a predictor trained on other sequences than the generator: it says of which class a generated
sequence is. Which class was asked for is known, so that their agreement is the generator's fidelity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor

from genailab.data.bundled.sequence_sets import load_lac_promoters, load_splice_site_activity
from genailab.data.genome.chromosome_split import split_chromosomes
from genailab.data.genome.peaks import read_peaks_fasta
from genailab.data.rows import TensorRows
from genailab.data.sequences.encoding import one_hot
from genailab.evaluation.linear_baselines import LinearSequenceModel
from genailab.models.motif_cnn import MotifCNN, MotifCNNConfig
from genailab.models.promoter_mlp import PromoterMLP, PromoterMLPConfig
from genailab.training import TrainConfig, fit, seeded

__all__ = ["TASKS", "Labelled", "Task", "data_folder"]

Judge = Callable[
    [Tensor], np.ndarray
]  # uint8 codes (n, length) to a number each, above 0 for the second class

INACTIVE, ACTIVE = 0.5, 1.0  # log10 of the percentage spliced in: below 3.2%, from 10%
RARE = 0.2  # share of a class
TEST_CHROMOSOMES = ("chr8", "chr9")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Sequences with the class of each."""

    codes: Tensor  # (n, length) uint8
    labels: np.ndarray  # (n,) int64: 0 or 1

    def __len__(self) -> int:
        return len(self.codes)

    def subset(self, rows: np.ndarray) -> Labelled:
        """Keep these rows."""
        return Labelled(codes=self.codes[torch.from_numpy(rows)], labels=self.labels[rows])

    def balanced(self, most: int, generator: np.random.Generator) -> Labelled:
        """Draw as many of either class, at most ``most`` of each."""
        rows = [np.flatnonzero(self.labels == label) for label in (0, 1)]
        n = min(most, *map(len, rows))
        return self.subset(
            np.concatenate([np.sort(generator.choice(each, n, replace=False)) for each in rows])
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What is generated, and by what it is judged."""

    name: str
    covariate: str
    classes: tuple[str, str]
    train: Labelled  # the generator's
    real: Labelled  # held out from generator and judge, as many of each class
    make_judge: Callable[[], Judge]  # trains on neither
    about: str
    measured: pd.Series | None = None  # class by sequence, where every sequence was measured

    @cached_property
    def judge(self) -> Judge:
        """The judge, trained when it is first asked."""
        return self.make_judge()

    @property
    def length(self) -> int:
        """Letters of a sequence."""
        return self.train.codes.shape[1]

    @property
    def rows(self) -> TensorRows:
        """The generator's sequences as training takes them; those of a rare class are repeated.

        What is learned is ``p(sequence | class)``, on which the classes' shares have no say.
        """
        given = self.train
        n_each = np.bincount(given.labels)
        if n_each.min() < RARE * n_each.sum():
            rows = [np.resize(np.flatnonzero(given.labels == label), n_each.max()) for label in (0, 1)]
            given = given.subset(np.concatenate(rows))
        return TensorRows(codes=given.codes, **{self.covariate: torch.from_numpy(given.labels)})

    def names(self, labels: np.ndarray) -> list[str]:
        """Names of the classes."""
        return [self.classes[label] for label in labels]

    def judged(self, codes: Tensor) -> list[str]:
        """Names of the classes that the judge sees."""
        return self.names((self.judge(codes) > 0).astype(int))


def data_folder() -> Path | None:
    """Find the data beside the repository or in a folder above it."""
    roots = Path(__file__).resolve().parents
    return next((root / "shared" / "data" for root in roots if (root / "shared" / "data").is_dir()), None)


# --- 5' splice sites: active or not ----------------------------------------------------------------------


def splice_sites(folder: Path | None) -> Task:
    """9-mers whose exon is included or not; the space of them is nearly exhausted by measurement."""
    sites = load_splice_site_activity()
    activity = sites.table["log10_psi"].to_numpy()
    told = np.flatnonzero((activity < INACTIVE) | (activity >= ACTIVE))
    labels = (activity >= ACTIVE).astype(np.int64)
    parts = {
        part: Labelled(codes=sites.codes, labels=labels).subset(np.intersect1d(sites.positions(part), told))
        for part in ("train", "valid", "test")
    }
    return Task(
        name="splice_sites",
        covariate="activity",
        classes=("inactive", "active"),
        train=parts["train"],
        real=parts["test"].balanced(500, np.random.default_rng(0)),
        make_judge=partial(boosted_trees, parts["valid"]),
        about="5' splice sites of 9 nt (MPSA): inclusion of 10% and more, or below 3.2%; MAVE-NN's split",
        measured=pd.Series(labels[told], index=sites.table["sequence"].to_numpy()[told]),
    )


def boosted_trees(given: Labelled) -> Judge:
    """Train gradient-boosted trees on the letters, classes weighted alike."""
    model = HistGradientBoostingClassifier(
        max_iter=150, categorical_features=list(range(given.codes.shape[1])), class_weight="balanced"
    ).fit(given.codes.numpy(), given.labels)
    return lambda codes: model.predict_proba(codes.numpy())[:, 1] - 0.5


# --- lac promoters: low or high expression ---------------------------------------------------------------


def lac_promoters(folder: Path | None) -> Task:
    """75-bp variants of one promoter. One measurement is noise, so classes are thirds of a fitted model."""
    promoters = load_lac_promoters()
    order = np.random.default_rng(0).permutation(len(promoters))
    own, judging, held_out = np.split(order, [20_000, 40_000])
    predicted = additive_model(promoters.rows().subset(own))(promoters.codes)
    low, high = np.quantile(predicted[own], [1 / 3, 2 / 3])
    told = (predicted <= low) | (predicted >= high)
    everything = Labelled(codes=promoters.codes, labels=(predicted >= high).astype(np.int64))
    return Task(
        name="lac_promoters",
        covariate="expression",
        classes=("low", "high"),
        train=everything.subset(own[told[own]]),
        real=everything.subset(held_out[told[held_out]]).balanced(500, np.random.default_rng(0)),
        make_judge=partial(perceptron, promoters.rows().subset(judging)),
        about="lac promoters of 75 bp: lowest or highest third of expression, as a linear model fitted to "
        "the generator's 20,000 sees it; the judge is a perceptron fitted to 20,000 others; split at random, "
        "for all are variants of one promoter",
    )


def additive_model(rows: TensorRows) -> Judge:
    """Fit a ridge regression on the letters, its penalty chosen on every fifth row."""
    (codes, values), (valid_codes, valid_values) = _in_two(rows)
    model = LinearSequenceModel.fit(codes, values, valid_codes=valid_codes, valid_values=valid_values)
    return model.predict


def perceptron(rows: TensorRows) -> Judge:
    """Train a perceptron, stopped by every fifth row; 0 is the median of its predictions."""
    (codes, values), (valid_codes, valid_values) = _in_two(rows)
    mean, deviation = values.mean(), values.std()
    with seeded(0):
        model = PromoterMLP(
            PromoterMLPConfig(window=codes.shape[1], n_hidden=(64, 64), dropout=0.3, batch_norm=False)
        )
    config = TrainConfig(
        max_epochs=20, learning_rate=1e-3, weight_decay=1e-2, ema_decay=0.99, patience=4, device="cpu"
    )
    fit(
        model,
        TensorRows(codes=codes, target=(values - mean) / deviation),
        TensorRows(codes=valid_codes, target=(valid_values - mean) / deviation),
        config,
    )

    @torch.no_grad()
    def predict(codes: Tensor) -> np.ndarray:
        return model(one_hot(codes)).squeeze(1).numpy()  # (n,)

    middle = np.median(predict(rows.columns["codes"]))
    return lambda codes: predict(codes) - middle


def _in_two(rows: TensorRows) -> list[tuple[Tensor, Tensor]]:
    n = len(rows) * 4 // 5
    parts = (rows.subset(np.arange(n)).columns, rows.subset(np.arange(n, len(rows))).columns)
    return [(part["codes"], part["target"]) for part in parts]


# --- regions under peaks: CTCF or PU.1 -------------------------------------------------------------------


def binding_regions(folder: Path | None) -> Task:
    """100 bp under peaks of either factor; chromosomes are the generator's, the judge's, or held out."""
    if folder is None or not (folder / "ctcf.fa.gz").is_file():
        raise FileNotFoundError("ctcf.fa.gz and pu1.fa.gz are not here: name their folder with --data")
    codes, intervals = zip(
        *(read_peaks_fasta(folder / f"{name}.fa.gz") for name in ("pu1", "ctcf")), strict=True
    )
    labels = np.repeat([0, 1], [len(each) for each in codes])
    places = pd.concat(intervals, ignore_index=True)
    known = torch.cat(codes)
    own = sorted(set(places["chrom"]) - set(TEST_CHROMOSOMES))
    judging = tuple(own[::3])  # of the rest every third, by name
    split = split_chromosomes(places, valid=judging, test=TEST_CHROMOSOMES)
    clean = (known < 4).all(dim=1).numpy()
    everything = Labelled(codes=known, labels=labels)
    parts = {
        part: everything.subset(rows[clean[rows]])
        for part, rows in (("train", split.train), ("valid", split.valid), ("test", split.test))
    }
    return Task(
        name="binding_regions",
        covariate="factor",
        classes=("PU.1", "CTCF"),
        train=parts["train"],
        real=parts["test"].balanced(500, np.random.default_rng(0)),
        make_judge=partial(motif_network, parts["valid"]),
        about=f"100 bp under CTCF or PU.1 peaks; held out: {', '.join(TEST_CHROMOSOMES)}; the judge's: "
        f"{', '.join(judging)}",
    )


def motif_network(given: Labelled) -> Judge:
    """Train a MotifCNN to tell the two classes apart."""
    rows = TensorRows(codes=given.codes, target=torch.from_numpy(given.labels).float())
    with seeded(0):
        model = MotifCNN(MotifCNNConfig(window=given.codes.shape[1], n_filters=32, n_hidden=32))
    fit(model, rows, None, TrainConfig(max_epochs=4, learning_rate=2e-3, schedule="cosine", device="cpu"))

    @torch.no_grad()
    def judge(codes: Tensor) -> np.ndarray:
        return torch.cat([model(one_hot(some)).squeeze(1) for some in codes.split(512)]).numpy()  # (n,)

    return judge


TASKS: dict[str, Callable[[Path | None], Task]] = {
    "splice_sites": splice_sites,
    "lac_promoters": lac_promoters,
    "binding_regions": binding_regions,
}

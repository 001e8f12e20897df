"""Checks of s01.2, on real blood cells: genes by samples, where AnnData has cells by genes.

``counts.csv`` is a corner of ``genailab.data.load_pbmc`` (10x Genomics PBMC 68k, Zheng et al. 2017): its
first 60 cells and the 100 genes that vary most in them, kept here because scanpy takes seconds to import.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genailab.learn.checking import Attempt, Mistake, check

AXES = ("gene", "sample")
ROWS = (Path(__file__).parent / "counts.csv").read_text(encoding="utf-8").splitlines()[1:]
COUNTS = np.array([row.split(",")[1:] for row in ROWS], dtype=np.float64)  # (100 genes, 60 samples)

PER_GENE = (
    "Each gene was divided by its own sum. Axis 0 is genes here: a library size is the sum of a sample, so "
    "that is the axis which must go. In an AnnData, cells by genes, it would be the other one."
)
GENES_FIRST = (
    "These are the numbers of the other axis. Axis 0 is genes here: what is asked for one number a gene must "
    "sum over axis 1, and the other way round. (In an AnnData, cells by genes, axes are swapped.)"
)
BIASED = (
    "This divides by n. The samples are a few of many possible ones, and the spread around their own mean "
    "is too small: dividing by n - 1 makes up for it. torch.std does so by default, numpy does not."
)


def tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))


def some_counts(attempt: Attempt, genes: int = 30, samples: int = 12) -> np.ndarray:
    """Real counts of genes and cells drawn at random; of each cell at least three reads."""
    rows = attempt.rng.choice(len(COUNTS), genes, replace=False)
    usable = np.flatnonzero(COUNTS[rows].sum(axis=0) >= 3)
    return COUNTS[np.ix_(rows, attempt.rng.choice(usable, samples, replace=False))]


def cpm(counts: np.ndarray, axis: int | None = 0) -> np.ndarray:
    """The reference; ``axis`` None or 1 is how it goes wrong."""
    size = counts.sum(axis=axis, keepdims=True)
    return counts / np.where(size > 0, size, 1) * 1e6


def standardise(values: np.ndarray, axis: int | None = 1, ddof: int = 1) -> np.ndarray:
    std = values.std(axis=axis, ddof=ddof, keepdims=True)
    return (values - values.mean(axis=axis, keepdims=True)) / np.where(std > 0, std, 1)


def has_nan(yours: Tensor) -> bool:
    return bool((~torch.isfinite(yours)).any())


@check("Each sample is scaled to one million")
def scales(attempt: Attempt) -> None:
    counts = some_counts(attempt, 8, 6)
    attempt.compare(
        "counts_per_million",
        tensor(counts).float(),
        expected=tensor(cpm(counts)),
        mistakes=[
            Mistake("axis 0 is genes here", tensor(cpm(counts, axis=1)), PER_GENE),
            Mistake(
                "one library size for all",
                tensor(cpm(counts, axis=None)),
                "All samples were divided by the sum of the whole table: a sample sequenced twice as deep "
                "still looks as if every gene in it were twice as active.",
            ),
            Mistake(
                "shares, not per million",
                tensor(cpm(counts) / 1e6),
                "The samples sum to 1. One million was asked for: so that log(1 + x) does not treat every "
                "value as next to nothing.",
            ),
        ],
        axes=AXES,
        picture="matrix",
    )


@check("Counts may be whole numbers, as they come from the sequencer")
def whole_numbers(attempt: Attempt) -> None:
    counts = some_counts(attempt, 6, 4)
    attempt.compare(
        "counts_per_million", tensor(counts).long(), expected=tensor(cpm(counts)), axes=AXES, tolerance=1e-4
    )


@check("A sample without reads stays zeros")
def empty_sample(attempt: Attempt) -> None:
    counts = some_counts(attempt, 8, 5)
    counts[:, attempt.rng.integers(5)] = 0
    attempt.compare(
        "counts_per_million",
        tensor(counts).float(),
        expected=tensor(cpm(counts)),
        mistakes=[
            Mistake(
                "an empty sample becomes nan",
                has_nan,
                "0 / 0 is nan, and one nan makes every mean that includes it nan. Choose a divisor "
                "that is not 0 there.",
            )
        ],
        axes=AXES,
        why="An empty well or droplet is common: it must not spoil the statistics of all the others.",
    )


@check("Sequencing a sample deeper changes nothing")
def depth(attempt: Attempt) -> None:
    counts = some_counts(attempt)
    deeper = counts * attempt.rng.integers(1, 9, size=counts.shape[1])
    once, again = (attempt.call("log_expression", tensor(each).float()) for each in (counts, deeper))
    attempt.equal(
        again,
        once.double(),
        given="log_expression(counts), each sample multiplied by a whole number",
        tolerance=1e-4,
        axes=AXES,
        why="How often a library was sequenced says nothing about the cell it came from.",
    )


@check("The logarithm is of 1 + counts per million")
def logs(attempt: Attempt) -> None:
    counts = some_counts(attempt, 8, 6)
    per_million = cpm(counts)
    attempt.compare(
        "log_expression",
        tensor(counts).float(),
        expected=tensor(np.log1p(per_million)),
        mistakes=[
            Mistake("axis 0 is genes here", tensor(np.log1p(cpm(counts, axis=1))), PER_GENE),
            Mistake(
                "logarithm of zero",
                has_nan,
                "log(0) is minus infinity, and most entries of such a table are 0: add 1 first (log1p).",
            ),
            Mistake(
                "logarithm before scaling",
                tensor(cpm(np.log1p(counts))),
                "The logarithm was taken of the raw counts and then scaled: library sizes are factors, they "
                "can only be divided out before.",
            ),
            Mistake(
                "counts not scaled",
                tensor(np.log1p(counts)),
                "This is log(1 + counts): the counts were not scaled to their library sizes.",
            ),
            Mistake(
                "logarithm to base 2",
                tensor(np.log2(per_million + 1)),
                "This is the logarithm to base 2; the natural one was asked for, as in log1p and scanpy.",
            ),
        ],
        axes=AXES,
        picture="matrix",
    )


@check("Statistics of each gene, over the samples")
def of_genes(attempt: Attempt) -> None:
    _statistics(attempt, "gene_statistics", axis=1)


@check("Statistics of each sample, over the genes")
def of_samples(attempt: Attempt) -> None:
    _statistics(attempt, "sample_statistics", axis=0)


def _statistics(attempt: Attempt, name: str, *, axis: int) -> None:
    expression = np.log1p(cpm(some_counts(attempt, 9, 7)))

    def both(axis: int, ddof: int = 1) -> tuple[Tensor, Tensor]:
        return tensor(expression.mean(axis)), tensor(expression.std(axis, ddof=ddof))

    mean, std = both(axis)
    attempt.compare(
        name,
        tensor(expression).float(),
        expected=(mean, std),
        mistakes=[
            Mistake("axis 0 is genes here", both(1 - axis), GENES_FIRST),
            Mistake("biased standard deviation", both(axis, ddof=0), BIASED),
            Mistake(
                "variance, not standard deviation",
                (mean, std**2),
                "The second result is the variance, in squared units: its square root is asked for.",
            ),
            Mistake("standard deviation first", (std, mean), "The mean comes first."),
        ],
        tolerance=1e-4,
    )


@check("Z-scores: each gene has mean 0 and standard deviation 1")
def standardises(attempt: Attempt) -> None:
    # As many genes as samples: the shapes fit along either axis, and only the numbers tell.
    counts = some_counts(attempt, 8, 8)
    # A gene found in none of them gets a read: what becomes of constant genes is asked below.
    counts[counts.std(axis=1) == 0, attempt.rng.integers(8)] += 1
    expression = np.log1p(cpm(counts))
    attempt.compare(
        "z_scores",
        tensor(expression).float(),
        expected=tensor(standardise(expression)),
        mistakes=[
            *_of_z_scores(expression),
            Mistake(
                "statistics spread along the samples",
                tensor((expression - expression.mean(axis=1)) / expression.std(axis=1, ddof=1)),
                "The statistics of gene 0 met the values of sample 0, those of gene 1 sample 1, and so on: "
                "(genes,) fits the last axis. As a column, (genes, 1), it goes with its gene (keepdim=True).",
            ),
        ],
        tolerance=1e-4,
        axes=AXES,
        picture="matrix",
    )


def _of_z_scores(expression: np.ndarray) -> list[Mistake]:
    return [
        Mistake(
            "axis 0 is genes here",
            tensor(standardise(expression, axis=0)),
            "Each sample was standardised, not each gene: axis 0 is genes here.",
        ),
        Mistake(
            "one mean for the whole table",
            tensor(standardise(expression, axis=None)),
            "One mean and one standard deviation were taken of all values: genes that are always active "
            "still stand above all others.",
        ),
        Mistake("biased standard deviation", tensor(standardise(expression, ddof=0)), BIASED),
        Mistake(
            "centred, not scaled",
            tensor(expression - expression.mean(axis=1, keepdims=True)),
            "Each gene has mean 0, but not standard deviation 1: the loudest genes still decide everything.",
        ),
    ]


@check("A gene without variation becomes zeros")
def constant_gene(attempt: Attempt) -> None:
    expression = attempt.rng.normal(size=(6, 8)).round(3)
    silent, steady = attempt.rng.choice(6, 2, replace=False)
    expression[silent], expression[steady] = 0, 3
    attempt.compare(
        "z_scores",
        tensor(expression).float(),
        expected=tensor(standardise(expression)),
        mistakes=[
            Mistake(
                "a constant gene becomes nan",
                has_nan,
                "Its standard deviation is 0, and 0 / 0 is nan. Choose another divisor where it is 0.",
            )
        ],
        tolerance=1e-4,
        axes=AXES,
        why="Most genes are silent in most tissues: every table has rows of zeros.",
    )


@check("The simulated table is standardised")
def simulated(attempt: Attempt) -> None:
    table, yours = attempt.names.get("expression_data"), attempt.get("standardised")
    attempt.require(
        isinstance(table, Tensor) and tuple(table.shape) == (1000, 50),
        "expression_data is no longer the table of 1000 genes and 50 samples: give the z-scores a name of "
        "their own.",
    )
    values = table.double().numpy()
    attempt.equal(
        yours,
        tensor(standardise(values)),
        given="expression_data, 1000 genes x 50 samples",
        mistakes=_of_z_scores(values),
        tolerance=1e-4,
        axes=AXES,
    )

"""Checks of s01.debug: simulated cycles on the two formats of array, 48 x 48 and 24 genes x 192 samples."""

import numpy as np
import torch
from torch import Tensor

from genailab.learn.checking import Attempt, Mistake, check

AXES = ("gene", "sample")
SQUARE, WIDE = (48, 48), (24, 192)


def simulate(attempt: Attempt, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Cycles (genes, samples), and which samples were treated; some genes answer to the treatment."""
    genes, samples = shape
    treated = attempt.rng.permutation(samples) < samples // 2
    effect = np.where(np.arange(genes) % 6 == 1, attempt.rng.normal(0, 1.5, genes), 0)
    level, loaded = attempt.rng.uniform(18, 32, (genes, 1)), attempt.rng.normal(0, 0.5, samples)
    noise = attempt.rng.normal(0, 0.3, shape)
    return level + loaded - effect[:, None] * treated + noise, treated


def centre(values: np.ndarray, axis: int | None = 1) -> np.ndarray:
    return values - values.mean(axis=axis, keepdims=True)


def tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, order="C"))


def expression_of(attempt: Attempt, shape: tuple[int, int]) -> np.ndarray:
    ct, _ = simulate(attempt, shape)
    return ct[0] - ct


@check("Expression is relative to the reference gene")
def relative(attempt: Attempt) -> None:
    ct, _ = simulate(attempt, SQUARE)
    attempt.compare(
        "relative_expression",
        tensor(ct).float(),
        3,
        expected=tensor(ct[3] - ct),
        mistakes=[
            Mistake(
                "a line that was right is changed",
                lambda yours: tuple(yours.shape) == SQUARE,
                "This function was right: row reference is (samples,), and the samples are the last axis.",
            )
        ],
        axes=AXES,
        tolerance=1e-4,
    )


@check("Each gene is centred, on a square array")
def centres(attempt: Attempt) -> None:
    expression = expression_of(attempt, SQUARE)
    rows_on_columns = expression - expression.mean(axis=1)
    known = [
        Mistake(
            "means still along the samples",
            tensor(rows_on_columns),
            "The mean of gene 0 is subtracted from sample 0, that of gene 1 from sample 1, and so on. With "
            "as many genes as samples the shapes fit, and nothing complains.",
        ),
        Mistake(
            "samples centred, not genes",
            tensor(centre(expression, axis=0)),
            "Now each sample has mean 0, not each gene: axis 0 is genes here, and the mean goes over axis 1.",
        ),
        Mistake(
            "one mean for the whole table",
            tensor(centre(expression, axis=None)),
            "One mean of all values is subtracted: the shapes are right again, but no gene has mean 0.",
        ),
        Mistake(
            "table turned over",
            tensor(centre(expression).T),
            "The genes are centred, but they are in the columns now: what follows expects them in the rows.",
        ),
        Mistake(
            "not centred at all",
            tensor(expression),
            "The means are gone, and with them the centring: a gene's level still counts as its change.",
        ),
    ]
    attempt.compare(
        "centre_genes",
        tensor(expression).float(),
        expected=tensor(centre(expression)),
        mistakes=known,
        axes=AXES,
        picture="matrix",
        tolerance=1e-4,
        why="A gene's level differs from the next one's by cycles, its changes by tenths of a cycle.",
    )


@check("Each gene is centred, on any array")
def centres_wide(attempt: Attempt) -> None:
    expression = expression_of(attempt, WIDE)
    given = f"centre_genes(tensor{WIDE})"
    try:
        yours = attempt.call("centre_genes", tensor(expression).float())
    except (RuntimeError, IndexError) as error:
        attempt.fail(
            f"With 24 genes and 192 samples it stops: {error}. Shapes that fit only in a square fit by luck.",
            given=given,
            mistake="fits a square only",
        )
    attempt.equal(yours, tensor(centre(expression)), given=given, axes=AXES, tolerance=1e-4)


@check("Scaling and fold changes are as they were")
def the_rest(attempt: Attempt) -> None:
    expression = centre(expression_of(attempt, SQUARE))
    expression[5] = 0
    spread = expression.std(axis=1, ddof=1, keepdims=True)
    treated = attempt.rng.permutation(48) < 20
    attempt.compare(
        "scale_genes",
        tensor(expression).float(),
        expected=tensor(expression / np.where(spread > 0, spread, 1)),
        axes=AXES,
        tolerance=1e-4,
    )
    attempt.compare(
        "log2_fold_change",
        tensor(expression).float(),
        torch.from_numpy(treated),
        expected=tensor(expression[:, treated].mean(axis=1) - expression[:, ~treated].mean(axis=1)),
        axes=("gene",),
        tolerance=1e-4,
    )


@check("The genes that answer to the treatment are found")
def finds(attempt: Attempt) -> None:
    ct, treated = simulate(attempt, SQUARE)
    scaled = centre(ct[0] - ct)
    scaled /= np.where((std := scaled.std(axis=1, ddof=1, keepdims=True)) > 0, std, 1)
    change = np.abs(scaled[:, treated].mean(axis=1) - scaled[:, ~treated].mean(axis=1))
    right = np.argsort(-change, kind="stable")[:3]
    yours = attempt.call("most_changed", tensor(ct).float(), 0, torch.from_numpy(treated), n=3)
    # The changes themselves are compared: two genes that change alike may come in either order.
    attempt.equal(
        change[yours.numpy()],
        change[right],
        given="most_changed(ct, 0, treated, n=3), as changes in standard deviations",
        tolerance=1e-3,
        why="These genes go on to the next experiment, which costs weeks.",
    )

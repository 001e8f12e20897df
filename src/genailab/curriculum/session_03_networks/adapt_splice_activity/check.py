"""Checks of s03.adapt: measured 5' splice sites (Wong, Kinney & Krainer 2018), bundled with genailab."""

import numpy as np
import torch
import torch._dynamo  # the first optimizer loads it, which takes a second: here, before an attempt is timed
import torch.nn.functional as F
from torch import nn

from genailab.data.bundled.sequence_sets import load_splice_site_activity
from genailab.learn.checking import Attempt, Mistake, check

SITES = load_splice_site_activity()
N_TRAIN, N_HIDDEN = 4000, 2000
BETTER = 0.2  # R2 above that of the additive model
AXES = ("site", "letter", "position")


def one_hot(codes: torch.Tensor) -> torch.Tensor:
    return F.one_hot(codes.long(), 4).permute(0, 2, 1).double()  # (n, 4, 9)


def r_squared(predicted, measured) -> float:
    return float(1 - (predicted - measured).square().sum() / (measured - measured.mean()).square().sum())


def drawn(attempt: Attempt, part: str, n: int) -> tuple[list[str], torch.Tensor, torch.Tensor]:
    """Sites of a part of the data: their texts, one-hot tensors (n, 4, 9) and activity (n,)."""
    rows = attempt.rng.choice(SITES.positions(part), n, replace=False)
    activity = torch.from_numpy(SITES.table["log10_psi"].to_numpy(np.float64)[rows])
    return (
        SITES.table["sequence"].to_numpy()[rows].tolist(),
        one_hot(SITES.codes[torch.from_numpy(rows)]),
        activity,
    )


def additive(x: torch.Tensor, activity: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """Predictions of the model in which each letter has an effect of its own, by ridge regression."""
    mean = activity.mean()
    x, new = x.flatten(1), new.flatten(1)
    square = x.T @ x + torch.eye(x.shape[1], dtype=torch.float64)
    return new @ torch.linalg.solve(square, x.T @ (activity - mean)) + mean


def fit(attempt: Attempt, sites: list[str], activity: torch.Tensor) -> nn.Module:
    learn = attempt.get("fit_activity")
    attempt.get("ActivityRegressor")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        model = learn(list(sites), activity.tolist())
    attempt.require(
        isinstance(model, nn.Module), "fit_activity must return the model.", mistake="model not returned"
    )
    return model


def predict(attempt: Attempt, model: nn.Module, sites: list[str]) -> torch.Tensor:
    yours = attempt.get("predict_activity")(model, list(sites))
    attempt.require(
        isinstance(yours, torch.Tensor) and yours.shape == (len(sites),) and not yours.requires_grad,
        "predict_activity must return a tensor (n,) without a graph.",
        given=f"predict_activity(model, {len(sites)} sites)",
        yours=f"{type(yours).__name__} {tuple(getattr(yours, 'shape', ()))}",
        expected=f"Tensor ({len(sites)},)",
        mistake="output shape",
    )
    return yours.double()


@check("Sites become one-hot tensors, U being T")
def encodes(attempt: Attempt) -> None:
    sites, right, _ = drawn(attempt, "train", 6)
    sites = [*sites[:3], *(site.replace("T", "U") for site in sites[3:])]
    lost = right.clone()
    lost[3:, 3] = 0
    attempt.compare(
        "encode_sites",
        sites,
        expected=right,
        mistakes=[
            Mistake(
                "U as an unknown letter",
                lost,
                "U became a column of zeros: it is RNA's T. A 5' splice site is GU to those who work "
                "with RNA, GT to "
                "those who work with genomes.",
            ),
            Mistake("axes swapped", right.transpose(1, 2), "Letters belong before positions: (n, 4, 9)."),
        ],
        axes=AXES,
    )


@check("A site's prediction is its own")
def alone(attempt: Attempt) -> None:
    sites, _, activity = drawn(attempt, "train", 300)
    model = fit(attempt, sites, activity)
    together = predict(attempt, model, sites[:20])
    one_by_one = torch.cat([predict(attempt, model, [site]) for site in sites[:20]])
    attempt.equal(
        together,
        one_by_one,
        given="predict_activity of 20 sites together, and one by one",
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "prediction depends on the batch",
                lambda yours: yours.shape == one_by_one.shape,
                "The same site gets another number in other company: is something normalised over the "
                "batch, or dropout "
                "on? Mean and scale belong to the training data; keep them with the model.",
            )
        ],
        why="Whoever asks for a single variant must get the answer that a file of variants would give.",
    )


@check("Sites never seen are predicted far better than by adding up letters")
def held_out(attempt: Attempt) -> None:
    sites, x, activity = drawn(attempt, "train", N_TRAIN)
    new_sites, new_x, measured = drawn(attempt, "test", N_HIDDEN)
    model = fit(attempt, sites, activity)
    predicted = predict(attempt, model, new_sites)
    yours, baseline = (
        r_squared(predicted, measured),
        r_squared(additive(x, activity, new_x), measured),
    )
    shown = {
        "given": f"{N_TRAIN} measured sites to train on, {N_HIDDEN} others to predict",
        "yours": f"R2 = {yours:.3f}, predictions from {predicted.min():.2f} to {predicted.max():.2f}",
        "expected": f"R2 of at least {baseline + BETTER:.3f}; the additive model {baseline:.3f}, the "
        "training mean 0; "
        f"activity from {measured.min():.2f} to {measured.max():.2f}",
    }
    name_what_is_wrong(attempt, model, predicted, measured, enough=yours >= baseline + BETTER, shown=shown)
    attempt.require(
        yours >= baseline + BETTER,
        f"On sites it has not seen, your model explains R2 = {yours:.3f}: try more epochs, more units "
        f"or Adam.",
        **shown,
    )


def name_what_is_wrong(attempt: Attempt, model, predicted, measured, *, enough: bool, shown: dict) -> None:
    if not enough and rescaled(predicted, measured) > 0.5 and not at_edge(predicted):
        attempt.fail(
            "Your predictions go up and down with the measurement, but on another scale: undo the "
            "standardisation, or "
            "train on the activity as it is.",
            mistake="predictions in other units",
            why="The user's table has percent spliced in; a number without its unit cannot be compared "
            "with it.",
            **shown,
        )
    attempt.require(
        not at_edge(predicted),
        "Many predictions are the same lowest or highest number: an activation behind the last layer "
        "cuts them off. A "
        "classifier's end (sigmoid, or a ReLU) is no regressor's.",
        mistake="activation after the last layer",
        why="Activity here is a logarithm: it is negative where fewer than 1% of transcripts include "
        "the exon.",
        **shown,
    )
    attempt.require(
        enough or interaction(attempt, model) > 1e-3,
        "In your model the effects of letters simply add up: there is no activation between its layers.",
        mistake="additive model",
        why="Where the intron begins with GC, hardly any other letter can help; with GT, each does.",
        **shown,
    )


def rescaled(predicted: torch.Tensor, measured: torch.Tensor) -> float:
    """R2 that the best change of unit and zero would give."""
    return float(torch.corrcoef(torch.stack([predicted, measured]))[0, 1] ** 2)


def at_edge(predicted: torch.Tensor) -> bool:
    """Whether a tenth of the predictions are, within a millionth, the lowest or the highest one."""
    return any(float(((predicted - edge).abs() < 1e-6).double().mean()) > 0.1 for edge in predicted.aminmax())


def interaction(attempt: Attempt, model: nn.Module) -> float:
    """How far double mutants are from the sum of the single ones: 0 in an additive model."""
    plain = "CAGGTAAGT"
    places = [(int(i), int(j)) for i, j in (attempt.rng.permutation(9)[:2] for _ in range(12))]
    mutants = [
        [
            plain,
            *(
                "".join("C" if k in at else base for k, base in enumerate(plain))
                for at in ((i,), (j,), (i, j))
            ),
        ]
        for i, j in places
    ]
    predicted = predict(attempt, model, [site for group in mutants for site in group]).reshape(
        -1, 4
    )  # (pairs, 4)
    excess = predicted[:, 0] - predicted[:, 1] - predicted[:, 2] + predicted[:, 3]
    return float(excess.abs().max())

"""Checks of s02.3."""

import math
import time
import warnings
from functools import partial

import torch
import torch._dynamo  # an optimiser's first step loads it, which takes seconds: here, not in each fork
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR, StepLR

from genailab.data.bundled.sequence_sets import load_splice_site_activity
from genailab.learn.checking import Attempt, Mistake, check

SITES = load_splice_site_activity()
SECONDS = 1.0


# --- references, float64 -------------------------------------------------------------------------------


def torch_rates(make, base: float, steps: int) -> torch.Tensor:
    """The rates that a scheduler of torch gives to steps 0, 1, ..."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR warns of its own way to call the others
        scheduler, rates = make(optimiser), []
        for _ in range(steps):
            rates.append(scheduler.get_last_lr()[0])
            optimiser.step()
            scheduler.step()
    return torch.tensor([rates], dtype=torch.float64)


def warm_then_cosine(optimiser, warm: int, total: int):
    rise = LinearLR(optimiser, start_factor=1 / warm, total_iters=warm - 1)
    return SequentialLR(optimiser, [rise, CosineAnnealingLR(optimiser, total - warm)], milestones=[warm])


def of_steps(rate, steps: int) -> torch.Tensor:
    return torch.tensor([[rate(step) for step in range(steps)]], dtype=torch.float64)


def cosine(step: float, base: float, total: float) -> float:
    return base * (1 + math.cos(math.pi * step / total)) / 2


def descend(features, target, schedule, steps: int):
    """Gradient descent from zeros: weights, bias, and the loss before each step and after the last."""
    features, target = features.double(), target.double()
    weights, bias = features.new_zeros(features.shape[1], 1), features.new_zeros(1)
    losses = []
    for step in range(steps + 1):
        error = features @ weights + bias - target
        losses.append(error.square().mean().item())
        if step < steps:
            weights = weights - schedule(step) * 2 / len(features) * features.T @ error
            bias = bias - schedule(step) * 2 * error.mean(0)
    return weights, bias, losses


def loss_of(weights, bias, data) -> float:
    return (data[0].double() @ weights + bias - data[1].double()).square().mean().item()


def r_squared(prediction, target) -> float:
    return float(1 - (prediction - target).square().sum() / (target - target.mean()).square().sum())


# --- hidden inputs -------------------------------------------------------------------------------------


def small_problem(attempt: Attempt, *, n: int = 20, n_features: int = 5, noise: float = 0.5):
    features = attempt.normal(n, n_features)
    return features, features @ attempt.normal(n_features, 1) + 1 + noise * attempt.normal(n, 1)


def few_and_noisy(attempt: Attempt, rates: list[float], steps: int):
    """Data of which the longest descent overfits and the shortest gets nowhere; the best rate on each."""
    while True:
        features = attempt.normal(112, 10)
        target = features @ (0.3 * attempt.normal(10, 1)) + 1 + attempt.normal(112, 1)
        train, valid = (features[:12], target[:12]), (features[12:], target[12:])
        scores = []
        for rate in rates:
            weights, bias, losses = descend(*train, lambda step, rate=rate: rate, steps)
            scores.append((loss_of(weights, bias, valid), losses[-1]))
        on_valid, on_train = (sorted(s for s in column if s < 1e6) for column in zip(*scores, strict=True))
        best_valid = rates[[score[0] for score in scores].index(on_valid[0])]
        best_train = rates[[score[1] for score in scores].index(on_train[0])]
        clear = on_valid[1] > 1.02 * on_valid[0] and on_train[1] > 1.02 * on_train[0]
        if clear and best_valid not in (best_train, rates[-1]):
            return train, valid, best_valid, best_train


def splice_sites(attempt: Attempt, part: str, n: int):
    rows = attempt.rng.permutation(SITES.positions(part))[:n]
    one_hot = torch.nn.functional.one_hot(SITES.codes[rows].long(), 4).flatten(1).float()  # (n, 36)
    return one_hot, torch.tensor(SITES.table["log10_psi"].to_numpy()[rows]).float()[:, None]


# --- checks --------------------------------------------------------------------------------------------


def compare_schedule(attempt: Attempt, name: str, expected, mistakes, **options) -> None:
    steps = expected.shape[1]
    rates = [[float(attempt.call(name, step, **options)) for step in range(steps)]]
    words = ", ".join(f"{key}={value:g}" for key, value in options.items())
    attempt.equal(
        torch.tensor(rates, dtype=torch.float64),
        expected,
        given=f"{name}(step, {words}), steps 0 to {steps - 1}",
        tolerance=1e-6,
        mistakes=mistakes,
        axes=("rate", "step"),
        picture="track",
        rows=["rate"],
    )


@check("Step decay is that of torch's StepLR")
def steps_down(attempt: Attempt) -> None:
    base, every, factor = float(attempt.rng.uniform(0.5, 2)), int(attempt.rng.integers(4, 8)), 0.5
    compare_schedule(
        attempt,
        "step_decay",
        torch_rates(lambda optimiser: StepLR(optimiser, every, factor), base, 20),
        [
            Mistake(
                "falls at every step",
                of_steps(lambda step: base * factor ** (step / every), 20),
                "The rate falls a little at every step: it should stay for a stretch of steps and then fall.",
            ),
            Mistake(
                "factor at every step",
                of_steps(lambda step: base * factor**step, 20),
                "The factor is applied at every step: it is due once in a stretch.",
            ),
            Mistake(
                "counted from 1",
                of_steps(lambda step: base * factor ** ((step + 1) // every), 20),
                "The rate falls one step early: steps count from 0.",
            ),
        ],
        base=base,
        every=every,
        factor=factor,
    )


@check("Cosine decay is that of torch's CosineAnnealingLR")
def cosine_down(attempt: Attempt) -> None:
    base, total = float(attempt.rng.uniform(0.5, 2)), int(attempt.rng.integers(12, 20))
    compare_schedule(
        attempt,
        "cosine_decay",
        torch_rates(lambda optimiser: CosineAnnealingLR(optimiser, total), base, total + 1),
        [
            Mistake(
                "negative rates",
                of_steps(lambda step: base * math.cos(math.pi * step / total), total + 1),
                "The rate becomes negative in the second half, where it climbs uphill: a cosine goes from 1 "
                "to -1, "
                "the rate must go from base to 0.",
            ),
            Mistake(
                "a whole wave",
                of_steps(lambda step: cosine(2 * step, base, total), total + 1),
                "The rate is back at base in the end: this is a whole wave, half of one was asked for.",
            ),
            Mistake(
                "quarter of a wave",
                of_steps(lambda step: base * math.cos(math.pi * step / 2 / total), total + 1),
                "This is a quarter of a cosine wave: it falls steeply at the end, where the rate should "
                "glide to 0.",
            ),
        ],
        base=base,
        total=total,
    )


@check("Warm-up, then cosine, as torch chains them")
def warms_up(attempt: Attempt) -> None:
    base, warm = float(attempt.rng.uniform(0.5, 2)), int(attempt.rng.integers(3, 7))
    total = warm + int(attempt.rng.integers(10, 16))

    def rising(first: int, then) -> torch.Tensor:
        return of_steps(lambda step: base * (step + first) / warm if step < warm else then(step), total + 1)

    right = partial(cosine, base=base, total=total - warm)
    compare_schedule(
        attempt,
        "warmup_cosine",
        torch_rates(partial(warm_then_cosine, warm=warm, total=total), base, total + 1),
        [
            Mistake(
                "warm-up starts at zero",
                rising(0, lambda step: right(step - warm)),
                "The first step has the rate 0: it computes a gradient and goes nowhere.",
            ),
            Mistake(
                "cosine counted from step 0",
                rising(1, lambda step: cosine(step, base, total)),
                "The rate jumps down where the warm-up ends: the cosine has been running meanwhile. It "
                "begins at "
                "the end of the warm-up, at base.",
            ),
            Mistake(
                "ends too late",
                rising(1, lambda step: cosine(step - warm, base, total)),
                "The rate is not 0 at the end: after the warm-up only total - warm steps are left.",
            ),
        ],
        base=base,
        warm=warm,
        total=total,
    )


@check("Each step of the descent asks the schedule")
def trains(attempt: Attempt) -> None:
    features, target = small_problem(attempt)
    steps, rates = 6, (0.2 * attempt.rng.uniform(0.2, 1, 8)).tolist()
    yours = attempt.call("train_linear", features, target, rates.__getitem__, steps)
    attempt.require(
        isinstance(yours, tuple | list) and len(yours) == 3,
        "train_linear must return weights, bias and losses.",
    )
    attempt.require(
        not any(isinstance(loss, torch.Tensor) and loss.requires_grad for loss in yours[2]),
        "The losses still hold the graph that made them: each keeps all tensors of its step in memory.",
        mistake="graph kept in losses",
        expected="floats, as .item() gives them",
    )

    def by(schedule, first: int = 0):
        weights, bias, losses = descend(features, target, schedule, steps)
        return weights, bias, losses[first : first + steps]

    attempt.equal(
        (yours[0], yours[1], list(yours[2])),
        by(rates.__getitem__),
        given=f"train_linear(features (20, 5), target (20, 1), schedule, steps={steps})",
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "schedule read once",
                by(lambda step: rates[0]),
                "Every step had the rate of step 0: ask schedule(step) inside the loop.",
            ),
            Mistake(
                "schedule counted from 1",
                by(lambda step: rates[step + 1]),
                "The first step had the rate of step 1: steps count from 0.",
            ),
            Mistake(
                "loss after the step",
                by(rates.__getitem__, first=1),
                "losses[0] is the loss after the first step: where training began is then unknown.",
            ),
        ],
    )


@check("Divergence is noticed, a detour is not mistaken for it")
def notices(attempt: Attempt) -> None:
    start = float(attempt.rng.uniform(1, 3))
    cases = [
        ([start, start / 2, start / 3], False, None, ""),
        (
            [start, 50 * start, math.inf, math.nan],
            True,
            "nan compares as False",
            "A loss of nan was taken for a success. Every comparison with nan is False, also nan > 1: ask "
            "whether the loss is finite.",
        ),
        (
            [start, 2 * start, 5 * start],
            True,
            "growing loss missed",
            "The loss ended five times above its start.",
        ),
        (
            [start, 3 * start, start / 2],
            False,
            "a detour taken for divergence",
            "The loss rose once but ended below its start: only first and last count.",
        ),
    ]
    for losses, expected, mistake, message in cases:
        yours = bool(attempt.call("diverged", losses))
        shown = {"given": f"diverged({losses})", "yours": str(yours), "expected": str(expected)}
        attempt.require(yours == expected, message or "This loss fell steadily.", mistake=mistake, **shown)


@check("The rate is chosen on data that were not trained on")
def chooses(attempt: Attempt) -> None:
    rates, steps = [5.0, 0.15, 0.02, 0.004, 0.0002], 200
    train, valid, best, best_on_train = few_and_noisy(attempt, rates, steps)
    attempt.compare(
        "choose_rate",
        train,
        valid,
        rates,
        steps,
        expected=best,
        mistakes=[
            Mistake(
                "rate chosen on training data",
                best_on_train,
                "This rate has the lowest loss on the data it was trained on: with 12 genes and 11 weights, "
                "that is "
                "the one that learned the noise best. Compare on valid.",
            ),
            Mistake(
                "a diverged rate chosen",
                5.0,
                "With this rate the loss became nan. min() keeps a nan that comes first, as nothing "
                "compares as "
                "smaller: leave diverged rates out.",
            ),
        ],
    )


@check("Splice sites never seen are predicted, in the time given")
def predicts(attempt: Attempt) -> None:
    features, target = splice_sites(attempt, "train", 4000)
    new_features, new_target = splice_sites(attempt, "test", 6000)
    best = torch.linalg.lstsq(features.double(), target.double(), driver="gelsd").solution  # columns sum to 9
    ceiling = r_squared(new_features.double() @ best, new_target.double())
    baseline = r_squared(target.mean(), new_target)
    started = time.monotonic()
    weights, bias = attempt.call("fit_splice_sites", features, target, SECONDS)
    taken = time.monotonic() - started
    yours = r_squared((new_features @ weights + bias).detach(), new_target)
    shown = {
        "given": f"4,000 measured 5' splice sites of 9 letters, {SECONDS:g} s; judged on 6,000 others",
        "yours": f"R2 = {yours:.3f} after {taken:.2f} s (the mean of the training sites: {baseline:.3f})",
        "expected": f"R2 of at least {ceiling - 0.03:.3f}; least squares reaches {ceiling:.3f}",
        "why": "Most of these sites are hardly used at all, and letters act together: a straight line "
        "explains a fifth of it. Still, the descent must get as far as a line can.",
    }
    # A busy machine may stretch a step; nothing honest takes three times the budget.
    attempt.require(
        taken < 3 * SECONDS, f"It took {taken:.1f} s of {SECONDS:g}.", mistake="time ignored", **shown
    )
    attempt.require(
        math.isfinite(yours) and yours > baseline - 0.5,
        "The descent diverged: the rate is too large for the steepest direction of this loss.",
        mistake="rate too large",
        **shown,
    )
    attempt.require(
        yours >= ceiling - 0.03,
        "The descent stopped far from the bottom: the rate is too small for so few steps, or falls too "
        "early.",
        mistake="rate too small",
        **shown,
    )

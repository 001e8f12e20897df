"""Checks of s03.3."""

import numpy as np
import torch
import torch._dynamo  # the first optimizer loads it, which takes a second: here, before an attempt is timed
import torch.nn.functional as F
from torch import nn

from genailab.learn.checking import Attempt, Mistake, check

FACTORS, TISSUES, CELL_TYPES = 12, 4, 3
N_TRAIN, N_HIDDEN = 1200, 400
HEADS = ("expression_head", "tissue_head")
BETTER_R2, BETTER_ACCURACY = 0.15, 0.01  # above the linear models


# --- the learner's model ----------------------------------------------------------------------------------


def build(attempt: Attempt, *, hidden: int = 64) -> nn.Module:
    """Make a MultiTaskModel with its three parts."""
    make = attempt.get("MultiTaskModel")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        model = make(FACTORS, hidden, TISSUES)
    attempt.require(isinstance(model, nn.Module), "MultiTaskModel must be a nn.Module.")
    for name in ("trunk", *HEADS):
        attempt.require(
            isinstance(getattr(model, name, None), nn.Module),
            f"There is no part model.{name}: name the parts trunk, expression_head and tissue_head.",
            mistake="parts not named",
        )
    return model


def ask(attempt: Attempt, model: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both predictions; wrong shapes get their name."""
    yours = model(x)
    attempt.require(
        isinstance(yours, tuple | list) and len(yours) == 2,
        "forward must return two tensors: expression, then the logits of the tissues.",
        yours=type(yours).__name__,
    )
    shapes, wanted = [tuple(part.shape) for part in yours], [(len(x),), (len(x), TISSUES)]
    attempt.require(
        shapes == wanted,
        "The shapes are not those asked for.",
        given=f"x {tuple(x.shape)}",
        yours=str(shapes),
        expected=str(wanted),
        mistake="output shape",
        why="(cells, 1) minus (cells,) is (cells, cells): every cell would be compared with all others.",
    )
    return yours[0], yours[1]


def reached(model: nn.Module, prediction: torch.Tensor) -> set[str]:
    """Return the names of the parameters that a task's gradient reaches."""
    named = dict(model.named_parameters())
    weights = torch.linspace(-1, 2, prediction.numel()).reshape(prediction.shape)
    gradients = torch.autograd.grad(
        (prediction * weights).sum(), list(named.values()), retain_graph=True, allow_unused=True
    )
    return {
        name
        for name, gradient in zip(named, gradients, strict=True)
        if gradient is not None and gradient.any()
    }


def weighting_of(attempt: Attempt, name: str, *weights: float) -> nn.Module:
    weighting = attempt.get(name)(*weights)
    attempt.require(isinstance(weighting, nn.Module), f"{name} must be a nn.Module.")
    return weighting


def train_seeded(attempt: Attempt, model: nn.Module, weighting: nn.Module, *data: torch.Tensor) -> nn.Module:
    train = attempt.get("train")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        model = train(model, weighting, *(part.clone() for part in data))
    attempt.require(
        isinstance(model, nn.Module), "train must return the model.", mistake="model not returned"
    )
    return model


# --- hidden inputs ----------------------------------------------------------------------------------------


def cells(attempt: Attempt) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Cells of four tissues, three types each; a gene that one set of factors opens, another drives."""
    rng, n = attempt.rng, N_TRAIN + N_HIDDEN
    profiles = rng.normal(size=(TISSUES * CELL_TYPES, FACTORS))
    cell_type = rng.integers(0, TISSUES * CELL_TYPES, n)
    x = profiles[cell_type] + 0.8 * rng.normal(size=(n, FACTORS))
    opened, driven = (x @ weights for weights in rng.normal(size=(2, FACTORS)) / np.sqrt(FACTORS))
    level = np.tanh(2 * opened) * driven + 0.5 * driven + 0.2 * rng.normal(size=n)
    x = (x - x[:N_TRAIN].mean(0)) / x[:N_TRAIN].std(0)
    level = (level - level[:N_TRAIN].mean()) / level[:N_TRAIN].std()
    return (
        torch.from_numpy(x).float(),
        torch.from_numpy(level).float(),
        torch.from_numpy(cell_type // CELL_TYPES),
    )


def linear_models(x: torch.Tensor, measured: torch.Tensor, tissue: torch.Tensor) -> tuple[float, float]:
    """R2 and accuracy on the hidden cells of least squares on the same factors."""
    design = torch.cat([x, torch.ones(len(x), 1)], dim=1).double()
    targets = torch.cat([measured[:, None], F.one_hot(tissue, TISSUES)], dim=1).double()
    guess = design[N_TRAIN:] @ torch.linalg.lstsq(design[:N_TRAIN], targets[:N_TRAIN]).solution
    return r_squared(guess[:, 0], measured[N_TRAIN:].double()), accuracy(guess[:, 1:], tissue[N_TRAIN:])


def r_squared(predicted, measured) -> float:
    return float(1 - (predicted - measured).square().sum() / (measured - measured.mean()).square().sum())


def accuracy(scores: torch.Tensor, tissue: torch.Tensor) -> float:
    return float((scores.argmax(1) == tissue).double().mean())


class Recorder(nn.Module):
    """A weighting with a parameter of its own, which says whether it was asked and trained."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.asked = 0

    def forward(self, expression_loss: torch.Tensor, tissue_loss: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        return self.scale[0] * expression_loss + self.scale[1] * tissue_loss


# --- checks -----------------------------------------------------------------------------------------------


@check("A cell gets a level of expression and a logit for each tissue")
def shapes(attempt: Attempt) -> None:
    model = build(attempt)
    for n in (6, 1):
        ask(attempt, model, attempt.normal(n, FACTORS))
    x = 3 * attempt.normal(30, FACTORS)
    with torch.no_grad():
        _, logits = ask(attempt, model.eval(), x)
        shared = model.trunk(x)
        attempt.require(
            isinstance(shared, torch.Tensor) and shared.shape == (30, 64),
            "The trunk must end in hidden_size numbers a cell.",
            yours=str(tuple(shared.shape)),
            expected="(30, 64)",
        )
        attempt.require(
            not torch.allclose(logits.sum(dim=1), torch.ones(30), atol=1e-4),
            "The tissue's numbers sum to one: these are probabilities. cross_entropy expects logits and "
            "takes the softmax "
            "itself.",
            mistake="softmax in forward",
        )
        middle = model.trunk((x[:15] + x[15:]) / 2)
        attempt.require(
            not torch.allclose(middle, (shared[:15] + shared[15:]) / 2, atol=1e-4),
            "The trunk is a linear map: put activations into it.",
            mistake="no activation in the trunk",
        )


@check("Both tasks shape the trunk, and each only its own head")
def gradients(attempt: Attempt) -> None:
    model = build(attempt)
    predictions = ask(attempt, model, attempt.normal(50, FACTORS))
    found = [reached(model, prediction) for prediction in predictions]
    heads = [{f"{head}.{name}" for name, _ in getattr(model, head).named_parameters()} for head in HEADS]
    for task, other in ((0, 1), (1, 0)):
        attempt.require(
            not found[task] & heads[other],
            f"The gradient of the {HEADS[task].split('_')[0]} task changes {HEADS[other]}: one head is "
            f"fed by the other. "
            "Both should get the trunk's output and nothing else.",
            mistake="one head feeds the other",
            why="An error in the level of a gene would move the borders between tissues.",
        )
    shared = set(dict(model.named_parameters())) - heads[0] - heads[1]
    first, second = found[0] & shared, found[1] & shared
    attempt.require(
        not (first - second and second - first),
        f"{len(first - second)} parameters learn only from expression and {len(second - first)} only "
        f"from tissue: each "
        "task has a trunk of its own.",
        mistake="separate trunks",
        why="What is learned about a cell from its tissue should help to predict its expression: that "
        "needs layers in "
        "common.",
    )
    for name, own in (("expression", first), ("tissue", second)):
        missing = sorted(shared - own)
        attempt.require(
            not missing,
            f"The gradient of the {name} task does not reach {missing[0] if missing else ''} (and "
            f"{len(missing) - 1} more "
            "parameters outside the heads): is something detached, or unused?",
            mistake="trunk cut off from a task",
        )


@check("The two losses are means over cells")
def losses(attempt: Attempt) -> None:
    expression, measured, logits = attempt.normal(9), attempt.normal(9), 2 * attempt.normal(9, TISSUES)
    tissue = torch.from_numpy(attempt.rng.integers(0, TISSUES, 9))
    error = (expression - measured).double().square()
    wide = logits.double()
    right = (error.mean(), F.cross_entropy(wide, tissue))
    attempt.compare(
        "task_losses",
        expression,
        logits,
        measured,
        tissue,
        expected=right,
        mistakes=[
            Mistake(
                "logits passed through softmax twice",
                (right[0], F.cross_entropy(wide.softmax(1), tissue)),
                "The logits go through a softmax before cross_entropy, which takes one itself: what it "
                "sees lies between 0 "
                "and 1, and no tissue can be called with confidence.",
            ),
            Mistake(
                "losses summed over cells",
                (error.sum(), F.cross_entropy(wide, tissue, reduction="sum")),
                "These are sums over cells; means were asked for, or the weights would depend on the batch.",
            ),
            Mistake(
                "losses in the wrong order",
                right[::-1],
                "The loss of expression comes first, then that of tissue.",
            ),
        ],
    )


@check("Fixed weights weigh")
def fixed(attempt: Attempt) -> None:
    one, two = (round(float(value), 2) for value in attempt.rng.uniform(0.1, 3, 2))
    first, second = attempt.normal(2).double().exp() + 1
    total = one * first + two * second
    attempt.equal(
        weighting_of(attempt, "FixedWeights", one, two)(first.float(), second.float()),
        total,
        given=f"FixedWeights({one}, {two})(tensor({first:.4f}), tensor({second:.4f}))",
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "losses added without weights",
                first + second,
                "The losses are added as they are: use the weights.",
            ),
            Mistake(
                "mean over the tasks",
                lambda yours: any(abs(float(yours) - float(total) / by) < 1e-4 for by in (2, one + two)),
                "The weighted sum is divided by the number of tasks or by the weights; the sum was "
                "asked for. Divided, a "
                "weight of one task changes the pull of the other.",
            ),
            Mistake("weights swapped", one * second + two * first, "Each loss has the weight of the other."),
        ],
    )


@check("Learned weights fall for the noisy task, and pay for it")
def learned(attempt: Attempt) -> None:
    weighting = weighting_of(attempt, "LearnedWeights")
    s = getattr(weighting, "log_variance", None)
    attempt.require(
        isinstance(s, nn.Parameter) and s.shape == (2,) and not s.any(),
        "log_variance must be a nn.Parameter of two zeros: a plain tensor is not among "
        "weighting.parameters().",
        yours=repr(s),
        mistake="weights not a parameter",
    )
    values, (first, second) = attempt.normal(2) + 0.3, attempt.normal(2).exp() + 1
    with torch.no_grad():
        weighting.log_variance.copy_(values)
        yours = weighting(first, second)
    wide, both = values.double(), torch.stack([first, second]).double()
    attempt.equal(
        yours,
        (torch.exp(-wide) * both + wide).sum(),
        given=f"LearnedWeights with log_variance {values.tolist()}, of the losses {first:.4f} and "
        f"{second:.4f}",
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "weights without a price",
                (torch.exp(-wide) * both).sum(),
                "Without the + s the weights may fall for nothing: the loss becomes 0 as s grows, and "
                "neither task is "
                "learned.",
            ),
            Mistake(
                "sign of the log variance",
                (torch.exp(wide) * both + wide).sum(),
                "The weight is exp(s): the noisier a task is held to be, the more it would count.",
            ),
            Mistake(
                "mean over the tasks",
                (torch.exp(-wide) * both + wide).mean(),
                "The mean of the two; the sum was asked.",
            ),
        ],
    )


@check("Training follows the weighting, and trains it")
def follows(attempt: Attempt) -> None:
    x, recorder = attempt.normal(40, FACTORS), Recorder()
    tissue = torch.from_numpy(attempt.rng.integers(0, TISSUES, 40))
    train_seeded(attempt, build(attempt, hidden=8), recorder, x, x[:, 0] - x[:, 1], tissue)
    attempt.require(
        recorder.asked > 0,
        "train never called weighting(expression_loss, tissue_loss): the losses are combined in another way.",
        mistake="weighting not used",
        why="Expression is in squared standard deviations, tissue in nats: added as they are, the units "
        "decide which task "
        "is learned.",
    )
    attempt.require(
        bool((recorder.scale != 1).all()),
        "The parameters of weighting are as they were before training: give them to the optimizer too.",
        mistake="weights not given to the optimizer",
    )


@check("Both are predicted for cells never seen, better than by linear models")
def held_out(attempt: Attempt) -> None:
    x, measured, tissue = cells(attempt)
    model, known, new = build(attempt), slice(0, N_TRAIN), slice(N_TRAIN, None)
    weighting = weighting_of(attempt, "LearnedWeights")
    model = train_seeded(attempt, model, weighting, x[known], measured[known], tissue[known])
    with torch.no_grad():
        expression, logits = ask(attempt, model.eval(), x[new])
    yours = r_squared(expression, measured[new]), accuracy(logits, tissue[new])
    baseline = linear_models(x, measured, tissue)
    wanted = baseline[0] + BETTER_R2, baseline[1] + BETTER_ACCURACY
    attempt.require(
        yours[0] >= wanted[0] and yours[1] >= wanted[1],
        f"On {N_HIDDEN} cells it has not seen, your model explains R2 = {yours[0]:.3f} of expression "
        f"and names "
        f"{yours[1]:.1%} of the tissues. Try more epochs or Adam.",
        given=f"{FACTORS} factors of {N_TRAIN} cells; hidden_size=64, LearnedWeights",
        yours=f"R2 {yours[0]:.3f}, accuracy {yours[1]:.3f}",
        expected=f"R2 of at least {wanted[0]:.3f} and accuracy of at least {wanted[1]:.3f}; linear "
        f"models reach "
        f"{baseline[0]:.3f} and {baseline[1]:.3f}",
        why="A shared trunk is worth its name only if no task pays for the other.",
    )

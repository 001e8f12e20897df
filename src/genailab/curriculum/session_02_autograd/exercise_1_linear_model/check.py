"""Checks of s02.1."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch._dynamo  # an optimiser's first step loads it, which takes seconds: here, not in each fork

from genailab.data.simulate.histone_expression import HistoneConfig, simulate_histone_expression
from genailab.learn.checking import Attempt, Mistake, check
from genailab.learn.checking.rules import Forbidden, broken_rule

RATE, STEPS = 0.1, 400
BY_HAND = ("mse_gradients", "train_manual")
WHY_BY_HAND = "this half of the exercise finds the gradient by hand, so that autograd holds no secret later."
RULES = tuple(
    Forbidden(name, f"{name} is not allowed in {' and '.join(BY_HAND)}: {WHY_BY_HAND}", "autograd used")
    for name in (
        "torch.Tensor.backward",
        "torch.autograd.backward",
        "torch.autograd.grad",
        "torch.func.grad",
    )
)

REFUSED = "leaf Variable"
OUTSIDE = "Put the update, and only the update, under torch.no_grad(), and change the tensors in place."
# What torch says of a step that went wrong: the mistake's name, and what to think about.
LOST = {
    REFUSED: (
        "update outside no_grad",
        f"The step was taken where autograd records: it refuses to change a leaf tensor. {OUTSIDE}",
    ),
    "NoneType": (
        "update outside no_grad",
        f"The step was recorded: the new weights are a computed result, and .grad is None. {OUTSIDE}",
    ),
    "does not require grad": (
        "new tensors under no_grad",
        "Under no_grad the step made new tensors, which need no gradient: change those you have (-=).",
    ),
}
NO_LEAF = (
    "copy is no leaf",
    "The tensors you start from get no gradient, at the first step already. A clone is the result of a "
    "computation, a detached tensor is not tracked: detach, clone, then requires_grad_().",
)


# --- references, float64 -------------------------------------------------------------------------------


def gradients(features, expression, weights, bias):
    """Closed form: 2/n X^T r and 2/n sum r, with r = X w + b - y."""
    error = features @ weights + bias - expression
    return 2 / len(features) * features.T @ error, 2 * error.mean(0)


def descend(problem, *, sign=-1.0, factor=1.0, kept=False, by_turns=False, bias_moves=True):
    """Gradient descent, or with an option one of the known ways to get it wrong."""
    features, expression, weights, bias, rate, steps = problem
    sums = [0 * weights, 0 * bias]
    for _ in range(steps):
        by_weights, by_bias = gradients(features, expression, weights, bias)
        sums = [sums[0] * kept + by_weights, sums[1] * kept + by_bias]
        weights = weights + sign * factor * rate * sums[0]
        if by_turns:
            sums[1] = gradients(features, expression, weights, bias)[1]
        if bias_moves:
            bias = bias + sign * factor * rate * sums[1]
    return weights, bias


def r_squared(prediction, expression) -> float:
    return float(
        1 - (prediction - expression).square().sum() / (expression - expression.mean()).square().sum()
    )


# --- hidden inputs -------------------------------------------------------------------------------------


def problem_of(attempt: Attempt, *, genes: int = 24, steps: int = 4, needs_grad: bool = False):
    """Ten features of a few genes, their expression and where to start, float32."""
    features, weights, bias = attempt.normal(genes, 10), attempt.normal(10, 1), attempt.normal(1)
    expression = features @ attempt.normal(10, 1) + 3 + attempt.normal(genes, 1)
    if needs_grad:
        weights, bias = weights.requires_grad_(), bias.requires_grad_()
    return features, expression, weights, bias, 0.07, steps


def exact(problem):
    return tuple(part.detach().double() if isinstance(part, torch.Tensor) else part for part in problem)


def histone_genes(attempt: Attempt):
    """Five marks at the promoter and in the body: log reads, standardised by the training genes."""
    data = simulate_histone_expression(HistoneConfig(n_genes=600), generator=attempt.rng)
    parts = (data.marks[:, :, 40:60].mean(-1), data.marks[:, :, 60:].mean(-1))
    features = torch.cat(parts, dim=1).log1p()  # (genes, 10)
    expression = torch.tensor(data.rows["measured_expression"].to_numpy(np.float32))[:, None]
    train, test = slice(0, 400), slice(400, 600)
    features = (features - features[train].mean(0)) / features[train].std(0)
    return features[train], expression[train], features[test], expression[test]


@contextmanager
def no_autograd(attempt: Attempt) -> Iterator[None]:
    """Hold the two functions to be written by hand to it: in the syntax tree, and while they run."""
    for node in attempt.tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in BY_HAND:
            # The last part "grad" of the other names is what many call their own gradient.
            line = RULES[0].line_in(node)
            if line is not None:
                attempt.fail(f"Line {line}: {RULES[0].message}", mistake=RULES[0].mistake)
    with broken_rule(RULES) as broken:
        yield
    if broken:
        attempt.fail(broken[0].message, mistake=broken[0].mistake)


def call_loop(attempt: Attempt, name: str, problem):
    """Call a training function; a step that autograd refuses, or after which it is lost, gets its name."""
    try:
        return attempt.call(name, *problem)
    except (RuntimeError, TypeError, AttributeError) as error:
        text = str(error)
        known = [part for part in LOST if part in text]
        if not known:
            raise
        mistake, message = LOST[known[0]]
        if known[0] != REFUSED and not one_step_works(attempt, name, problem):
            mistake, message = NO_LEAF
        attempt.fail(
            message,
            mistake=mistake,
            given=f"{name}(..., steps={problem[-1]})",
            yours=f"{type(error).__name__}: {text[:200]}",
            why="Only leaf tensors, those that no recorded computation has made, get a .grad.",
        )


def one_step_works(attempt: Attempt, name: str, problem) -> bool:
    try:
        attempt.call(name, *problem[:-1], 1)
    except (RuntimeError, TypeError, AttributeError):
        return False
    return True


def pair(attempt: Attempt, name: str, value) -> None:
    attempt.require(
        isinstance(value, tuple | list) and len(value) == 2,
        f"{name} must return two tensors: for the weights, then for the bias.",
        yours=str(type(value).__name__),
        mistake="not a pair",
    )


# --- checks --------------------------------------------------------------------------------------------


@check("Your gradients are those of the mean squared error")
def manual_gradients(attempt: Attempt) -> None:
    problem = problem_of(attempt)[:4]
    right = gradients(*exact(problem))
    attempt.get("mse_gradients")
    yours = None
    with no_autograd(attempt):
        yours = attempt.get("mse_gradients")(*problem)
    attempt.require(yours is not None, "mse_gradients returned None: is there a return statement?")
    pair(attempt, "mse_gradients", yours)
    attempt.equal(
        tuple(yours),
        right,
        given="mse_gradients(features (24, 10), expression (24, 1), weights (10, 1), bias (1,))",
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "sign of the gradient",
                tuple(-part for part in right),
                "Each value has the opposite sign: the error is prediction minus expression. The gradient "
                "points "
                "uphill; the minus belongs to the step.",
            ),
            Mistake(
                "factor 2/n missing",
                tuple(part * len(problem[0]) / 2 for part in right),
                "The values are n/2 times too large: the loss is a mean of squares, so its gradient has a "
                "factor "
                "2/n. Without it the right learning rate would depend on the number of genes.",
            ),
            Mistake(
                "factor 2 missing",
                tuple(part / 2 for part in right),
                "The values are half of what they must be: where did the 2 of the square go?",
            ),
            Mistake(
                "divided by n missing",
                tuple(part * len(problem[0]) for part in right),
                "This is the gradient of the sum of squares; the mean was asked for, which is n times "
                "smaller.",
            ),
        ],
        why="A finite difference of the loss says the same: (loss(w + h) - loss(w - h)) / 2h.",
    )


@check("Autograd finds the same gradients")
def same_gradients(attempt: Attempt) -> None:
    problem = problem_of(attempt, needs_grad=True)[:4]
    right = gradients(*exact(problem))
    yours = attempt.call("autograd_gradients", *problem)
    pair(attempt, "autograd_gradients", yours)
    attempt.equal(
        tuple(yours),
        right,
        given="autograd_gradients(features (24, 10), expression (24, 1), weights (10, 1), bias (1,))",
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "loss summed, not averaged",
                tuple(part * len(problem[0]) for part in right),
                "The values are n times too large: the loss is a mean over genes, not a sum.",
            ),
        ],
    )


@check("Your own descent takes the right steps")
def manual_steps(attempt: Attempt) -> None:
    problem = problem_of(attempt)
    attempt.get("train_manual")
    before = [part.clone() for part in problem[:4]]
    yours = None
    with no_autograd(attempt):
        yours = attempt.get("train_manual")(*problem)
    for old, new in zip(before, problem[:4], strict=True):
        attempt.require(
            torch.equal(old, new),
            "train_manual changed its input. Work on a copy, or make new tensors: the same start is needed "
            "again.",
            mistake="changes its input",
        )
    pair(attempt, "train_manual", yours)
    compare_steps(attempt, "train_manual", yours, problem)


@check("The descent with autograd takes the same steps")
def autograd_steps(attempt: Attempt) -> None:
    problem = problem_of(attempt, needs_grad=True)
    yours = call_loop(attempt, "train_autograd", problem)
    pair(attempt, "train_autograd", yours)
    compare_steps(attempt, "train_autograd", yours, problem)


def compare_steps(attempt: Attempt, name: str, yours, problem) -> None:
    known = exact(problem)
    attempt.equal(
        tuple(yours),
        descend(known),
        given=f"{name}(features (24, 10), expression (24, 1), weights, bias, {problem[-2]}, {problem[-1]})",
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "gradients not zeroed",
                descend(known, kept=True),
                "Each backward() adds to .grad: from the second step on yours holds the sum of all "
                "gradients so "
                "far. Set it to zero after each step.",
            ),
            Mistake(
                "sign of the step",
                descend(known, sign=1.0),
                "The steps go uphill. The gradient points to where the loss grows: step against it.",
            ),
            Mistake(
                "bias from the new weights",
                descend(known, by_turns=True),
                "The weights were moved before the gradient of the bias was taken: compute both gradients "
                "at the "
                "same point, then take both steps.",
            ),
            Mistake(
                "bias left where it was",
                descend(known, bias_moves=False),
                "The bias never moves: expression of a gene without any mark stays at the start's guess.",
            ),
            Mistake(
                "factor 2/n missing",
                descend(known, factor=len(problem[0]) / 2),
                "The steps are n/2 times too long: the loss is a mean, its gradient has a factor 2/n.",
            ),
            Mistake(
                "factor 2 missing",
                descend(known, factor=0.5),
                "The steps are half as long as they must be: where did the 2 of the square go?",
            ),
            Mistake(
                "one step too few",
                descend((*known[:-1], problem[-1] - 1)),
                f"This is the result after {problem[-1] - 1} steps; {problem[-1]} were asked for.",
            ),
        ],
    )


@check("Genes never seen are predicted, better than by the mean")
def held_out(attempt: Attempt) -> None:
    features, expression, new_features, new_expression = histone_genes(attempt)
    design = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
    best = torch.linalg.lstsq(design, expression.double()).solution
    ceiling = r_squared(new_features.double() @ best[:-1] + best[-1], new_expression.double())
    baseline = r_squared(expression.mean(), new_expression)
    for name in ("train_manual", "train_autograd"):
        weights, bias = attempt.call(
            name, features, expression, torch.zeros(10, 1), torch.zeros(1), RATE, STEPS
        )
        prediction = attempt.call("predict_expression", new_features, weights, bias)
        yours = r_squared(torch.as_tensor(prediction).detach(), new_expression)
        attempt.require(
            yours >= ceiling - 0.02,
            f"{name} explains R2 = {yours:.3f} of the expression of 200 genes it has not seen.",
            given=f"10 standardised histone features of 400 genes; rate {RATE}, {STEPS} steps from zero",
            yours=f"R2 = {yours:.3f} (predicting the mean of the training genes: {baseline:.3f})",
            expected=f"R2 of at least {ceiling - 0.02:.3f}; least squares reaches {ceiling:.3f}",
            why="A falling loss on the genes it was trained on says nothing about the next gene.",
        )

"""Checks of s03.2."""

from itertools import pairwise

import numpy as np
import torch
import torch._dynamo  # the first optimizer loads it, which takes a second: here, before an attempt is timed
from torch import nn

from genailab.data.simulate.histone_expression import HistoneConfig, simulate_histone_expression
from genailab.learn.checking import Attempt, Mistake, check

DROPOUT = 0.3
N_TRAIN, N_HIDDEN = 700, 300
BETTER = 0.03  # R2 above that of the linear regression
# Many bivalent genes: H3K4me3 says "active" unless H3K27me3 lies there too, which no sum of marks can say.
GENES = HistoneConfig(
    n_genes=N_TRAIN + N_HIDDEN, state_shares=(0.3, 0.3, 0.2, 0.05, 0.15), bivalent_effect=-5.0, noise=0.5
)


# --- the learner's model ----------------------------------------------------------------------------------


def build(
    attempt: Attempt, *, input_size: int = 10, hidden_sizes=(64,), dropout: float = DROPOUT
) -> nn.Module:
    """Make an ExpressionRegressor, the same for a seed."""
    make = attempt.get("ExpressionRegressor")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        model = make(input_size, hidden_sizes, dropout)
    attempt.require(isinstance(model, nn.Module), "ExpressionRegressor must be a nn.Module.")
    attempt.require(
        any(True for _ in model.parameters()),
        "model.parameters() is empty: layers in a plain Python list are not registered; nn.ModuleList or "
        "nn.Sequential registers them.",
        mistake="layers not registered",
    )
    return model


def trace(attempt: Attempt, model: nn.Module, x: torch.Tensor):
    """Return (layer, its input, its output) for each linear layer, in the order they ran, and the result."""
    seen: list[tuple[nn.Linear, torch.Tensor, torch.Tensor]] = []
    layers = [part for part in model.modules() if isinstance(part, nn.Linear)]
    hooks = [
        layer.register_forward_hook(lambda layer, given, made: seen.append((layer, given[0], made)))
        for layer in layers
    ]
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        result = model(x)
    for hook in hooks:
        hook.remove()
    attempt.require(
        isinstance(result, torch.Tensor) and result.shape == (len(x),),
        "One number a gene was asked for, in a tensor (genes,).",
        given=f"x {tuple(x.shape)}",
        yours=str(tuple(result.shape)) if isinstance(result, torch.Tensor) else type(result).__name__,
        expected=str((len(x),)),
        mistake="output shape",
        why="(genes, 1) minus (genes,) is (genes, genes): every gene would be compared with all others.",
    )
    return seen, result


def r_squared(predicted, measured) -> float:
    return float(1 - (predicted - measured).square().sum() / (measured - measured.mean()).square().sum())


# --- hidden inputs ----------------------------------------------------------------------------------------


def histone_genes(attempt: Attempt):
    """Log reads of five marks at promoter and body, and expression; standardised on the first genes."""
    data = simulate_histone_expression(GENES, generator=attempt.rng)
    parts = (data.marks[:, :, 40:60].mean(-1), data.marks[:, :, 60:].mean(-1))
    features = torch.cat(parts, dim=1).log1p()  # (genes, 10)
    expression = torch.tensor(data.rows["measured_expression"].to_numpy(np.float32))  # (genes,)
    known = slice(0, N_TRAIN)
    features = (features - features[known].mean(0)) / features[known].std(0)
    expression = (expression - expression[known].mean()) / expression[known].std()
    return features, expression


def linear_regression(features, expression) -> float:
    """R2 on the hidden genes of least squares."""
    design = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
    fitted = torch.linalg.lstsq(design[:N_TRAIN], expression[:N_TRAIN, None].double()).solution[:, 0]
    return r_squared(design[N_TRAIN:] @ fitted, expression[N_TRAIN:].double())


class Probe(nn.Module):
    """A model of one weight that writes down how a training loop uses it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.batches: list[dict] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        predicted = self.weight * x[:, 0]
        if predicted.requires_grad:
            batch = {"x": x[:, 0].detach(), "predicted": predicted.detach(), "training": self.training}
            self.batches.append(batch)
            predicted.register_hook(lambda gradient: batch.update(gradient=gradient.detach()))
        return predicted


def train_seeded(attempt: Attempt, model: nn.Module, *data: torch.Tensor) -> nn.Module:
    train = attempt.get("train")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        model = train(model, *(part.clone() for part in data))
    attempt.require(
        isinstance(model, nn.Module), "train must return the model.", mistake="model not returned"
    )
    return model


# --- checks -----------------------------------------------------------------------------------------------


@check("hidden_sizes says how many layers there are, and how wide")
def architecture(attempt: Attempt) -> None:
    wide = int(attempt.rng.integers(9, 30))
    for hidden_sizes in ((), (wide,), (wide, 7, 5)):
        calls, _ = trace(
            attempt, build(attempt, hidden_sizes=hidden_sizes).eval(), 10 * attempt.normal(64, 10)
        )
        sizes = (10, *hidden_sizes, 1)
        attempt.equal(
            [(layer.in_features, layer.out_features) for layer, _, _ in calls],
            list(pairwise(sizes)),
            given=f"the nn.Linear that run in ExpressionRegressor(10, {hidden_sizes}, dropout={DROPOUT})",
        )
        for number, ((_, _, made), (_, taken, _)) in enumerate(pairwise(calls), start=1):
            attempt.require(
                not torch.allclose(made, taken),
                f"What layer {number} makes goes into layer {number + 1} as it is: where is the activation?",
                mistake="no activation between the layers",
                why="Without one the whole network is a linear model of the marks, however deep.",
            )


@check("In evaluation nothing is dropped")
def evaluation(attempt: Attempt) -> None:
    model, x = build(attempt, hidden_sizes=(64, 32)).eval(), attempt.normal(30, 10)
    with torch.no_grad():
        attempt.require(
            torch.equal(model(x), model(x)),
            "After model.eval() the same genes get another prediction each time: dropout is still on. "
            "nn.Dropout "
            "knows the mode of the model it is part of; F.dropout must be told training=self.training.",
            mistake="dropout on in evaluation",
            given="model.eval(); model(x) twice",
            why="A prediction for a patient must not depend on the moment it was asked for.",
        )


@check("In training each hidden layer is thinned, input and output are not")
def thinned(attempt: Attempt) -> None:
    model, x = build(attempt, hidden_sizes=(200, 200)), attempt.normal(100, 10)
    still, _ = trace(attempt, model.eval(), x)
    moving, result = trace(attempt, model.train(), x)
    attempt.require(
        torch.equal(moving[0][1], x),
        "Entries of the input are dropped: only what comes out of a hidden layer should be.",
        mistake="dropout on the input",
        why="A gene has ten numbers here; without H3K27me3 a bivalent gene looks active.",
    )
    attempt.require(
        float((result == 0).float().mean()) < DROPOUT / 3,
        f"{float((result == 0).float().mean()):.0%} of the predictions are exactly 0: dropout stands "
        f"behind the last "
        "layer.",
        mistake="dropout after the last layer",
        why="There is nothing behind it that could make up for a dropped prediction: it is just wrong.",
    )
    for number, (before, after) in enumerate(zip(still[1:], moving[1:], strict=True), start=1):
        gone = float((after[1] == 0).float().mean() - (before[1] == 0).float().mean())
        attempt.require(
            gone > DROPOUT / 4,
            f"Nothing is dropped behind hidden layer {number} in training.",
            mistake="dropout missing",
            given=f"ExpressionRegressor(10, (200, 200), dropout={DROPOUT}).train()",
            yours=f"{gone:.1%} more zeros than in evaluation",
        )


@check("What stays is scaled up, so that the average is the evaluation's")
def scaled(attempt: Attempt) -> None:
    model, rows = build(attempt), attempt.normal(50, 10)
    calls, still = trace(attempt, model.eval(), rows)
    layer, hidden, _ = calls[-1]
    chosen = int((still - layer.bias).abs().argmax())
    terms = (layer.weight[0] * hidden[chosen]).detach().double()  # (hidden,)
    _, draws = trace(attempt, model.train(), rows[chosen].expand(4000, 10).contiguous())
    mean, variance = float(draws.double().mean()), float(draws.double().var())
    wanted = float(terms.square().sum()) * DROPOUT / (1 - DROPOUT)
    error = 6 * (max(variance, wanted) / len(draws)) ** 0.5
    bias = float(layer.bias.detach())
    given = f"4000 times the same gene, ExpressionRegressor(10, (64,), dropout={DROPOUT}).train()"
    attempt.equal(
        mean,
        bias + float(terms.sum()),
        given=f"{given}: the mean prediction",
        tolerance=error,
        mistakes=[
            Mistake(
                "dropout not scaled",
                bias + (1 - DROPOUT) * float(terms.sum()),
                "What stays was not divided by 1 - dropout: in training the last layer sees less than "
                "in use, and "
                "predictions come out too large afterwards.",
            )
        ],
    )
    kept = float(terms.square().sum()) * (1 - DROPOUT) / DROPOUT
    attempt.require(
        abs(variance - kept) > 0.15 * kept,
        f"Predictions scatter as if {1 - DROPOUT:.0%} of the entries were dropped: dropout is the share "
        f"that goes, not "
        "the share that stays.",
        mistake="dropout as the share that stays",
        given=given,
    )
    attempt.equal(
        variance,
        wanted,
        given=f"{given}: the variance of the prediction",
        tolerance=0.15 * wanted / max(1.0, wanted),
        why="Each entry behind the hidden layer is dropped on its own: sum of (weight * entry)^2 * p / "
        "(1 - p).",
    )


@check("Training has dropout on, and follows the mean squared error")
def training(attempt: Attempt) -> None:
    probe, x = Probe(), attempt.normal(80, 10)
    expression = 2 * x[:, 0] + x[:, 1]
    train_seeded(attempt, probe.eval(), x, expression)
    batches = [batch for batch in probe.batches if "gradient" in batch]
    attempt.require(batches, "train never called backward() on a loss of the model's predictions.")
    attempt.require(
        all(batch["training"] for batch in batches),
        "The model came in evaluation mode and was trained in it: dropout slept. Call model.train() first.",
        mistake="trained in evaluation mode",
        why="Who calls train after looking at a prediction would silently get a model without "
        "regularisation.",
    )
    first = batches[0]
    at = (first["x"][:, None] == x[:, 0]).float().argmax(dim=1)
    n = len(at)
    right = 2 * (first["predicted"] - expression[at]).double() / n
    attempt.equal(
        first["gradient"],
        right,
        given=f"the gradient of your loss by the predictions of the first mini-batch ({n} genes)",
        tolerance=1e-5,
        mistakes=[
            Mistake(
                "loss summed, not averaged",
                right * n,
                "The loss is a sum of squares; the mean was asked for.",
            ),
            Mistake(
                "absolute error",
                right.sign() / n,
                "This is the mean absolute error, which gives the median; the mean squared error was "
                "asked for.",
            ),
        ],
    )


@check("A prediction leaves no trace")
def predictions(attempt: Attempt) -> None:
    model, x = build(attempt).train(), attempt.normal(20, 10)
    predict = attempt.get("predict")
    one, two = predict(model, x.clone()), predict(model, x.clone())
    attempt.require(isinstance(one, torch.Tensor), "predict returned no tensor: is there a return statement?")
    attempt.require(
        torch.equal(one, two),
        "Two predictions of the same genes differ: predict left dropout on. Call model.eval() in it.",
        mistake="predicted with dropout on",
        given="predict(model.train(), x) twice",
    )
    attempt.require(
        not one.requires_grad,
        "The prediction drags its graph along: use torch.no_grad().",
        mistake="graph kept",
        why="Predictions for a genome's genes would keep every intermediate result in memory.",
    )
    attempt.require(
        model.training,
        "The model was in training mode before predict and is in evaluation mode after it.",
        mistake="mode not restored",
        why="Who predicts after each epoch would train without dropout from the second epoch on.",
    )


@check("Architectures are compared on genes they were not trained on")
def comparison(attempt: Attempt) -> None:
    compare = attempt.get("compare_architectures")
    x, candidates = attempt.normal(600, 4), [(), (8,)]
    expression = 2 * x[:, 0] - x[:, 1]
    # Turned round, so that no model can be right about both halves.
    new = -expression[400:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        scores = compare(candidates, x[:400], expression[:400], x[400:], new)
    attempt.require(
        isinstance(scores, dict) and set(scores) == set(candidates),
        "Return a dict with an R2 for each candidate, the tuples of hidden sizes being its keys.",
        yours=repr(scores)[:200],
        expected="{(): ..., (8,): ...}",
    )
    attempt.require(
        all(float(score) < 0.5 for score in scores.values()),
        "The validation genes follow another rule here, and still the scores are high: they are those "
        "of the genes "
        "the models were trained on.",
        yours=str({sizes: round(float(score), 3) for sizes, score in scores.items()}),
        mistake="scored on the training genes",
        why="On its own training genes the largest network always wins.",
    )


@check("Genes never seen are predicted better than by linear regression")
def held_out(attempt: Attempt) -> None:
    features, expression = histone_genes(attempt)
    model = build(attempt, hidden_sizes=(64, 64), dropout=0.1)
    model = train_seeded(attempt, model, features[:N_TRAIN], expression[:N_TRAIN])
    with torch.no_grad():
        yours = r_squared(model.eval()(features[N_TRAIN:]).reshape(-1), expression[N_TRAIN:])
    baseline = linear_regression(features, expression)
    attempt.require(
        yours >= baseline + BETTER,
        f"On {N_HIDDEN} genes it has not seen, your model explains R2 = {yours:.3f}; linear regression "
        f"on the same marks "
        f"{baseline:.3f}. Try more epochs or Adam; look at this number, not at the training loss.",
        given=f"10 standardised features of {N_TRAIN} genes; hidden_sizes=(64, 64), dropout=0.1",
        yours=f"R2 = {yours:.3f}",
        expected=f"R2 of at least {baseline + BETTER:.3f}; linear regression {baseline:.3f}, the "
        f"training mean 0",
        why="Bivalent genes carry H3K4me3 and H3K27me3 and are silent: that takes a product of marks, "
        "not a sum.",
    )

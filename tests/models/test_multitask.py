"""Laws of the multitask model: heads that don't disturb each other, missing labels, learned weights."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss

from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.models import MultiTask, MultiTaskConfig

SMALL = {"window": 32, "n_filters": 8, "filter_length": 7, "n_shared": 16, "dropout": 0.0}
TISSUES = ("liver", "brain", "muscle")


def small(**settings) -> MultiTask:
    torch.manual_seed(0)
    return MultiTask(MultiTaskConfig(tissues=TISSUES, **(SMALL | settings)))


def batch_of(n: int = 16, n_expressions: int = 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "codes": torch.randint(0, 4, (n, 32), generator=generator).to(torch.uint8),
        "target": torch.randn(n, n_expressions, generator=generator),
        "label": torch.randint(0, 3, (n,), generator=generator),
    }


def gradient_of(model: MultiTask, total: torch.Tensor, part: str) -> float:
    model.zero_grad()
    total.backward()
    norms = [
        w.grad.norm().item()
        for name, w in model.named_parameters()
        if name.startswith(part) and w.grad is not None
    ]
    return sum(norms)


def test_it_answers_both_questions_and_its_terms_are_torchs_losses():
    model, batch = small(expressions=("K562", "HepG2"), weighting="fixed", tissue_weight=0.3), batch_of(16, 2)
    expression, tissue = model(one_hot(batch["codes"]))
    assert (expression.shape, tissue.shape) == ((16, 2), (16, 3))
    loss = model.loss(batch)
    torch.testing.assert_close(loss.terms["expression"], mse_loss(expression, batch["target"]))
    torch.testing.assert_close(loss.terms["tissue"], cross_entropy(tissue, batch["label"]))
    torch.testing.assert_close(loss.total, loss.terms["expression"] + 0.3 * loss.terms["tissue"])


@pytest.mark.parametrize("weighting", ["fixed", "uncertainty"])
def test_every_parameter_has_a_gradient_and_sixteen_sequences_are_learned(weighting):
    model, batch = small(weighting=weighting), batch_of()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    before = model.loss(batch)
    before.total.backward()
    idle = [name for name, w in model.named_parameters() if w.grad is None or not w.grad.any()]
    assert set(idle) <= {"trunk.0.bias", "trunk.4.bias"}  # before batch normalisation
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    after = model.loss(batch)
    assert all(after.terms[name].item() < 0.1 * before.terms[name].item() for name in after.terms)


def test_the_learned_variances_settle_at_the_closed_form():
    model, batch = small(), batch_of()
    terms = {name: term.detach() for name, term in model.loss(batch).terms.items()}
    optimizer = torch.optim.Adam(model.weigh.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        model.weigh(terms).backward()
        optimizer.step()
    expected = [math.log(terms["expression"]), math.log(2 * terms["tissue"])]
    assert model.weigh.log_variance.tolist() == pytest.approx(expected, abs=1e-2)


def test_a_task_without_weight_leaves_its_head_and_the_other_head_untouched():
    model, batch = small(weighting="fixed", tissue_weight=0.0), batch_of()
    assert gradient_of(model, model.loss(batch).total, "tissue") == 0
    assert gradient_of(model, model.loss(batch).terms["tissue"], "expression") == 0
    assert gradient_of(model, model.loss(batch).terms["tissue"], "trunk") > 0


def test_what_was_not_measured_does_not_count():
    model, batch = small(weighting="fixed").eval(), batch_of(16, 1)
    half = {name: column[:8] for name, column in batch.items()}
    gaps = {name: column.clone() for name, column in batch.items()}
    gaps["target"][8:] = math.nan
    gaps["label"][8:] = -100
    known, with_gaps = model.loss(half), model.loss(gaps)
    for name in known.terms:
        torch.testing.assert_close(with_gaps.terms[name], known.terms[name])
    with_gaps.total.backward()
    assert all(torch.isfinite(w.grad).all() for w in model.parameters() if w.grad is not None)


def test_a_batch_without_any_label_has_a_loss_of_zero_not_nan():
    model, batch = small(weighting="fixed"), batch_of()
    nothing = batch | {"target": torch.full((16, 1), math.nan), "label": torch.full((16,), -100)}
    assert model.loss(nothing).total.item() == 0


@pytest.mark.parametrize("weighting", ["fixed", "uncertainty"])
def test_saved_and_loaded_it_says_the_same(tmp_path, weighting):
    model, batch = small(weighting=weighting), batch_of()
    model.loss(batch)
    again = MultiTask.from_pretrained(model.save_pretrained(tmp_path))
    assert again.config == model.config
    x = one_hot(batch["codes"])
    for ours, theirs in zip(model.eval()(x), again(x), strict=True):
        assert torch.equal(ours, theirs)
    with pytest.raises(InputError, match="are 60 long, but this model's window is 32"):
        again(torch.zeros(1, 4, 60))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tissues": ("liver",)}, "tissues names one class, 'liver'"),
        ({"tissues": ("liver", "liver")}, "tissues holds 'liver' twice"),
        ({"weighting": "learned"}, "weighting is 'learned': choose one of fixed, uncertainty"),
        ({"tissue_weight": -1.0}, "tissue_weight is -1.0"),
        ({"window": 3}, "window of 3 is shorter than pool 4"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        MultiTaskConfig(**({"tissues": TISSUES} | SMALL | settings))

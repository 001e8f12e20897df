"""Laws of domain adaptation: what is reversed, what is not, and the closed forms of CORAL."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.models.domain_adaptation import DomainAdversarial, DomainAdversarialConfig, coral
from genailab.nn.gradient_reversal import reversal_scale


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_codes(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 4, (n, 24), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small(**changes) -> DomainAdversarial:
    torch.manual_seed(0)
    sizes = {
        "window": 24,
        "n_filters": 8,
        "filter_length": 5,
        "n_shared": 8,
        "dropout": 0.0,
        "ramp_steps": 10,
    }
    return DomainAdversarial(DomainAdversarialConfig(**(sizes | changes)))


def batch_of(n: int = 16) -> dict[str, torch.Tensor]:
    target = (torch.arange(n) % 3 == 0).float()
    target[n // 2 :] = torch.nan  # the second domain has no labels
    return {"codes": random_codes(n), "domain": torch.arange(n) // (n // 2), "target": target}


@given(scale=st.floats(0.1, 5), shift=st.floats(-9, 9), d=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_coral_of_scaled_rows_has_a_closed_form_and_means_do_not_count(scale, shift, d, seed):
    x = draw(30, d, seed=seed)
    covariance = torch.from_numpy(np.cov(x.numpy(), rowvar=False).reshape(d, d))
    expected = (1 - scale**2) ** 2 * covariance.square().sum() / (4 * d**2)
    torch.testing.assert_close(coral(x, scale * x + shift), expected, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(coral(scale * x + shift, x), expected, rtol=1e-6, atol=1e-9)


def test_coral_is_zero_for_equal_covariances_turns_with_both_and_sees_correlation():
    x, y = draw(40, 3), draw(25, 3, seed=1)
    assert coral(x, x.flip(0) + 4).item() == pytest.approx(0, abs=1e-12)
    rotation = torch.linalg.qr(draw(3, 3, seed=2))[0]
    torch.testing.assert_close(coral(x @ rotation, y @ rotation), coral(x, y))
    independent = draw(5000, 2)
    mixed = torch.stack([independent[:, 0], 0.6 * independent[:, 0] + 0.8 * independent[:, 1]], dim=1)
    assert coral(independent, mixed).item() == pytest.approx(2 * 0.6**2 / 16, rel=0.1)  # variances agree


def gradients(model: DomainAdversarial, total: torch.Tensor) -> dict[str, torch.Tensor]:
    names, weights = zip(*model.named_parameters(), strict=True)
    found = torch.autograd.grad(total, weights, allow_unused=True, retain_graph=True)
    return {name: torch.zeros(()) if g is None else g for name, g in zip(names, found, strict=True)}


@pytest.mark.parametrize(("steps", "strength"), [(0, 1.0), (3, 1.0), (10, 1.0), (50, 2.5)])
def test_the_critic_descends_in_full_and_the_features_ascend_by_the_schedule(steps, strength):
    model = small(strength=strength)
    model.steps.fill_(steps)
    batch = batch_of()
    reversed_ = gradients(model, model.loss(batch).terms["domain"])
    features = model.features(one_hot(batch["codes"]))
    plain = gradients(model, torch.nn.functional.cross_entropy(model.critic(features), batch["domain"]))
    scale = strength * reversal_scale(min(1.0, steps / 10))
    for name, gradient in reversed_.items():
        expected = -scale * plain[name] if name.startswith("features") else plain[name]
        torch.testing.assert_close(gradient, expected, atol=1e-6, rtol=1e-4)
    assert not reversed_["head.1.weight"].any()


def test_the_steps_count_in_training_only_and_are_saved(tmp_path):
    model = small()
    for _ in range(4):
        model.loss(batch_of())
    model.eval().loss(batch_of())
    assert int(model.steps) == 4
    loaded = DomainAdversarial.from_pretrained(model.save_pretrained(tmp_path))
    assert int(loaded.steps) == 4
    assert torch.equal(loaded(one_hot(random_codes(3))), model(one_hot(random_codes(3))))


@pytest.mark.parametrize("alignment", ["adversarial", "coral", "none"])
def test_labels_of_the_second_domain_have_no_say_in_the_label_loss(alignment):
    model = small(alignment=alignment).eval()
    batch = batch_of()
    first = {name: column[:8] for name, column in batch.items()}
    torch.testing.assert_close(model.loss(batch).terms["labels"], model.loss(first).terms["labels"])
    none = {name: column[8:] for name, column in batch.items()}
    assert model.loss(none).terms["labels"] == 0
    assert model.loss(none).total.isfinite()
    by_class = small(alignment=alignment, task="classes", outputs=("no", "yes")).eval()
    label = torch.where(batch["target"].isnan(), -100, batch["target"]).long()
    with_labels = by_class.loss({**batch, "label": label})
    first_only = by_class.loss({**first, "label": label[:8]})
    torch.testing.assert_close(with_labels.terms["labels"], first_only.terms["labels"])


@pytest.mark.parametrize("alignment", ["adversarial", "coral", "none"])
def test_the_labels_are_learned_beside_the_alignment(alignment):
    generator = torch.Generator().manual_seed(4)
    codes = random_codes(128, seed=9)
    label = torch.arange(128) % 2
    domain = torch.arange(128) // 64
    codes[label == 1, 10:16] = torch.tensor([2, 0, 3, 3, 0, 1], dtype=torch.uint8)  # a motif tells the class
    letters = torch.rand(codes.shape, generator=generator) < 0.25
    codes[letters & (domain == 1)[:, None]] = 2  # the second domain is rich in G
    target = torch.where(domain == 0, label.float(), torch.nan)
    batch = {"codes": codes, "domain": domain, "target": target}
    model = small(alignment=alignment, n_filters=16, n_shared=16, ramp_steps=60, strength=2.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    with torch.no_grad():
        right = (model.eval()(one_hot(codes))[:, 0] > 0) == (label == 1)
    assert right[domain == 0].float().mean() > 0.95


def test_coral_brings_the_covariances_together():
    def distance(alignment: str) -> float:
        model, batch = small(alignment=alignment, strength=50.0), batch_of(64)
        batch["codes"][32:, ::2] = 2
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(60):
            optimizer.zero_grad()
            model.loss(batch).total.backward()
            optimizer.step()
        features = model.eval().features(one_hot(batch["codes"]))
        scale = features.var()  # shrinking everything would bring them together too
        return (coral(features[:32], features[32:]) / scale**2).item()

    assert distance("coral") < 0.5 * distance("none")


@pytest.mark.parametrize("alignment", ["adversarial", "coral", "none"])
def test_a_gradient_reaches_every_parameter(alignment):
    model = small(alignment=alignment)
    model.steps.fill_(5)
    model.loss(batch_of()).total.backward()
    idle = {name for name, weight in model.named_parameters() if not weight.grad.any()}
    assert idle <= {"features.0.bias"}  # batch normalisation takes it out


def test_says_what_cannot_be():
    with pytest.raises(InputError, match="row 3 has the domain 2: expected 0 to 1, for source, target"):
        small().loss(batch_of(4) | {"domain": torch.tensor([0, 1, 1, 2])})
    with pytest.raises(InputError, match="at least 2 rows, got 1 of the source and 5 of the target"):
        coral(draw(1, 3), draw(5, 3))
    with pytest.raises(InputError, match="source has 3 features but target 4"):
        coral(draw(5, 3), draw(5, 4))
    with pytest.raises(InputError, match="alignment is 'mmd'"):
        small(alignment="mmd")
    with pytest.raises(InputError, match="strength is -1"):
        small(strength=-1)

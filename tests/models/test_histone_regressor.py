"""Laws of the histone regressor: units don't matter, bins or none, and it finds a known dependence."""

import pytest
import torch

from genailab.errors import InputError
from genailab.models import HistoneRegressor, HistoneRegressorConfig

MARKS = ("H3K4me3", "H3K27ac", "H3K27me3")


def features_of(n: int, *bins: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, *bins, generator=generator) * 5 + 10


def regressor(features: torch.Tensor, **settings) -> HistoneRegressor:
    torch.manual_seed(0)
    settings = {"n_filters": 8, "n_hidden": (32, 16), "dropout": 0.0} | settings
    return HistoneRegressor(HistoneRegressorConfig.of_features(features, marks=MARKS, **settings))


@pytest.mark.parametrize("bins", [(), (20,)])
def test_shapes_gradients_and_sixteen_genes_by_heart(bins):
    features = features_of(16, *bins)
    model = regressor(features, outputs=("K562", "GM12878"))
    batch = {"features": features, "target": torch.randn(16, 2, generator=torch.Generator().manual_seed(3))}
    assert model(features).shape == (16, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    before = model.loss(batch).total
    before.backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())
    for _ in range(400):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    assert model.loss(batch).total.item() < 0.1 * before.item()


@pytest.mark.parametrize("bins", [(), (20,)])
def test_the_unit_of_a_mark_has_no_say(bins):
    features = features_of(50, *bins)
    scale = torch.tensor([0.01, 3.0, 1000.0]).reshape(3, *[1] * len(bins))
    shift = torch.tensor([5.0, -2.0, 0.0]).reshape(scale.shape)
    other = features * scale + shift
    torch.testing.assert_close(regressor(features)(features), regressor(other)(other), rtol=1e-3, atol=1e-4)


def test_the_stored_mean_and_spread_make_the_training_genes_standard():
    features = features_of(200, 20)
    model = regressor(features)
    standard = (features - model.mean) / model.std
    torch.testing.assert_close(standard.mean(dim=(0, 2)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(standard.std(dim=(0, 2), correction=0), torch.ones(3), atol=1e-4, rtol=0)


def test_in_training_dropout_is_at_work_and_in_evaluation_it_is_not():
    features = features_of(30)
    model = regressor(features, dropout=0.5)
    assert not torch.equal(model(features), model(features))
    model.eval()
    assert torch.equal(model(features), model(features))


def test_a_saved_model_keeps_its_standardisation(tmp_path):
    features = features_of(30, 20)
    model = regressor(features).eval()
    again = HistoneRegressor.from_pretrained(model.save_pretrained(tmp_path))
    assert again.config == model.config
    assert torch.equal(again(features), model(features))
    with pytest.raises(
        InputError, match=r"features are \(30, 3, 25\), expected \(batch, 3, 20\) for the marks"
    ):
        again(features_of(30, 25))
    with pytest.raises(InputError, match=r"expected \(batch, 3, 20\)"):
        again(features_of(30))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.ones(5, 2), r"features are \(5, 2\) for 3 marks"),
        (torch.ones(5), r"features are \(5,\) for 3 marks"),
        (torch.ones(5, 3), "mark 'H3K4me3' has the same value in every gene"),
        (torch.tensor([[1.0, 2, 3], [4, float("nan"), 6]]), "first: gene 1, mark 'H3K27ac'"),
        (torch.randn(5, 3, 2), "n_bins is 2: give 0 for one value a mark, or at least pool=5"),
    ],
)
def test_features_that_cannot_be_are_refused(features, message):
    with pytest.raises(InputError, match=message):
        HistoneRegressorConfig.of_features(features, marks=MARKS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"marks": ("H3K4me3", "H3K4me3")}, "marks holds 'H3K4me3' twice"),
        ({"mean": (1.0,), "std": (1.0,)}, "mean has 1 values for 3 marks"),
        ({"mean": (0.0,) * 3}, "give both, each std above 0"),
        ({"mean": (0.0,) * 3, "std": (1.0, 0.0, 1.0)}, "give both, each std above 0"),
        ({"kernel": 10}, "kernel is 10: give odd lengths"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        HistoneRegressorConfig(**({"marks": MARKS} | settings))

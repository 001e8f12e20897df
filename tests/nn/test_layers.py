"""Laws of the shared layers."""

from __future__ import annotations

import contextlib

import pytest
import torch

from genailab.errors import InputError
from genailab.nn import FiLM, FourierTime, OneHot, evaluating, feedforward


def test_film_starts_as_the_identity_and_then_is_affine_in_the_features():
    film = FiLM(5, 3)
    features, condition = torch.randn(4, 5), torch.randn(4, 3)
    assert torch.equal(film(features, condition), features)
    torch.nn.init.normal_(film.scale_and_shift.weight)
    shift = film(torch.zeros_like(features), condition)
    doubled = film(2 * features, condition) - shift
    torch.testing.assert_close(doubled, 2 * (film(features, condition) - shift))


def test_one_hot_sets_one_feature_for_each_covariate():
    encoding = OneHot({"type": ("B", "NK"), "donor": ("x", "y", "z")})
    features = encoding({"type": torch.tensor([1, 0]), "donor": torch.tensor([2, 0])})
    assert features.tolist() == [[0, 1, 0, 0, 1], [1, 0, 1, 0, 0]]
    assert encoding.n_features == 5


def test_one_hot_of_no_covariate_is_nothing():
    assert OneHot({})({}) is None
    assert OneHot({}).n_features == 0


def test_fourier_time_tells_close_times_apart_and_keeps_far_ones_further():
    times = torch.linspace(0, 1, 1001)
    features = FourierTime(64)(times)
    assert features.shape == (1001, 64)
    # A sine and a cosine of each frequency: every time has the same norm.
    torch.testing.assert_close(features.square().sum(dim=1), torch.full((1001,), 32.0))
    distances = torch.cdist(features, features) + 10 * torch.eye(1001)
    assert distances.min() > 0.1
    assert (features[0] - features[1]).norm() < (features[0] - features[500]).norm()


@pytest.mark.parametrize("n_features", [0, 1, 7])
def test_fourier_time_needs_pairs(n_features):
    with pytest.raises(InputError, match=f"{n_features} features of time: give an even number"):
        FourierTime(n_features)


@pytest.mark.parametrize(("n_layers", "dropout"), [(1, 0.0), (3, 0.2)])
def test_feedforward_goes_from_its_input_width_to_its_hidden_width(n_layers, dropout):
    block = feedforward(7, 11, n_layers=n_layers, dropout=dropout)
    out = block(torch.randn(6, 7))
    assert out.shape == (6, 11)
    assert out.min() >= 0  # a ReLU comes last
    kinds = [type(layer).__name__ for layer in block]
    assert kinds.count("Linear") == n_layers
    assert kinds.count("Dropout") == (n_layers if dropout else 0)


def test_evaluating_restores_the_mode_of_every_part():
    model = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(2, 2))
    model[0].eval()
    with contextlib.suppress(KeyError), evaluating(model):
        assert not any(module.training for module in model.modules())
        raise KeyError("an error on the way must not leave it in evaluation mode")
    assert model.training
    assert not model[0].training
    assert model[1].training

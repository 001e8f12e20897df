"""Laws of gradients: exact for linear models, complete along a path, and nothing of the model is changed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.interpret import gradient_x_input, input_gradients, integrated_gradients, predict


def sequences(batch: int = 3, length: int = 12, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 4, (batch, length), generator=generator, dtype=torch.uint8)
    return one_hot(codes, dtype=torch.float64)


def network(seed: int = 0, outputs: int = 2) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = nn.Sequential(
            nn.Conv1d(4, 6, 3), nn.Tanh(), nn.Dropout(), nn.Flatten(), nn.Linear(60, outputs)
        )
    return layers.double()


def test_a_linear_model_is_the_sum_of_its_attributions():
    x = sequences()
    weight = torch.randn(4, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def linear(x):
        return (x * weight).sum(dim=(1, 2))

    torch.testing.assert_close(gradient_x_input(linear, x).sum(dim=(1, 2)), linear(x))
    torch.testing.assert_close(input_gradients(linear, x), weight.expand_as(x))


@given(st.integers(0, 50), st.sampled_from([None, 0.0, "other"]))
@settings(max_examples=20, deadline=None)
def test_integrated_gradients_sum_to_the_difference_from_the_baseline(seed, baseline):
    x, model = sequences(seed=seed), network(seed)
    start = sequences(seed=seed + 1) if baseline == "other" else baseline
    found = integrated_gradients(model, x, baseline=start, target=1, steps=30)
    origin = torch.full_like(x, 0.25) if start is None else torch.as_tensor(start).expand_as(x).to(x)
    difference = predict(model, x, target=1) - predict(model, origin, target=1)
    torch.testing.assert_close(found.sum(dim=(1, 2)), difference, rtol=1e-6, atol=1e-8)


def test_centred_gradients_do_not_see_what_all_letters_share():
    x, model = sequences(), network()

    def shifted(x):  # adds what is the same for every sequence on the simplex
        return model(x)[:, 0] + 3 * x.sum(dim=(1, 2))

    plain, moved = (input_gradients(f, x, target=t, centred=True) for f, t in ((model, 0), (shifted, None)))
    model.eval()
    torch.testing.assert_close(input_gradients(shifted, x, centred=True), plain)
    assert moved.sum(dim=1).abs().max() < 1e-12


def test_batches_of_any_size_give_the_same_and_a_function_is_a_target():
    x, model = sequences(batch=7), network()
    whole = gradient_x_input(model, x, target=1)
    torch.testing.assert_close(gradient_x_input(model, x, target=1, batch_size=2), whole)
    torch.testing.assert_close(gradient_x_input(model, x, target=lambda y: y[:, 1]), whole)
    torch.testing.assert_close(
        integrated_gradients(model, x, target=1, batch_size=3), integrated_gradients(model, x, target=1)
    )


@pytest.mark.parametrize("method", [gradient_x_input, integrated_gradients, predict])
def test_model_and_sequences_are_left_as_they_were(method):
    x, model = sequences(), network()
    model.train()
    model[1].eval()
    model[0].weight.requires_grad_(False)
    before = x.clone()
    method(model, x, target=0)
    assert [module.training for module in model] == [True, False, True, True, True]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert [parameter.requires_grad for parameter in model.parameters()] == [False, True, True, True]
    assert torch.equal(x, before)
    assert not x.requires_grad


def test_a_recurrent_model_has_gradients_too():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.read, self.out = nn.GRU(4, 5, batch_first=True), nn.Linear(5, 1)

        def forward(self, x):
            return self.out(self.read(x.transpose(1, 2))[0][:, -1])

    found = integrated_gradients(Reader().double(), sequences())
    assert found.abs().sum() > 0


@pytest.mark.parametrize(
    ("target", "message"),
    [(None, "does not pick one number"), (5, "target 5"), (lambda y: y, "does not pick one number")],
)
def test_an_output_must_be_one_number_a_sequence(target, message):
    with pytest.raises(InputError, match=message):
        gradient_x_input(network(), sequences(), target=target)


def test_wrong_sequences_and_baselines_are_refused():
    with pytest.raises(InputError, match="expected one-hot sequences"):
        gradient_x_input(network(), torch.zeros(3, 12, dtype=torch.uint8), target=0)
    with pytest.raises(InputError, match=r"baseline of shape \(5,\)"):
        integrated_gradients(network(), sequences(), baseline=torch.zeros(5), target=0)
    with pytest.raises(InputError, match="steps is 0"):
        integrated_gradients(network(), sequences(), target=0, steps=0)
    with pytest.raises(InputError, match="returned a dict"):
        predict(lambda x: {"y": x}, sequences())

"""The local way of mutagenesis gives what the plain one does, for any model that a user may write."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.interpret import in_silico_mutagenesis, predict

LENGTH = 37


def sequences(batch: int = 2, length: int = LENGTH, seed: int = 0, letters: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, letters, (batch, length), generator=generator, dtype=torch.uint8)
    return one_hot(codes, dtype=torch.float64)


def made(seed: int, *layers) -> nn.Sequential:
    """Build layers from functions of the channels so far; norms have seen something."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(*layers).double()
        for module in model.modules():
            for parameter in module.parameters(recurse=False):
                nn.init.normal_(parameter, std=0.4)
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return model.eval()


def both_ways(model, x, **options):
    local = in_silico_mutagenesis(model, x, method="local", **options)
    plain = in_silico_mutagenesis(model, x, method="plain", **options)
    torch.testing.assert_close(local.effects, plain.effects, rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(local.predictions, plain.predictions)
    assert plain.effects.abs().max() > 1e-6
    return local


@given(
    kernel=st.integers(1, 6),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
    pool=st.integers(1, 4),
    pool_stride=st.integers(1, 4),
    seed=st.integers(0, 99),
)
@settings(max_examples=15, deadline=None)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even")
def test_any_convolution_and_pool(kernel, stride, padding, dilation, pool, pool_stride, seed):
    conv = nn.Conv1d(4, 5, kernel, stride=stride, padding=padding, dilation=dilation)
    features = made(
        seed,
        conv,
        nn.Tanh(),
        nn.MaxPool1d(pool, pool_stride, padding=pool // 2),
        nn.Conv1d(5, 3, 2, padding="same"),
        nn.AvgPool1d(2, padding=1, stride=1),
    )
    x = sequences(batch=1, seed=seed)
    with torch.no_grad():
        size = features(x).flatten(1).shape[1]
    assert both_ways(nn.Sequential(features, made(seed, nn.Flatten(), nn.Linear(size, 1))), x).note == ""


HEADS = {
    "max": [nn.AdaptiveMaxPool1d(1), nn.Flatten()],
    "mean": [nn.AdaptiveAvgPool1d(1), nn.Flatten()],
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("inplace", [True, False])
def test_convolutional_models_are_followed_to_the_end(head, inplace):
    model = made(
        0,
        nn.ConstantPad1d(3, 0.25),
        nn.Conv1d(4, 6, 5),
        nn.BatchNorm1d(6),
        nn.ReLU(inplace=inplace),
        nn.MaxPool1d(3),
        nn.Dropout(0.3),
        nn.Conv1d(6, 6, 3, padding=1, groups=2),
        nn.LeakyReLU(0.1, inplace=inplace),
        *HEADS[head],
        nn.Linear(6, 4),
        nn.ReLU(),
        nn.Linear(4, 2),
    )
    assert both_ways(model, sequences(letters=5), target=1).note == ""


class Branching(nn.Module):
    """Shortcuts, parallel kernels, gates, both strands, in-place sums: what models do beside a stack."""

    def __init__(self):
        super().__init__()
        self.wide, self.narrow = nn.Conv1d(4, 4, 7, padding=3), nn.Conv1d(4, 4, 3, padding=1)
        self.dilated = nn.Conv1d(8, 8, 3, padding=4, dilation=4)
        self.gate = nn.Conv1d(8, 1, 1)
        self.scale = nn.Parameter(torch.ones(8, 1))
        self.out = nn.Linear(16, 1)

    def strand(self, x):
        assert x.dim() == 3
        assert x.shape[1] == 4
        h = torch.cat([self.wide(x), self.narrow(x)], dim=1).relu()
        h = h + functional.gelu(self.dilated(h)) * self.scale
        h += 0.5
        h *= torch.sigmoid(self.gate(h))
        h = 1 - h / 2
        h = h[:, :, 3:-3]
        return self.out(torch.cat([h.amax(dim=2), h.mean(-1)], dim=1))

    def forward(self, x):
        return torch.maximum(self.strand(x), self.strand(x.flip(1, 2)))


def test_branches_shortcuts_and_both_strands():
    assert both_ways(made(3, Branching()), sequences(letters=5)).note == ""


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 8, 5, padding=2)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 1)

    def forward(self, x):
        h = self.conv(x).relu().transpose(1, 2)
        return self.out(self.norm(h + self.attend(h, h, h)[0]).amax(dim=1))


def test_what_has_no_rule_gets_whole_sequences_and_is_named():
    found = both_ways(made(4, Attending()), sequences(batch=1))
    assert found.method == "local"
    assert "transpose" in found.note


def test_a_recurrent_model_and_a_plain_function():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.read = nn.LSTM(4, 3, batch_first=True, bidirectional=True)

        def forward(self, x):
            return self.read(x.permute(0, 2, 1))[0].sum(dim=(1, 2))

    both_ways(made(5, Reader()), sequences(batch=1))
    weight = torch.randn(4, LENGTH, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = both_ways(lambda x: (x * weight).sum(dim=(1, 2)), sequences())
    there = (sequences() * weight).sum(dim=1, keepdim=True)
    torch.testing.assert_close(found.effects, weight - there)  # of a linear model, in closed form


def test_a_part_of_the_sequence_and_any_batch_size_give_the_same_numbers():
    x, model = sequences(), made(0, nn.Conv1d(4, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(99, 1))
    whole = in_silico_mutagenesis(model, x)
    assert whole.method == "local"
    part = in_silico_mutagenesis(model, x, start=4, end=9, batch_size=7)
    torch.testing.assert_close(part.effects, whole.effects[:, :, 4:9])
    assert (whole.effects[x == 1] == 0).all()
    torch.testing.assert_close(whole.predictions, predict(model, x))


def test_each_effect_is_that_of_the_mutated_sequence():
    x, model = sequences(batch=1), made(0, nn.Conv1d(4, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(99, 1))
    mutated = x.clone()
    mutated[0, :, 11] = torch.tensor([0.0, 0, 1, 0])
    expected = predict(model, mutated) - predict(model, x)
    torch.testing.assert_close(in_silico_mutagenesis(model, x).effects[:, 2, 11], expected)


def test_the_model_keeps_its_mode_and_the_sequences_their_letters():
    model = made(
        0, nn.Conv1d(4, 3, 5), nn.BatchNorm1d(3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(99, 1)
    )
    model.train()
    statistics, x = model[1].running_mean.clone(), sequences()
    before = x.clone()
    in_silico_mutagenesis(model, x)
    assert model.training
    assert model[1].training
    assert torch.equal(model[1].running_mean, statistics)
    assert torch.equal(x, before)


class Scribbling(nn.Module):
    """Writes into a tensor in a way that only whole tensors can follow."""

    def forward(self, x):
        h = x * 2
        h[:, 0, 3] = 0
        return h.sum(dim=(1, 2)) + h[:, 1].cumsum(dim=1)[:, -1]


def test_models_that_cannot_be_followed_fall_back_and_say_why():
    found = in_silico_mutagenesis(Scribbling(), sequences())
    assert found.method == "plain"
    assert "__setitem__" in found.note
    with pytest.raises(InputError, match=r"can't be followed locally.*in place"):
        in_silico_mutagenesis(Scribbling(), sequences(), method="local")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scripted_module_sees_whole_sequences():
    model = torch.jit.script(made(0, nn.Conv1d(4, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(99, 1)))
    found = in_silico_mutagenesis(model, sequences())
    plain = in_silico_mutagenesis(model, sequences(), method="plain")
    torch.testing.assert_close(found.effects, plain.effects)
    assert found.note


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 5), (9, 3), (0, LENGTH + 1)])
def test_positions_outside_the_sequence_are_refused(start, end):
    with pytest.raises(InputError, match=f"positions {start} to {end} do not lie in a sequence of {LENGTH}"):
        in_silico_mutagenesis(lambda x: x.sum(dim=(1, 2)), sequences(), start=start, end=end)


def test_a_method_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="did you mean 'plain'"):
        in_silico_mutagenesis(lambda x: x.sum(dim=(1, 2)), sequences(), method="plan")

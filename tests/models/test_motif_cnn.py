"""Laws of the motif CNN: strands, windows, filters at their place, and that it learns and is saved."""

import dataclasses
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genailab.data.sequences.encoding import encode, one_hot
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.errors import InputError
from genailab.models import MotifCNN, MotifCNNConfig

SMALL = {"window": 30, "n_filters": 8, "filter_length": 7, "n_hidden": 8, "n_dense": 8}
OUTPUTS = {"binary": ("bound",), "classes": ("none", "weak", "strong"), "regression": ("a", "b")}


def random_codes(n: int, length: int = 30, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small(**settings) -> MotifCNN:
    torch.manual_seed(0)
    return MotifCNN(MotifCNNConfig(**(SMALL | settings)))


def batch_of(task: str, n: int = 16) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    batch = {"codes": random_codes(n)}
    if task == "classes":
        return batch | {"label": torch.randint(0, 3, (n,), generator=generator)}
    width = len(OUTPUTS[task])
    target = torch.randn(n, width, generator=generator)
    return batch | {"target": (target > 0).float() if task == "binary" else target}


@pytest.mark.parametrize("task", OUTPUTS)
@pytest.mark.parametrize("pooling", ["max", "average", "flatten"])
def test_every_task_and_pooling_has_its_shape_and_a_gradient_in_every_parameter(task, pooling):
    model = small(task=task, outputs=OUTPUTS[task], pooling=pooling, dropout=0.0)
    batch = batch_of(task)
    assert model(one_hot(batch["codes"])).shape == (16, len(OUTPUTS[task]))
    model.loss(batch).total.backward()
    idle = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    # A bias before batch normalisation is taken out with the mean.
    assert set(idle) <= {"features.0.bias", "features.5.bias"}


@given(seed=st.integers(0, 99), strands=st.sampled_from(["mean", "max"]))
@settings(max_examples=20, deadline=None)
def test_with_both_strands_a_reverse_complement_gets_the_same_prediction_to_the_last_bit(seed, strands):
    model = small(strands=strands, outputs=("a", "b")).eval()
    codes = random_codes(6, seed=seed)
    complement = reverse_complement(codes)
    with torch.no_grad():
        assert torch.equal(model(one_hot(codes)), model(one_hot(complement)))
        given_strand = MotifCNN(dataclasses.replace(model.config, strands="given")).eval()
        assert not torch.allclose(given_strand(one_hot(codes)), given_strand(one_hot(complement)))


@pytest.mark.parametrize("activation", ["relu", "exponential"])
@pytest.mark.parametrize("place", [0, 1, 11, 23])
def test_a_filter_responds_most_where_its_motif_is(place, activation):
    model = small(activation=activation).eval()
    motif = encode("TTACGCA")
    codes = torch.full((1, 30), 4, dtype=torch.uint8)  # N: matches nothing
    codes[0, place : place + 7] = motif
    with torch.no_grad():
        model.filters.weight[3] = one_hot(motif)[0] - 0.25
        found = model.detectors(one_hot(codes))  # (1, n_filters, window)
    assert found.shape == (1, 8, 30)
    assert found[0, 3].argmax().item() - 7 // 2 == place


def test_features_and_head_are_plain_sequences_of_torchs_layers():
    model = small().eval()
    x = one_hot(random_codes(4))
    assert type(model.features) is type(model.head) is nn.Sequential
    assert isinstance(model.filters, nn.Conv1d)
    assert model.filters is model.features[0]
    torch.testing.assert_close(model.head(model.features(x)), model(x))


@pytest.mark.parametrize("task", OUTPUTS)
def test_it_learns_sixteen_random_sequences_by_heart(task):
    model = small(task=task, outputs=OUTPUTS[task], dropout=0.0, pooling="flatten")
    batch = batch_of(task)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    before = model.loss(batch).total.item()
    for _ in range(80):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    assert model.loss(batch).total.item() < 0.05 * before


def test_saved_and_loaded_it_says_the_same(tmp_path):
    model = small(strands="max", activation="exponential", n_blocks=2)
    model.loss(batch_of("binary"))  # moves the running statistics away from their start
    again = MotifCNN.from_pretrained(model.save_pretrained(tmp_path))
    assert again.config == model.config
    x = one_hot(random_codes(5))
    assert torch.equal(again(x), model.eval()(x))


def test_weights_of_another_window_are_refused_in_a_sentence(tmp_path):
    small(pooling="flatten").save_pretrained(tmp_path)
    description = json.loads((tmp_path / "config.json").read_text())
    description["config"]["window"] = 60
    (tmp_path / "config.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match=r"model\.safetensors does not fit .*config\.json: .*size mismatch"):
        MotifCNN.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"codes": torch.zeros(2, 40, dtype=torch.uint8)}, "are 40 long, but this model's window is 30"),
        ({"codes": torch.zeros(2, 30)}, r"'codes' is torch.float32 of shape \(2, 30\), expected uint8"),
        ({"codes": torch.zeros(2, 4, 30, dtype=torch.uint8)}, r"of shape \(2, 4, 30\), expected uint8"),
        ({"target": torch.zeros(2)}, r"the batch holds \['target'\] but no 'codes'"),
    ],
)
def test_batches_that_cannot_be_are_refused(batch, message):
    with pytest.raises(InputError, match=message):
        small().loss({"target": torch.zeros(2), **batch})


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(2, 30, 4), r"got \(2, 30, 4\): transpose the last two axes"),
        (torch.zeros(4, 30), r"expected one-hot sequences \(batch, 4, 30\), got \(4, 30\)"),
        (torch.zeros(2, 4, 29), "are 29 long, but this model's window is 30"),
        (torch.zeros(2, 4, 30, dtype=torch.uint8), "as floats, got torch.uint8"),
    ],
)
def test_inputs_that_are_not_one_hot_of_the_window_are_refused(x, message):
    with pytest.raises(InputError, match=message):
        small()(x)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 5}, "window of 5 is shorter than filter_length 7"),
        ({"filter_length": 8}, "filter_length is 8: give odd lengths"),
        ({"n_filters": 0}, "n_filters is 0: it must be at least 1"),
        ({"n_blocks": -1}, "n_blocks is -1"),
        ({"dropout": 1.0}, r"dropout is 1.0: it must be in \[0, 1\)"),
        ({"pooling": "mean"}, "pooling is 'mean': choose one of max, average, flatten"),
        ({"task": "ranking"}, "task is 'ranking': choose one of"),
        ({"activation": "gelu"}, "activation is 'gelu'"),
        ({"alphabet": "dna"}, r"alphabet 'dna' is not known: did you mean 'DNA'"),
        ({"alphabet": "PROTEIN", "strands": "max"}, "PROTEIN has no second strand: set strands='given'"),
        ({"strands": "both"}, "strands is 'both'"),
        ({"outputs": ()}, "outputs is empty"),
        ({"outputs": ("a", "b", "a")}, "outputs holds 'a' twice"),
        ({"task": "classes"}, "outputs names one class, 'bound'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        MotifCNNConfig(**(SMALL | settings))


def test_proteins_and_rna_have_their_own_channels():
    assert small(alphabet="PROTEIN")(torch.zeros(2, 20, 30)).shape == (2, 1)
    assert small(alphabet="RNA", strands="mean")(torch.zeros(2, 4, 30)).shape == (2, 1)

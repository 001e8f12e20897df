"""Laws of DeepBind: both strands alike, the paper's padding, detectors that start from known motifs."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.encoding import encode, one_hot
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.errors import InputError
from genailab.models import DeepBind, DeepBindConfig

SMALL = {"window": 25, "n_detectors": 4, "detector_length": 8, "n_hidden": 8, "init_std": 0.5}


def random_codes(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 4, (n, 25), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small(**settings) -> DeepBind:
    torch.manual_seed(1)
    return DeepBind(DeepBindConfig(**(SMALL | settings)))


@given(seed=st.integers(0, 99), strands=st.sampled_from(["mean", "max"]))
@settings(max_examples=20, deadline=None)
def test_a_double_helix_has_one_score_whichever_strand_is_read(seed, strands):
    model = small(strands=strands).eval()
    codes = random_codes(7, seed)
    complement = reverse_complement(codes)
    with torch.no_grad():
        assert torch.equal(model(one_hot(codes)), model(one_hot(complement)))
        alone = DeepBind(dataclasses.replace(model.config, strands="given")).eval()
        assert not torch.allclose(alone(one_hot(codes)), alone(one_hot(complement)))


def test_the_score_is_the_larger_of_the_two_strands():
    model = small(strands="max").eval()
    x = one_hot(random_codes(20))
    with torch.no_grad():
        forward, reverse = model.one_strand(x), model.one_strand(x.flip(1, 2))
        assert torch.equal(model(x), torch.maximum(forward, reverse))
        assert (forward > reverse).any()
        assert (forward < reverse).any()


def test_it_is_the_papers_formula_written_as_a_loop():
    model = small(n_hidden=0, dropout=0.0, strands="given").eval()
    x = one_hot(random_codes(1))[0].double().numpy()  # (4, 25)
    detectors = model.filters.weight.detach().double().numpy()
    bias = model.filters.bias.detach().double().numpy()
    padded = np.full((4, 25 + 2 * 7), 0.25)
    padded[:, 7:-7] = x
    rectified = np.array(
        [
            [max(0.0, (padded[:, i : i + 8] * detector).sum() + b) for i in range(25 + 7)]
            for detector, b in zip(detectors, bias, strict=True)
        ]
    )
    pooled = np.concatenate([rectified.max(axis=1), rectified.mean(axis=1)])
    last = model.head[-1]
    expected = pooled @ last.weight.detach().double().numpy()[0] + last.bias.item()
    assert model(one_hot(random_codes(1))).item() == pytest.approx(expected, rel=1e-5)


def test_an_unknown_letter_counts_as_a_quarter_of_each_like_the_padding():
    model = small(n_hidden=0, pooling="max", dropout=0.0).eval()
    unknown = torch.full((1, 25), 4, dtype=torch.uint8)
    batch = {"codes": unknown, "target": torch.zeros(1)}
    quarter = model(torch.full((1, 4, 25), 0.25))
    expected = torch.nn.functional.binary_cross_entropy_with_logits(quarter, torch.zeros(1, 1))
    torch.testing.assert_close(model.loss(batch).total, expected)


@pytest.mark.parametrize("n_hidden", [0, 8])
@pytest.mark.parametrize("pooling", ["max", "max_and_mean"])
def test_every_parameter_has_a_gradient_and_sixteen_sequences_are_learned(n_hidden, pooling):
    model = small(n_hidden=n_hidden, pooling=pooling, dropout=0.0, task="regression", n_detectors=16)
    target = torch.randn(16, 1, generator=torch.Generator().manual_seed(2))
    batch = {"codes": random_codes(16), "target": target}
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    before = model.loss(batch).total
    before.backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())
    for _ in range(300):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    assert model.loss(batch).total.item() < 0.05 * before.item()


@pytest.mark.parametrize("place", [0, 9, 17])
def test_a_detector_that_starts_from_a_motif_finds_it(place):
    model = small().eval()
    word = "GATTAC"
    model.start_from([(one_hot(word)[0] - 0.25).numpy()])
    codes = encode(["A" * 25])
    codes[0, place : place + 6] = encode(word)
    response = model.detectors(one_hot(codes))[0, 0]  # (window + detector_length - 1,)
    # The word of 6 lies one position into the detector of 8; response i covers i - 7 onwards.
    assert response.argmax().item() - 7 + 1 == place
    assert model.filters.weight[0].std() < 2 * model.filters.weight[1:].std()


def test_matrices_that_do_not_fit_are_refused():
    model = small()
    with pytest.raises(InputError, match="5 matrices do not fit into 4 detectors"):
        model.start_from([np.zeros((4, 6))] * 5)
    with pytest.raises(InputError, match=r"matrix 1 has the shape \(4, 9\)"):
        model.start_from([np.zeros((4, 6)), np.zeros((4, 9))])
    with pytest.raises(InputError, match=r"matrix 0 has the shape \(6, 4\)"):
        model.start_from([np.zeros((6, 4))])


def test_the_two_settings_of_the_paper():
    chip, array = DeepBindConfig.chip(), DeepBindConfig.microarray(window=36)
    assert (chip.task, chip.strands, chip.window) == ("binary", "max", 101)
    assert (array.task, array.strands, array.window) == ("regression", "given", 36)
    assert DeepBind(array)(torch.zeros(2, 4, 36)).shape == (2, 1)


def test_saved_and_loaded_it_says_the_same(tmp_path):
    model = small(outputs=("CTCF", "PU.1"), n_hidden=0)
    again = DeepBind.from_pretrained(model.save_pretrained(tmp_path))
    assert again.config == model.config
    x = one_hot(random_codes(3))
    assert torch.equal(again(x), model.eval()(x))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_hidden": -1}, "n_hidden is -1: give a width, or 0"),
        ({"init_std": 0.0}, "init_std is 0.0: it must be positive"),
        ({"pooling": "mean"}, "pooling is 'mean'"),
        ({"alphabet": "PROTEIN"}, "PROTEIN has no second strand"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        DeepBindConfig(**(SMALL | settings))


def test_another_length_than_the_window_is_refused_with_both():
    with pytest.raises(InputError, match="are 101 long, but this model's window is 25"):
        small()(torch.zeros(2, 4, 101))

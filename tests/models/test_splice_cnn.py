"""Laws of the splice CNN: what it can see, which pooling knows where, that it learns and is saved."""

import json

import pytest
import torch
from torch import nn

from genailab.data.sequences.encoding import encode, one_hot
from genailab.errors import InputError
from genailab.models import SpliceCNN, SpliceCNNConfig

POOLINGS = ("global", "attention", "centre", "flatten")
SMALL = {"window": 41, "n_each": 4, "kernels": (3, 7), "dilations": (1, 2), "block_kernel": 3, "n_dense": 16}


def random_codes(n: int, length: int = 41, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small(**settings) -> SpliceCNN:
    torch.manual_seed(0)
    return SpliceCNN(SpliceCNNConfig(**(SMALL | settings)))


def labels(n: int) -> torch.Tensor:
    return torch.randint(0, 3, (n,), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("window", [41, 42])
def test_every_pooling_gives_three_logits_a_gradient_everywhere_and_learns(pooling, window):
    model = small(pooling=pooling, window=window, dropout=0.0)
    batch = {"codes": random_codes(16, window), "label": labels(16)}
    assert model(one_hot(batch["codes"])).shape == (16, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    before = model.loss(batch).total
    before.backward()
    idle = [name for name, w in model.named_parameters() if w.grad is None or not w.grad.any()]
    # What is added to every position of a channel is taken out again by the batch normalisation after it.
    assert all(name.endswith("bias") for name in idle)
    for _ in range(60):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    assert model.loss(batch).total.item() < 0.1 * before.item()


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_other_tasks_have_a_value_for_each_output(task):
    model = small(task=task, outputs=("inclusion",))
    loss = model.loss({"codes": random_codes(4), "target": torch.ones(4)})
    assert model(one_hot(random_codes(4))).shape == (4, 1)
    assert torch.isfinite(loss.total)


def test_a_feature_sees_exactly_the_receptive_field_that_is_stated():
    model = small(window=101).eval().double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):  # no rectification in the way: every reach has a gradient
            module.bias.data.fill_(100.0)
    x = one_hot(random_codes(1, 101), dtype=torch.float64).requires_grad_()
    model.blocks(model.stem(x))[0, :, 50].sum().backward()
    seen = x.grad[0].abs().sum(dim=0).nonzero().squeeze(1)
    half = model.receptive_field // 2
    assert model.receptive_field == 7 + 2 * 1 * 2 + 2 * 2 * 2
    assert (seen.min().item(), seen.max().item()) == (50 - half, 50 + half)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_only_centre_and_flatten_know_where_the_site_is(pooling):
    model = small(pooling=pooling, window=81).eval().double()
    codes = torch.full((2, 81), 4, dtype=torch.uint8)
    codes[0, 36:45] = codes[1, 30:39] = encode("CAGGTAAGT")  # far from both ends, so only its place differs
    with torch.no_grad():
        here, there = model(one_hot(codes, dtype=torch.float64))
    assert torch.allclose(here, there, rtol=1e-9) == (pooling in ("global", "attention"))


def test_the_centre_sees_only_the_letters_within_its_reach():
    model = small(pooling="centre", window=81).eval()
    half = model.receptive_field // 2
    codes = random_codes(1, 81)
    outside, inside = codes.clone(), codes.clone()
    outside[0, : 40 - half] = outside[0, 41 + half :] = 4
    inside[0, 40 - half] = (inside[0, 40 - half] + 1) % 4
    with torch.no_grad():
        torch.testing.assert_close(model(one_hot(outside)), model(one_hot(codes)))
        assert not torch.equal(model(one_hot(inside)), model(one_hot(codes)))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_saved_and_loaded_it_says_the_same(tmp_path, pooling):
    model = small(pooling=pooling)
    model.loss({"codes": random_codes(8), "label": labels(8)})
    again = SpliceCNN.from_pretrained(model.save_pretrained(tmp_path))
    assert again.config == model.config
    x = one_hot(random_codes(5))
    assert torch.equal(again(x), model.eval()(x))


def test_another_window_than_the_weights_is_refused(tmp_path):
    with pytest.raises(InputError, match="are 60 long, but this model's window is 41"):
        small()(torch.zeros(1, 4, 60))
    with pytest.raises(InputError, match="are 60 long, but this model's window is 41"):
        small().loss({"codes": random_codes(2, 60), "label": labels(2)})
    small().save_pretrained(tmp_path)
    description = json.loads((tmp_path / "config.json").read_text())
    description["config"]["window"] = 60
    (tmp_path / "config.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match="does not fit"):
        SpliceCNN.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernels": (3, 8)}, r"kernels is \(3, 8\): give odd lengths"),
        ({"kernels": ()}, "kernels is empty"),
        ({"dilations": (1, 0)}, r"dilations is \(1, 0\): it must be at least 1"),
        ({"block_kernel": 4}, "block_kernel is 4: give odd lengths"),
        ({"pooling": "center"}, "pooling is 'center': choose one of global, attention, centre, flatten"),
        ({"outputs": ("donor",)}, "outputs names one class, 'donor'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        SpliceCNNConfig(**(SMALL | settings))

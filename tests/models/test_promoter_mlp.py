"""Laws of the promoter perceptron: three layers that know each position, learn by heart and are saved."""

import json

import pytest
import torch
from torch import nn

from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.models import PromoterMLP, PromoterMLPConfig

OUTPUTS = {"binary": ("active",), "classes": ("low", "middle", "high"), "regression": ("activity",)}


def random_codes(n: int, length: int = 20) -> torch.Tensor:
    return torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def small(**settings) -> PromoterMLP:
    torch.manual_seed(0)
    return PromoterMLP(PromoterMLPConfig(**({"window": 20, "n_hidden": (32, 16)} | settings)))


def batch_of(task: str) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    if task == "classes":
        return {"codes": random_codes(16), "label": torch.randint(0, 3, (16,), generator=generator)}
    target = torch.randn(16, generator=generator)
    return {"codes": random_codes(16), "target": (target > 0).float() if task == "binary" else target}


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("task", OUTPUTS)
def test_it_learns_sixteen_sequences_of_every_task_with_every_parameter(task, batch_norm):
    model = small(task=task, outputs=OUTPUTS[task], batch_norm=batch_norm, dropout=0.0)
    batch = batch_of(task)
    assert model(one_hot(batch["codes"])).shape == (16, len(OUTPUTS[task]))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    before = model.loss(batch).total
    before.backward()
    idle = [name for name, w in model.named_parameters() if w.grad is None or not w.grad.any()]
    assert all(batch_norm and name.endswith("bias") for name in idle)
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    assert model.loss(batch).total.item() < 0.05 * before.item()


def test_there_are_three_linear_layers():
    linear = [layer for layer in small().modules() if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [(80, 32), (32, 16), (16, 1)]


def test_moving_a_sequence_by_one_letter_changes_what_is_said_of_it():
    model = small(dropout=0.0, batch_norm=False).eval()
    x = one_hot(random_codes(3))
    assert not torch.allclose(model(x), model(x.roll(1, dims=2)))


def test_with_one_hidden_unit_passing_a_letter_through_it_reads_that_letter():
    model = small(n_hidden=(1, 1), batch_norm=False, dropout=0.0).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.layers[1].weight[0, 2 * 20 + 7] = 1.0  # channel G at position 7
        for layer in (model.layers[4], model.layers[7]):
            layer.weight.fill_(1.0)
        codes = random_codes(12)
        codes[0, 7] = 2
        assert model(one_hot(codes))[:, 0].tolist() == (codes[:, 7] == 2).float().tolist()


def test_saved_and_loaded_it_says_the_same_and_another_window_is_refused(tmp_path):
    model = small()
    model.loss(batch_of("regression"))
    again = PromoterMLP.from_pretrained(model.save_pretrained(tmp_path))
    x = one_hot(random_codes(4))
    assert again.config == model.config
    assert torch.equal(again(x), model.eval()(x))
    with pytest.raises(InputError, match="are 75 long, but this model's window is 20"):
        again(torch.zeros(1, 4, 75))
    description = json.loads((tmp_path / "config.json").read_text())
    description["config"]["window"] = 75
    (tmp_path / "config.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match=r"does not fit .*layers\.1\.weight"):
        PromoterMLP.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_hidden": (8,)}, r"n_hidden is \(8,\): give the widths of the two hidden layers"),
        ({"n_hidden": (8, 0)}, r"n_hidden is \(8, 0\): it must be at least 1"),
        ({"window": 0}, "window is 0"),
        ({"dropout": -0.1}, "dropout is -0.1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        small(**settings)

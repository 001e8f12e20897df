"""A model may ask for a learning rate and betas of its own for each group of parameters."""

import os
import signal

import pytest
import torch
from small_training import Regression, train

from genailab.errors import InputError
from genailab.training import Interrupted
from genailab.training.checkpoint import load_checkpoint


class TwoRates(Regression):
    """The last layer learns at a tenth of the rate, without momentum."""

    factor = 0.1

    def parameter_groups(self, learning_rate):
        return [
            {"params": list(self.layers[:4].parameters())},
            {
                "params": list(self.layers[4].parameters()),
                "lr": self.factor * learning_rate,
                "betas": (0.0, 0.9),
            },
        ]


EVERYTHING = {"ema_decay": 0.9, "patience": 3, "schedule": "cosine", "warmup_steps": 2, "accumulate": 2}


def same(one, other):
    one, other = one.state_dict(), other.state_dict()
    return all(torch.equal(one[name], other[name]) for name in one)


def test_one_group_of_everything_is_what_a_model_has_by_default():
    class Spelled(Regression):
        def parameter_groups(self, learning_rate):
            return [{"params": list(self.layers.parameters()), "lr": learning_rate, "betas": (0.9, 0.999)}]

    assert same(train(model=Spelled())[0], train()[0])


def test_a_group_of_rate_0_stays_and_the_other_learns():
    class Still(TwoRates):
        factor = 0.0

    trained, _ = train(model=Still())
    start = Regression()
    assert torch.equal(trained.layers[4].weight, start.layers[4].weight)
    assert not torch.equal(trained.layers[0].weight, start.layers[0].weight)


def test_the_first_step_of_each_group_is_its_own_rate():
    # Adam's first step is the learning rate times the sign of the gradient, whatever the betas.
    model = TwoRates(dropout=0.0)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    train(model=model, max_epochs=1, batch_size=100, learning_rate=1e-2)
    moved = {name: (value - start[name]).abs().max().item() for name, value in model.named_parameters()}
    assert moved["layers.0.weight"] == pytest.approx(1e-2, rel=1e-3)
    assert moved["layers.4.weight"] == pytest.approx(1e-3, rel=1e-3)


def test_the_schedule_scales_every_group(tmp_path):
    train(tmp_path, model=TwoRates(), warmup_steps=1000)
    groups = load_checkpoint(tmp_path).numbers["groups"]
    assert [group["lr"] / group["initial_lr"] for group in groups] == pytest.approx([29 / 1000] * 2)
    assert [group["betas"] for group in groups] == [[0.9, 0.999], [0.0, 0.9]]


@pytest.mark.parametrize("settings", [{}, EVERYTHING])
@pytest.mark.parametrize("step", [1, 10, 14])
def test_a_broken_run_of_two_groups_resumes_to_the_same_weights(tmp_path, settings, step):
    unbroken, history = train(tmp_path / "unbroken", model=TwoRates(), **settings)
    broken = TwoRates()
    broken.before_step = lambda now: os.kill(os.getpid(), signal.SIGTERM) if now == step else None
    with pytest.raises(Interrupted):
        train(tmp_path / "broken", model=broken, **settings)
    resumed, resumed_history = train(tmp_path / "broken", model=TwoRates(), resume=True, **settings)
    assert same(resumed, unbroken)
    assert resumed_history == history


def test_a_parameter_in_no_group_is_refused_and_a_frozen_one_is_not():
    class Forgetful(Regression):
        def parameter_groups(self, learning_rate):
            return [{"params": list(self.layers[:4].parameters())}]

    with pytest.raises(InputError, match=r"parameter_groups of Forgetful leaves out 'layers.4.weight'"):
        train(model=Forgetful())
    frozen = Forgetful()
    frozen.layers[4].requires_grad_(False)
    train(model=frozen, max_epochs=1)

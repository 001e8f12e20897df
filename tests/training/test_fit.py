"""Laws of training: what it leaves alone, what it returns, and how it fails."""

import json
import math

import pytest
import torch
from small_training import N_ROWS, Regression, Rows, small_config, train
from torch import nn

from genailab.errors import InputError
from genailab.nn.model import Loss
from genailab.training import History, fit
from genailab.training.checkpoint import load_checkpoint


def weights_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def equal(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns():
    model, history = train(max_epochs=30, learning_rate=0.02)
    losses = history.frame()["loss"]
    assert losses.iloc[-1] < 0.8 * losses.iloc[0]
    assert not model.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    assert equal(train(seed=3)[0].state_dict(), train(seed=3)[0].state_dict())
    assert not equal(train(seed=3)[0].state_dict(), train(seed=4)[0].state_dict())


def test_the_global_random_state_has_no_say_and_is_left_as_it_was():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, _ = train()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert equal(train()[0].state_dict(), one.state_dict())


def test_validation_changes_nothing_about_the_training():
    with_valid, _ = train()
    without = Regression()
    fit(without, Rows(), config=small_config(), show_progress=False)
    assert equal(with_valid.state_dict(), without.state_dict())


def test_a_second_training_may_have_other_settings():
    first = train(accumulate=2)[0].state_dict()
    assert not equal(train(accumulate=1)[0].state_dict(), first)
    train(precision="bf16")
    assert equal(train(accumulate=2)[0].state_dict(), first)


def test_accumulating_equal_batches_is_one_larger_batch():
    # Without batch normalisation and dropout: 50 rows as 2 batches of 25, or as one of 50.
    def final(**settings):
        model = Regression()
        model.layers = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        generator = torch.Generator().manual_seed(0)
        for parameter in model.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)
        fit(model, Rows(), config=small_config(max_epochs=5, **settings), show_progress=False)
        return torch.cat([value.flatten() for value in model.parameters()])

    torch.testing.assert_close(final(batch_size=25, accumulate=2), final(batch_size=50), atol=1e-5, rtol=1e-4)


def test_the_log_holds_a_line_for_each_epoch_and_reads_back(tmp_path):
    _, history = train(tmp_path)
    assert History.read(tmp_path / "log.jsonl").records == history.records
    frame = history.frame()
    assert list(frame["epoch"]) == [1, 2, 3, 4]
    assert list(frame["step"]) == [7, 14, 21, 28]
    assert {"loss", "squared_error", "valid_loss", "valid_squared_error", "learning_rate"} <= set(frame)


def test_the_logged_loss_is_the_mean_over_rows():
    class Constant(Regression):
        def loss(self, batch):
            weight = sum(parameter.sum() for parameter in self.parameters()) * 0
            return Loss(batch["y"].mean() + weight, {"y": batch["y"].mean()})

    rows = Rows()
    history = fit(Constant(), rows, config=small_config(max_epochs=1), show_progress=False)
    assert history.records[0]["y"] == pytest.approx(rows.y.double().mean().item(), rel=1e-5)


def test_early_stopping_returns_the_weights_of_the_best_epoch():
    class Noted(Regression):
        def __init__(self):
            super().__init__()
            self.seen = []

        def loss(self, batch):
            if not self.training:
                self.seen.append(weights_of(self.layers))
            return super().loss(batch)

    model = Noted()
    _, history = train(model=model, max_epochs=200, learning_rate=0.1, patience=3)
    valid = history.frame()["valid_loss"]
    best = int(valid.idxmin())
    assert history.best_epoch == best + 1
    assert len(valid) == best + 1 + 3  # stopped three epochs after it
    batches_a_validation = len(model.seen) // len(valid)
    assert equal(model.layers.state_dict(), model.seen[best * batches_a_validation])


def test_the_moving_average_follows_its_closed_form():
    steps = []

    class Noted(Regression):
        def loss(self, batch):
            if self.training:
                steps.append(weights_of(self.layers)["0.weight"])
            return super().loss(batch)

    decay, last = 0.8, Noted()
    fit(last, Rows(), config=small_config(max_epochs=2), show_progress=False)
    after_each_step = [*steps[1:], last.layers[0].weight.detach()]
    expected = after_each_step[0]
    for weight in after_each_step[1:]:
        expected = decay * expected + (1 - decay) * weight
    averaged, _ = train(max_epochs=2, ema_decay=decay)
    torch.testing.assert_close(averaged.layers[0].weight.detach(), expected)


def test_clipping_bounds_the_gradient(monkeypatch):
    norms = []
    model = Regression()

    original = torch.optim.AdamW.step

    def step(self, *args, **kwargs):
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(torch.stack([g.norm() for g in gradients]).norm().item())
        return original(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    train(model=model, clip_norm=0.01, max_epochs=1)
    assert norms
    assert max(norms) <= 0.01 * 1.001


def test_frozen_weights_stay():
    model = Regression()
    model.layers[0].requires_grad_(False)
    before = weights_of(model.layers[0])
    train(model=model)
    assert equal(model.layers[0].state_dict(), before)


def test_a_loss_that_is_not_finite_is_named_and_the_last_checkpoint_stays(tmp_path):
    model = Regression()

    def poison(step):
        if step == 17:  # in the third epoch
            model.layers[0].weight.data.fill_(math.nan)

    model.before_step = poison
    with pytest.raises(InputError, match=r"loss is nan in batch 3 of this epoch: lower the learning rate"):
        train(tmp_path, model=model)
    assert load_checkpoint(tmp_path).numbers["epoch"] == 2
    resumed, _ = train(tmp_path, resume=True)
    assert equal(resumed.state_dict(), train()[0].state_dict())


def test_a_tracker_writes_its_events(tmp_path):
    pytest.importorskip("tensorboard")
    train(tmp_path, tracker="tensorboard")
    assert list(tmp_path.rglob("events.out.tfevents.*"))


@pytest.mark.parametrize(
    ("place", "nothing", "lack"),
    [
        ("shutil.which", None, "no C\\+\\+ compiler was found"),
        ("sysconfig.get_path", "nowhere", "Python's C headers were not found"),
    ],
)
def test_compiling_without_a_compiler_warns_and_trains_to_the_same_weights(monkeypatch, place, nothing, lack):
    monkeypatch.setattr("genailab.training.state.shutil.which", lambda name: "/usr/bin/c++")
    monkeypatch.setattr(f"genailab.training.state.{place}", lambda name: nothing)
    with pytest.warns(UserWarning, match=lack):
        model, _ = train(compile=True)
    assert equal(model.state_dict(), train()[0].state_dict())


def test_what_is_impossible_here_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="device is 'cuda' but torch finds none here: use device=auto"):
        train(device="cuda")
    with pytest.raises(InputError, match="precision is 'fp16', which needs a GPU"):
        train(precision="fp16")
    with pytest.raises(InputError, match="tracker is 'tensorboard', which writes files: give a folder"):
        train(tracker="tensorboard")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"tracker is 'wandb', which is not installed: pip install"):
        train(tracker="wandb")


def test_one_row_is_too_few():
    with pytest.raises(InputError, match="at least 2 rows, got 1"):
        fit(Regression(), Rows(1), config=small_config(), show_progress=False)


def test_the_records_are_plain_json(tmp_path):
    train(tmp_path)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert all(math.isfinite(value) for line in lines for value in json.loads(line).values())
    assert N_ROWS % 8  # the last batch is a short one: what is above holds for it too

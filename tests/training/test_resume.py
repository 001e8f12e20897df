"""A run that was killed, at any moment and in any way, ends as if it had not been."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import small_training
import torch
from safetensors.torch import load_file
from small_training import Regression, train

from genailab.errors import InputError
from genailab.training import Interrupted, checkpoint

EVERYTHING = {"ema_decay": 0.9, "patience": 3, "schedule": "cosine", "warmup_steps": 2, "accumulate": 2}
CLEAN = ("latest", ".json", ".jsonl", ".safetensors")


def in_a_process(folder, settings, *, resume=False, death="", step=0):
    script = Path(small_training.__file__)
    call = [
        sys.executable,
        script,
        folder,
        json.dumps(settings),
        "resume" if resume else "",
        death,
        str(step),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [str(word) for word in call], capture_output=True, text=True, env=environment, timeout=100
    )


def same_weights(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_killed_by_sigkill_resumes_to_the_weights_and_the_log_of_an_unbroken_run(tmp_path):
    unbroken, _ = train(tmp_path / "unbroken", **EVERYTHING)
    killed = in_a_process(tmp_path / "killed", EVERYTHING, death="SIGKILL", step=18)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = in_a_process(tmp_path / "killed", EVERYTHING, resume=True)
    assert resumed.returncode == 0, resumed.stderr
    weights = load_file(tmp_path / "killed" / "weights.safetensors")
    assert all(torch.equal(weights[name], value) for name, value in unbroken.state_dict().items())
    assert (tmp_path / "killed/log.jsonl").read_text() == (tmp_path / "unbroken/log.jsonl").read_text()


@pytest.mark.parametrize("death", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("settings", [{}, EVERYTHING, {"accumulate": 3, "checkpoint_seconds": 1000}])
@pytest.mark.parametrize("step", [1, 7, 10, 14])  # first batch, last of an epoch (7 a pass), and between
def test_a_signal_saves_in_the_middle_of_an_epoch_and_resumes_exactly(tmp_path, death, settings, step):
    unbroken, history = train(tmp_path / "unbroken", **settings)
    broken = Regression()
    broken.before_step = lambda now: os.kill(os.getpid(), signal.Signals[death]) if now == step else None
    with pytest.raises(Interrupted, match=r"stopped in epoch \d, saved to") as stopped:
        train(tmp_path / "broken", model=broken, **settings)
    assert stopped.value.signal_number == signal.Signals[death]
    resumed, resumed_history = train(tmp_path / "broken", resume=True, **settings)
    assert same_weights(resumed, unbroken)
    assert resumed_history == history
    log = (tmp_path / "broken/log.jsonl").read_text()
    assert log == (tmp_path / "unbroken/log.jsonl").read_text()
    epochs = [json.loads(line)["epoch"] for line in log.splitlines()]
    assert epochs == list(range(1, len(epochs) + 1))


def test_a_signal_during_the_last_validation_is_not_swallowed(tmp_path):
    class Late(Regression):
        def loss(self, batch):
            if not self.training and self.steps == 7:
                self.steps += 1  # once
                os.kill(os.getpid(), signal.SIGTERM)
            return super().loss(batch)

    with pytest.raises(Interrupted, match="stopped after epoch 1, saved to"):
        train(tmp_path, model=Late(), max_epochs=1)
    resumed, _ = train(tmp_path, resume=True, max_epochs=1)
    assert same_weights(resumed, train(max_epochs=1)[0])


def test_a_second_signal_stops_at_once(tmp_path):
    model, before = Regression(), signal.getsignal(signal.SIGINT)

    def twice(step):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    model.before_step = twice
    with pytest.raises(KeyboardInterrupt) as stopped:
        train(tmp_path, model=model)
    assert not isinstance(stopped.value, Interrupted)
    assert model.steps == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_a_finished_run_resumes_to_itself_and_more_epochs_go_on_from_there(tmp_path):
    unbroken, _ = train(max_epochs=5)
    train(tmp_path, max_epochs=3)
    again, history = train(tmp_path, resume=True, max_epochs=3)
    assert same_weights(again, train(max_epochs=3)[0])
    assert len(history.records) == 3
    longer, _ = train(tmp_path, resume=True, max_epochs=5)
    assert same_weights(longer, unbroken)


@pytest.mark.parametrize("step", ["save_file", "json", "rename", "latest"])
def test_a_death_while_saving_leaves_the_checkpoint_before_it(tmp_path, monkeypatch, step):
    unbroken, _ = train(max_epochs=4)
    train(tmp_path, max_epochs=2)
    before = checkpoint.load_checkpoint(tmp_path).numbers

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        if step == "save_file":
            broken.setattr(checkpoint, "save_file", fail)
        elif step == "json":
            broken.setattr(checkpoint.json, "dumps", fail)
        elif step == "rename":
            broken.setattr(Path, "rename", fail)
        else:
            broken.setattr(checkpoint.os, "replace", fail)
        with pytest.raises(OSError, match="No space left"):
            checkpoint.save_checkpoint(checkpoint.load_checkpoint(tmp_path), tmp_path)  # the same position
    assert checkpoint.load_checkpoint(tmp_path).numbers == before
    assert not list(tmp_path.glob("epoch-*.tmp"))
    assert same_weights(train(tmp_path, resume=True, max_epochs=4)[0], unbroken)


def test_the_folder_holds_one_checkpoint_and_no_pickle(tmp_path):
    train(tmp_path, **EVERYTHING)
    assert len(list(tmp_path.glob("epoch-*"))) == 1
    assert all(path.name.endswith(CLEAN) for path in tmp_path.rglob("*") if path.is_file())


def test_without_resume_training_starts_anew_and_an_older_checkpoint_is_forgotten(tmp_path):
    train(tmp_path, max_epochs=3)
    model = Regression()
    model.before_step = lambda step: (_ for _ in ()).throw(RuntimeError("power cut"))
    with pytest.raises(RuntimeError, match="power cut"):
        train(tmp_path, model=model, max_epochs=3)
    assert checkpoint.load_checkpoint(tmp_path) is None
    assert same_weights(train(tmp_path, max_epochs=3)[0], train(max_epochs=3)[0])


@pytest.mark.parametrize("file", ["state.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["truncated", "absent"])
def test_a_damaged_checkpoint_is_told_in_a_sentence(tmp_path, file, damage):
    train(tmp_path)
    (place,) = tmp_path.glob(f"epoch-*/{file}")
    if damage == "truncated":
        place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])
    else:
        place.unlink()
    with pytest.raises(InputError, match=r"is damaged .* delete .* to train from the start"):
        train(tmp_path, resume=True)


def test_resuming_with_other_settings_or_another_model_is_refused(tmp_path):
    train(tmp_path)
    with pytest.raises(
        InputError, match=r"learning_rate=0\.01, this call asks for 0\.5: resume with the old"
    ):
        train(tmp_path, resume=True, learning_rate=0.5)
    other = Regression()
    other.layers[4] = torch.nn.Linear(8, 2)
    with pytest.raises(InputError, match=r"does not fit this model .*size mismatch.*start anew"):
        train(tmp_path, resume=True, model=other)

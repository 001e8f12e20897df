"""The learning rate's course, and settings that can't be right."""

import math

import pytest
from small_training import train

from genailab.errors import InputError
from genailab.training import TrainConfig
from genailab.training.state import learning_rate_factor


def test_the_warm_up_is_a_line_and_what_follows_half_a_cosine():
    config = TrainConfig(schedule="cosine", warmup_steps=10)
    factors = [learning_rate_factor(step, 110, config) for step in range(112)]
    assert factors[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert factors[10] == 1
    assert factors[60] == pytest.approx(0.5)
    assert factors[35] == pytest.approx(math.cos(math.pi / 8) ** 2)
    assert factors[110] == pytest.approx(0) == factors[111]
    assert learning_rate_factor(1000, 110, TrainConfig(warmup_steps=10)) == 1


@pytest.mark.parametrize("accumulate", [1, 2, 3])
def test_the_cosine_ends_with_the_training_however_many_batches_a_step_takes(accumulate):
    _, history = train(schedule="cosine", accumulate=accumulate)
    rates = history.frame()["learning_rate"]
    assert rates.iloc[1] == pytest.approx(0.5 * 1e-2)  # half way through four epochs
    assert rates.iloc[3] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_epochs": 0}, "max_epochs is 0: it must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0: it must be positive"),
        ({"learning_rate": math.nan}, "learning_rate is nan: it must be positive"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0: it must be positive, or null"),
        ({"ema_decay": 1.0}, "ema_decay is 1.0: it must lie between 0 and 1"),
        ({"patience": 0}, "patience is 0: it must be at least 1 epoch, or null"),
        ({"seed": -1}, "seed is -1: it must not be negative"),
        ({"warmup_steps": -1}, "warmup_steps is -1: it must not be negative"),
        ({"device": "tpu"}, "device is 'tpu': choose one of auto, cpu, cuda, mps"),
        ({"schedule": "step"}, "schedule is 'step': choose one of constant, cosine"),
    ],
)
def test_settings_that_cannot_be_right(settings, message):
    with pytest.raises(InputError, match=message):
        TrainConfig(**settings)

"""Training a GAN: what is kept, what is warned of."""

import warnings

import pytest
import torch

from genailab.data.rows import TensorRows
from genailab.errors import InputError
from genailab.generative.gan import VectorGAN, VectorGANConfig
from genailab.training import TrainConfig, seeded
from genailab.training.adversarial import GAN_TRAINING, train_gan


def ring(n, seed):
    generator = torch.Generator().manual_seed(seed)
    angle = (torch.arange(n) % 8) * torch.pi / 4
    points = torch.stack([angle.cos(), angle.sin()], dim=1)
    return TensorRows(x=points + 0.05 * torch.randn(n, 2, generator=generator))


def small_gan():
    with seeded(0):
        return VectorGAN(VectorGANConfig(n_dims=2, n_latent=4, width=16, depth=2))


def settings(**options):
    return TrainConfig(**{"max_epochs": 6, "batch_size": 50, "ema_decay": 0.8, "device": "cpu", **options})


def train(model, **options):
    torch.set_num_threads(1)
    keep = options.pop("keep", "best")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return train_gan(
            model, ring(200, 0), ring(100, 1), settings(**options), keep=keep, show_progress=False
        )


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_the_best_weights_are_those_of_the_smallest_energy_distance():
    model = small_gan()
    history = train(model, learning_rate=0.03)
    frame = history.frame()
    assert len(frame) == 6  # no early stopping
    assert history.best_epoch == int(frame["valid_distance"].idxmin()) + 1
    assert history.best_epoch < 6  # else the next line would say nothing
    shorter = small_gan()
    train(shorter, learning_rate=0.03, keep="last", max_epochs=history.best_epoch)
    assert torch.equal(weights(model), weights(shorter))


def test_keeping_the_last_ignores_the_validation():
    with_valid, without = small_gan(), small_gan()
    train(with_valid, keep="last")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train_gan(without, ring(200, 0), config=settings(), show_progress=False)
    assert torch.equal(weights(with_valid), weights(without))


def test_the_history_holds_the_diagnostics_of_each_epoch():
    frame = train(small_gan()).frame()
    names = {"diversity", "coverage", "distance", "critic_auroc", "gap"}
    assert names <= set(frame)
    assert {f"valid_{name}" for name in names} <= set(frame)


def test_a_collapsed_generator_is_warned_of():
    model = small_gan()
    with torch.no_grad():
        model.generator.project_out.weight.zero_()
    with pytest.warns(UserWarning, match=r"looks collapsed in epoch \d: generated rows are 0\.\d\d times"):
        train_gan(model, ring(200, 0), ring(100, 1), settings(learning_rate=1e-6), show_progress=False)


def test_the_defaults_suit_a_game():
    assert GAN_TRAINING.weight_decay == 0
    assert GAN_TRAINING.schedule == "constant"
    assert GAN_TRAINING.ema_decay is not None
    assert GAN_TRAINING.patience is None


def test_early_stopping_without_validation_and_an_unknown_keep_are_refused():
    with pytest.raises(InputError, match="patience is 3 but there are no validation rows"):
        train_gan(small_gan(), ring(50, 0), config=settings(patience=3))
    with pytest.raises(InputError, match="keep is 'first'"):
        train_gan(small_gan(), ring(50, 0), config=settings(), keep="first")

"""Laws of the game: who learns from what and when, for vectors, cells and sequences alike."""

import pytest
import torch

from genailab.data.rows import TensorRows
from genailab.errors import InputError
from genailab.generative.gan import (
    ExpressionGAN,
    ExpressionGANConfig,
    SequenceGAN,
    SequenceGANConfig,
    VectorGAN,
    VectorGANConfig,
    critic_loss,
    generator_loss,
    published_settings,
)
from genailab.training import TrainConfig, fit, seeded

TYPES = {"cell_type": ("B", "NK", "T")}
SMALL = {"n_latent": 4, "width": 8, "depth": 2, "conditions": TYPES}
N = 12


def make(kind, **settings):
    options = {**SMALL, **settings}
    with seeded(0):
        if kind == "vectors":
            return VectorGAN(VectorGANConfig(n_dims=3, **options))
        if kind == "cells":
            return ExpressionGAN(ExpressionGANConfig(genes=("CD3D", "NKG7", "CD79A"), **options))
        return SequenceGAN(SequenceGANConfig(length=9, n_channels=6, **options))


def rows_of(kind, n=N):
    generator = torch.Generator().manual_seed(1)
    label = {"cell_type": torch.arange(n) % 3}
    if kind == "vectors":
        return {"x": torch.randn(n, 3, generator=generator), **label}
    if kind == "cells":
        counts = torch.poisson(torch.full((n, 3), 4.0), generator=generator)
        return {"counts": counts, "library_size": counts.sum(dim=1) + 1, **label}
    codes = torch.randint(4, (n, 9), generator=generator).to(torch.uint8)
    return {"codes": codes, **label}


every_kind = pytest.mark.parametrize("kind", ["vectors", "cells", "sequences"])
every_game = pytest.mark.parametrize("game", ["standard", "r1", "hinge", "wgan_gp"])


def gradients(player):
    return [None if parameter.grad is None else parameter.grad.clone() for parameter in player.parameters()]


@every_kind
@pytest.mark.parametrize("game", ["non_saturating", "hinge"])
def test_each_player_gets_the_gradient_of_its_own_loss_and_no_other(kind, game):
    model, batch = make(kind, game=game, penalty="none").train(), rows_of(kind)
    torch.manual_seed(5)
    model.loss(batch).total.backward()
    of_critic, of_generator = gradients(model.critic), gradients(model.generator)
    codes = {"cell_type": batch["cell_type"]}

    model.zero_grad()
    torch.manual_seed(5)
    fake = model.draw(N, codes)
    real_scores, fake_scores = model.critic(model.real(batch), codes), model.critic(fake, codes)
    expected = torch.autograd.grad(
        critic_loss(real_scores, fake_scores, game=game), list(model.critic.parameters()), retain_graph=True
    )
    for found, wanted in zip(of_critic, expected, strict=True):
        torch.testing.assert_close(found, wanted)
    expected = torch.autograd.grad(
        generator_loss(fake_scores, game=game), list(model.generator.parameters()), allow_unused=True
    )
    for found, wanted in zip(of_generator, expected, strict=True):
        torch.testing.assert_close(found, wanted)


@every_kind
@every_game
def test_the_generator_plays_once_in_n_critic_steps_and_rests_without_a_gradient(kind, game):
    model, batch = make(kind, **{**published_settings(game), "n_critic": 3}).train(), rows_of(kind)
    played = []
    for _ in range(7):
        model.zero_grad()
        loss = model.loss(batch)
        loss.total.backward()
        assert all(gradient is not None for gradient in gradients(model.critic))
        rests = [gradient is None for gradient in gradients(model.generator)]
        assert all(rests) or not any(rests)
        played.append(not any(rests))
        assert loss.total.isfinite()
        assert all(term.isfinite() and not term.requires_grad for term in loss.terms.values())
    assert played == [True, False, False, True, False, False, True]


def test_a_lazy_penalty_is_as_strong_on_average():
    def penalties(every):
        model = make("vectors", penalty="r1", penalty_every=every).train()
        return [float(model.loss(rows_of("vectors")).terms["penalty"]) for _ in range(6)]

    every_step, lazy = penalties(1), penalties(3)
    assert lazy[1] == lazy[2] == 0
    assert sum(lazy) == pytest.approx(sum(every_step), rel=1e-5)


@every_kind
def test_evaluation_gives_the_energy_distance_and_changes_nothing(kind):
    model, batch = make(kind, spectral_norm=True).eval(), rows_of(kind)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        loss = model.loss(batch)
    assert torch.equal(loss.total, loss.terms["distance"])
    assert loss.terms.keys() == model.train().loss(batch).terms.keys()
    model = model.eval()
    model.sample(3, {"cell_type": "NK"})
    assert not model.training
    after = make(kind, spectral_norm=True).eval()
    with torch.no_grad():
        after.loss(batch)
        after.sample(3, {"cell_type": "NK"})
    assert all(torch.equal(value, before[name]) for name, value in after.state_dict().items())


@every_kind
@every_game
def test_saved_and_loaded_it_samples_the_same(kind, game, tmp_path):
    model = make(kind, **published_settings(game))
    model.train().loss(rows_of(kind))
    model.eval()
    loaded = type(model).from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    names = ["B", "T", "NK", "B"]
    one, other = (
        each.sample(4, {"cell_type": names}, generator=torch.Generator().manual_seed(3))
        for each in (model, loaded)
    )
    assert torch.equal(one, other)
    assert torch.equal(
        loaded.critic(model.real(rows_of(kind)), rows_of(kind)),
        model.critic(model.real(rows_of(kind)), rows_of(kind)),
    )


@every_kind
def test_samples_have_the_stated_shape_and_type(kind):
    sample = make(kind).sample(5, {"cell_type": "B"})
    assert sample.shape == (5, {"vectors": 3, "cells": 3, "sequences": 9}[kind])
    if kind == "cells":
        assert torch.equal(sample, sample.round())
        assert (sample >= 0).all()
    if kind == "sequences":
        assert sample.dtype == torch.uint8
        assert sample.max() < 4


@every_kind
def test_sampling_draws_from_its_generator_alone(kind):
    model = make(kind)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = model.sample(6, {"cell_type": "T"}, generator=torch.Generator().manual_seed(1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, model.sample(6, {"cell_type": "T"}, generator=torch.Generator().manual_seed(1)))
    assert not torch.equal(
        one, model.sample(6, {"cell_type": "T"}, generator=torch.Generator().manual_seed(2))
    )


def test_cells_are_drawn_alike_in_training_and_in_sampling():
    model = make("cells", library_log_mean=3.0)
    codes = {"cell_type": torch.zeros(20_000, dtype=torch.long)}
    with torch.no_grad():
        drawn = model.draw(20_000, codes, generator=torch.Generator().manual_seed(0))
        log_library = drawn[:, -1:] * model.config.library_log_std + model.config.library_log_mean
        counts = drawn[:, :-1].expm1() * log_library.exp() / 1e4
    sampled = model.sample(20_000, {"cell_type": "B"}, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(counts, counts.round(), atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(counts.mean(dim=0), sampled.mean(dim=0), rtol=0.05, atol=0.05)
    torch.testing.assert_close(counts.var(dim=0), sampled.var(dim=0), rtol=0.1, atol=0.1)
    assert (sampled.var(dim=0) > 1.1 * sampled.mean(dim=0)).all()  # beyond a Poisson


def train(model, rows, folder=None, *, resume=False, **settings):
    torch.set_num_threads(1)
    config = TrainConfig(
        **{"max_epochs": 3, "batch_size": 4, "device": "cpu", "checkpoint_seconds": 0, **settings}
    )
    return fit(model, TensorRows(**rows), config=config, folder=folder, resume=resume, show_progress=False)


@every_kind
def test_the_two_time_scales_are_the_players_own(kind):
    model = make(kind, generator_learning_rate_factor=0.25, betas=(0.1, 0.95))
    critic, generator = model.parameter_groups(1e-3)
    assert critic["lr"] == 1e-3
    assert generator["lr"] == 2.5e-4
    assert critic["betas"] == generator["betas"] == (0.1, 0.95)
    found = {id(parameter) for group in (critic, generator) for parameter in group["params"]}
    assert found == {id(parameter) for parameter in model.parameters()}


@every_kind
@every_game
def test_a_broken_run_resumes_to_the_same_weights(kind, game, tmp_path):
    settings = {**published_settings(game), "n_critic": 2}
    unbroken = make(kind, **settings)
    history = train(unbroken, rows_of(kind), tmp_path / "unbroken", ema_decay=0.9)

    broken = make(kind, **settings)
    train(broken, rows_of(kind), tmp_path / "broken", ema_decay=0.9, max_epochs=1)
    resumed = make(kind, **settings)
    resumed_history = train(resumed, rows_of(kind), tmp_path / "broken", resume=True, ema_decay=0.9)
    one, other = unbroken.state_dict(), resumed.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert resumed_history == history


@pytest.mark.parametrize(
    ("kind", "spoil", "message"),
    [
        ("vectors", lambda b: b.pop("x"), "no 'x': give vectors"),
        (
            "vectors",
            lambda b: b.update(x=torch.zeros(N, 2)),
            r"shape \(12, 2\), expected floats \(batch, 3\)",
        ),
        ("vectors", lambda b: b.pop("cell_type"), "no 'cell_type': give its codes"),
        ("vectors", lambda b: b.update(cell_type=torch.full((N,), 3)), "row 0 has the cell_type 3"),
        ("cells", lambda b: b.pop("library_size"), "no 'library_size'"),
        ("cells", lambda b: b.update(counts=torch.zeros(N, 2)), "2 genes but the model 3"),
        ("sequences", lambda b: b["codes"].__setitem__((2, 5), 4), "'N' at position 5 of sequence 2"),
        ("sequences", lambda b: b.update(codes=b["codes"][:, :8]), "8 long, but this model's window is 9"),
    ],
)
def test_a_batch_that_cannot_be_right_is_refused(kind, spoil, message):
    batch = rows_of(kind)
    spoil(batch)
    with pytest.raises(InputError, match=message):
        make(kind).loss(batch)


def test_a_value_that_is_not_finite_stops_training():
    rows = rows_of("vectors")
    rows["x"][3, 1] = float("nan")
    with pytest.raises(InputError, match=r"loss is nan in batch \d"):
        train(make("vectors"), rows)


@every_kind
@pytest.mark.parametrize(
    ("n", "condition", "message"),
    [
        (0, {"cell_type": "B"}, "asked for 0 samples"),
        (2, {"cell_type": "NKT"}, r"did you mean 'NK'"),
        (2, {"cell_type": ["B"]}, "1 values for 2 samples"),
        (2, None, "needs a condition for 'cell_type'"),
    ],
)
def test_a_sample_that_cannot_be_drawn_is_refused(kind, n, condition, message):
    with pytest.raises(InputError, match=message):
        make(kind).sample(n, condition)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"game": "wasserstein"}, "nothing bounds the critic's slope"),
        ({"game": "saturating"}, "game is 'saturating'"),
        ({"penalty": "l2"}, "penalty is 'l2'"),
        ({"penalty_weight": -1.0}, "penalty_weight is -1.0"),
        ({"betas": (0.5, 1.0)}, r"betas is \(0.5, 1.0\)"),
        ({"n_critic": 0}, "n_critic is 0"),
        ({"generator_learning_rate_factor": 0.0}, "generator_learning_rate_factor is 0.0"),
        ({"conditions": {"batch": ()}}, "'batch' has no categories"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        VectorGANConfig(n_dims=2, **settings)


def test_settings_of_cells_and_sequences_are_checked_too():
    with pytest.raises(InputError, match="at least one gene"):
        ExpressionGANConfig(genes=())
    with pytest.raises(InputError, match="temperature is 0"):
        SequenceGANConfig(length=5, temperature=0)
    with pytest.raises(InputError, match="alphabet 'dna' is not known"):
        SequenceGANConfig(length=5, alphabet="dna")
    with pytest.raises(InputError, match="no published settings 'wgan': did you mean 'wgan_gp'"):
        published_settings("wgan")

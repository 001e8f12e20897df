"""Laws of the energy model of sequences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genailab.data.rows import TensorRows
from genailab.data.sequences.encoding import encode
from genailab.errors import InputError
from genailab.generative.energy import (
    SequenceEnergyModel,
    SequenceEnergyModelConfig,
    enumerated_log_partition,
)
from genailab.training import TrainConfig, fit

SITES = ("donor", "acceptor")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def toy(n: int = 256) -> TensorRows:
    """Random letters around GT (donor) or AG (acceptor), and a last letter that repeats the first."""
    codes = torch.randint(4, (n, 8), generator=seeded(), dtype=torch.uint8)
    kind = torch.arange(n) % 2
    codes[:, 3:5] = torch.where(kind[:, None] == 0, encode("GT"), encode("AG"))
    codes[:, -1] = codes[:, 0]
    return TensorRows(codes=codes, site=kind)


def untrained(**settings: object) -> SequenceEnergyModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        small = {"n_chains": 128, "chain_steps": 10, "channels": 8, "kernel": 3, "depth": 1, "n_dense": 32}
        return SequenceEnergyModel(
            SequenceEnergyModelConfig(length=8, conditions={"site": SITES}, **{**small, **settings})
        )


@pytest.fixture(scope="module")
def model() -> SequenceEnergyModel:
    model = untrained()
    config = TrainConfig(max_epochs=32, batch_size=64, learning_rate=1e-2, device="cpu")
    fit(model, toy(), config=config, show_progress=False)
    return model


def share(codes: Tensor, site: str) -> float:
    return (codes[:, 3:5] == encode(site)).all(dim=1).double().mean().item()


@pytest.mark.parametrize("start", ["chains", "noise"])
@pytest.mark.parametrize("sampler", ["gradients", "gibbs"])
def test_each_condition_draws_its_own_site(model, sampler, start):
    for name, site in zip(SITES, ("GT", "AG"), strict=True):
        codes = model.sample(300, {"site": name}, generator=seeded(), sampler=sampler, start=start)
        assert codes.dtype == torch.uint8
        assert codes.shape == (300, 8)
        assert share(codes, site) > 0.85


def test_free_letters_stay_free(model):
    codes = model.sample(600, {"site": "donor"}, generator=seeded())
    for position in (1, 2, 5, 6):
        frequencies = torch.bincount(codes[:, position].long(), minlength=4) / 600
        assert (frequencies > 0.1).all()


def test_letters_far_apart_that_go_together_are_learned_by_the_network_and_not_by_a_weight_matrix(model):
    codes = model.sample(600, {"site": "donor"}, generator=seeded())
    assert (codes[:, 0] == codes[:, -1]).double().mean() > 0.4  # 0.25 by chance


def test_the_likelihood_of_real_sequences_rises_above_a_uniform_one(model):
    real = toy().columns["codes"][::2]
    which = {"site": torch.zeros(128, dtype=torch.long)}
    one = {"site": torch.zeros(1, dtype=torch.long)}
    log_z = enumerated_log_partition(
        lambda x: model.network(x, {"site": one["site"].expand(len(x))}), n_letters=4, length=8
    )
    mean = (model.log_prob(real, which).double() - log_z).mean().item()
    uniform = 8 * torch.tensor(0.25).log().item()
    assert mean > uniform + 2.0  # GT alone is worth 2.77 nats
    found = model.log_partition({"site": "donor"}, n_walks=200, n_temperatures=60, generator=seeded())
    assert found.low - 0.05 < log_z.item() < found.high + 0.05


def test_samples_follow_their_generator_and_leave_the_model_as_it_was(model):
    before, state = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    one, two = (model.sample(9, {"site": "donor"}, generator=seeded(4), n_steps=5) for _ in range(2))
    assert torch.equal(one, two)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_a_saved_model_draws_the_same_sequences(model, tmp_path):
    again = SequenceEnergyModel.from_pretrained(model.save_pretrained(tmp_path))
    one, two = (m.sample(5, {"site": "acceptor"}, generator=seeded(), n_steps=5) for m in (model, again))
    assert torch.equal(one, two)
    assert again.chains.states.dtype == torch.uint8


def test_in_evaluation_the_loss_moves_no_chain_and_works_without_gradients():
    model, batch = untrained(), toy(32).columns
    before = model.chains.states.clone()
    with torch.no_grad():
        model.eval().loss(batch)
    assert torch.equal(model.chains.states, before)
    model.train().loss(batch).total.backward()
    assert not torch.equal(model.chains.states, before)
    assert model.network.weight_matrix.weight.grad.any()


def test_other_settings_train_and_sample():
    for settings in ({"chains": "data"}, {"aligned": False}, {"spectral_norm": True}):
        model = untrained(**settings)
        fit(model, toy(64), config=TrainConfig(max_epochs=1, device="cpu"), show_progress=False)
        assert model.sample(3, {"site": "donor"}, n_steps=2).shape == (3, 8)
    protein = SequenceEnergyModel(SequenceEnergyModelConfig(length=5, alphabet="PROTEIN", n_chains=8))
    protein.loss({"codes": torch.full((4, 5), 19, dtype=torch.uint8)}).total.backward()
    assert protein.sample(2, n_steps=3).max() < 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda m: m.loss({"codes": encode(["ACGTACGN"] * 2), "site": torch.zeros(2).long()}),
            "code 4 at pos",
        ),
        (
            lambda m: m.loss({"codes": encode(["ACGT"])}),
            r"has the shape \(1, 4\): this model takes \(batch, 8\)",
        ),
        (lambda m: m.loss({"x": torch.zeros(1)}), r"holds \['x'\] but no 'codes'"),
        (lambda m: m.loss({"codes": encode(["ACGTACGT"])}), "but no 'site': give its codes"),
        (lambda m: m.sample(0, {"site": "donor"}), "asked for 0 samples"),
        (lambda m: m.sample(1, {"site": "dono"}), "'dono' is not a known site: did you mean 'donor'"),
        (lambda m: m.sample(1, {"site": "donor"}, sampler="mala"), "sampler is 'mala': choose gradients or"),
        (lambda m: m.sample(1, {"site": "donor"}, start="data"), "start is 'data': choose chains or noise"),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(InputError, match=message):
        call(untrained())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"length": 0}, "length is 0"),
        ({"alphabet": "DNS"}, "alphabet 'DNS' is not known"),
        ({"kernel": 4}, "kernel is 4: give odd lengths"),
        ({"chains": "replay"}, "chains is 'replay': choose one of persistent, data"),
        ({"depth": -1}, "depth is -1"),
    ],
)
def test_a_configuration_checks_itself(settings, message):
    with pytest.raises(InputError, match=message):
        SequenceEnergyModelConfig(**{"length": 8, **settings})

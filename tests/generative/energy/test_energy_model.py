"""Laws of the energy model of vectors, whatever it was trained by."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genailab.data.rows import TensorRows
from genailab.errors import InputError
from genailab.generative.energy import EnergyModel, EnergyModelConfig
from genailab.training import TrainConfig, fit

TYPES = ("B", "NK")
CENTERS = torch.tensor([[10.0, -3.0], [14.0, -3.0]])  # far from the origin, with unlike spreads
STDS = torch.tensor([0.5, 2.0])
OBJECTIVES = ("cd", "dsm", "nce")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cells(n: int = 1024, seed: int = 0) -> TensorRows:
    kind = torch.arange(n) % 2
    x = CENTERS[kind] + STDS * torch.randn(n, 2, generator=seeded(seed))
    return TensorRows(x=x, type=kind)


def untrained(objective: str = "cd", **settings: object) -> EnergyModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        settings = {"n_chains": 64, "chain_steps": 5, "width": 32, "depth": 2, **settings}
        model = EnergyModel(
            EnergyModelConfig(n_dims=2, conditions={"type": TYPES}, objective=objective, **settings)
        )
    model.start_from(cells().columns["x"])
    return model


def trained(objective: str, **settings: object) -> EnergyModel:
    model = untrained(objective, **settings)
    config = TrainConfig(max_epochs=25, batch_size=128, learning_rate=5e-3, schedule="cosine", device="cpu")
    fit(model, cells(), config=config, show_progress=False)
    return model


@pytest.fixture(scope="module", params=OBJECTIVES)
def model(request) -> EnergyModel:
    return trained(request.param)


def test_each_condition_draws_its_own_cluster(model):
    samples = {name: model.sample(500, {"type": name}, generator=seeded(1)) for name in TYPES}
    for name, center in zip(TYPES, CENTERS, strict=True):
        torch.testing.assert_close(samples[name].mean(dim=0), center, atol=0.35, rtol=0)
        torch.testing.assert_close(samples[name].std(dim=0), STDS, atol=0.15, rtol=0.25)


def test_the_density_s_ratios_are_those_of_the_data(model):
    # log p(x | B) - log p(y | B) is free of the normaliser: against the Gaussian that the data came from.
    stds = STDS
    if model.config.objective == "dsm":  # its density is that of the data blurred by the last level
        model = trained("dsm", sigma_min=0.2)
        stds = (STDS.square() + (0.2 * model.scale).square()).sqrt()
    x = CENTERS[0] + stds * torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [1.5, 0.5]])
    codes = {"type": torch.zeros(5, dtype=torch.long)}
    exact = -0.5 * ((x - CENTERS[0]) / stds).square().sum(dim=1)
    found = model.log_prob(x, codes)
    torch.testing.assert_close(found - found[0], exact - exact[0], atol=0.45, rtol=0.1)


def test_mixed_conditions_are_drawn_row_by_row(model):
    codes = torch.tensor([1, 0] * 100)
    samples = model.sample(200, {"type": codes}, generator=seeded(2))
    assert ((samples[:, 0] > 12) == (codes == 1)).double().mean() > 0.97


def test_samples_follow_their_generator_and_leave_the_model_as_it_was(model):
    before, state = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    model.train()
    one, two = (model.sample(9, {"type": "NK"}, generator=seeded(4), n_steps=3) for _ in range(2))
    assert model.training
    model.eval()
    assert torch.equal(one, two)
    assert not one.requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_a_saved_model_has_the_same_chains_densities_and_samples(model, tmp_path):
    again = EnergyModel.from_pretrained(model.save_pretrained(tmp_path))
    x, codes = cells().columns["x"][:7], {"type": torch.zeros(7, dtype=torch.long)}
    assert torch.equal(again.log_prob(x, codes), model.log_prob(x, codes))
    one, two = (m.sample(5, {"type": "B"}, generator=seeded(), n_steps=3) for m in (model, again))
    assert torch.equal(one, two)


def test_nce_learns_the_normaliser_that_ais_finds():
    model = trained("nce")
    for code, name in enumerate(TYPES):
        found = model.log_partition({"type": name}, n_walks=200, n_temperatures=60, generator=seeded())
        learned = model.log_normaliser[code].item()
        assert found.value == pytest.approx(learned, abs=0.15)
        assert found.high - found.low < 0.3


@pytest.mark.parametrize("objective", ["cd", "nce"])
def test_an_untrained_model_is_its_reference_whose_normaliser_is_one(objective):
    model, x = untrained(objective), cells().columns["x"]
    codes = {"type": cells().columns["type"]}
    exact = torch.distributions.Normal(x.mean(dim=0), x.std(dim=0)).log_prob(x).sum(dim=1)
    torch.testing.assert_close(model.log_prob(x, codes), exact, atol=1e-4, rtol=1e-4)
    samples = model.sample(4000, {"type": "B"}, generator=seeded(), start="noise", n_steps=5)
    torch.testing.assert_close(samples.mean(dim=0), x.mean(dim=0), atol=0.15, rtol=0)
    torch.testing.assert_close(samples.std(dim=0), x.std(dim=0), atol=0, rtol=0.05)


@pytest.mark.parametrize("sampler", ["ula", "mala", "hmc"])
def test_every_sampler_draws_from_the_same_density(sampler):
    model = untrained("nce")
    with torch.no_grad():  # a tilt of exactly 2 z_1: the reference moves by -2 scale, and Z = e^2
        model.network = _Tilt()
    samples = model.sample(
        3000, {"type": "B"}, generator=seeded(), sampler=sampler, step_size=0.1, n_steps=100
    )
    expected = model.center - 2 * model.scale * torch.tensor([1.0, 0.0])
    torch.testing.assert_close(samples.mean(dim=0), expected, atol=0.16, rtol=0)
    torch.testing.assert_close(samples.std(dim=0), model.scale, atol=0, rtol=0.07)
    if sampler == "hmc":
        found = model.log_partition({"type": "B"}, generator=seeded(), n_temperatures=50)
        assert found.low < 2.0 < found.high


class _Tilt(torch.nn.Module):
    def forward(self, z: Tensor, codes: object = None) -> Tensor:
        return 2 * z[:, 0]


def test_in_evaluation_the_loss_moves_no_chain_and_works_without_gradients():
    for objective in OBJECTIVES:
        model, batch = untrained(objective), cells(32).columns
        before = {k: v.clone() for k, v in model.state_dict().items()}
        with torch.no_grad():
            loss = model.eval().loss(batch)
        assert math.isfinite(loss.total.item())
        assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
        model.train().loss(batch).total.backward()
        moved = [k for k, v in model.state_dict().items() if not torch.equal(before[k], v)]
        assert moved == (["chains.states"] if objective == "cd" else [])
        assert any(p.grad is not None and p.grad.any() for p in model.network.parameters())


def test_chains_that_start_at_the_data_are_no_part_of_the_model():
    model = untrained("cd", chains="data")
    assert not [name for name in model.state_dict() if "chains" in name]
    # After no step at all chains are still the data: the gap is 0.
    batch = cells(32).columns
    model._walk = lambda start, codes, n_steps: start
    assert model.loss(batch).terms["gap"].item() == 0


def test_a_resumed_run_ends_with_the_same_chains_and_weights(tmp_path):
    config = TrainConfig(max_epochs=4, batch_size=64, device="cpu", checkpoint_seconds=0)
    whole, resumed = untrained("cd"), untrained("cd")
    fit(whole, cells(128), config=config, show_progress=False)
    short = TrainConfig(max_epochs=2, batch_size=64, device="cpu", checkpoint_seconds=0)
    fit(resumed, cells(128), config=short, folder=tmp_path, show_progress=False)
    again = untrained("cd")
    fit(again, cells(128), config=config, folder=tmp_path, resume=True, show_progress=False)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, msg=name)


def test_a_dimension_that_never_changes_is_no_reason_to_divide_by_zero():
    model = untrained()
    model.start_from(torch.tensor([[1.0, 2.0], [3.0, 2.0]]))
    assert model.scale[1] == 1
    assert torch.isfinite(model.energy(torch.tensor([[1.0, 2.0]]), {"type": torch.tensor([0])})).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.sample(0, {"type": "B"}), "asked for 0 samples"),
        (lambda m: m.sample(2, {"type": "b"}), "'b' is not a known type: did you mean 'B'"),
        (lambda m: m.sample(2), "needs a condition for 'type'"),
        (lambda m: m.sample(3, {"type": ["B", "NK"]}), "has 2 values for 3 samples"),
        (lambda m: m.sample(2, {"type": "B"}, sampler="gibbs"), "sampler is 'gibbs': choose ula, mala, hmc"),
        (
            lambda m: m.sample(2, {"type": "B"}, sampler="annealed"),
            "needs noise levels, which objective='cd'",
        ),
        (lambda m: m.sample(2, {"type": "B"}, start="data"), "start is 'data': choose chains or noise"),
        (lambda m: m.sample(2, {"type": "B"}, n_steps=-1), "mala was asked for -1 steps"),
        (lambda m: m.loss({"type": torch.zeros(2)}), r"holds \['type'\] but no 'x'"),
        (lambda m: m.loss({"x": torch.zeros(2, 2)}), r"holds \['x'\] but no 'type'"),
        (
            lambda m: m.loss({"x": torch.zeros(2, 3)}),
            r"'x' is torch.float32 of shape \(2, 3\), .*\(batch, 2\)",
        ),
        (lambda m: m.loss({"x": torch.zeros(2, 2), "type": torch.tensor([0, 2])}), "row 1 has the type 2"),
        (lambda m: m.start_from(torch.zeros(1, 2)), "cannot be taken from 1 rows"),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(InputError, match=message):
        call(untrained())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_dims": 0}, "n_dims is 0"),
        ({"objective": "ml"}, "objective is 'ml': choose one of cd, dsm, nce"),
        ({"step_size": 0.0}, "step_size is 0.0: it must be positive"),
        ({"restart": 2.0}, "restart is 2.0: it is a share"),
        ({"sigma_min": 5.0}, "15 noise levels from 3.0 down to 5.0 cannot be made"),
        ({"chain_sampler": "nuts"}, "chain_sampler is 'nuts': choose one of ula, mala, hmc"),
        ({"regularisation": -1.0}, "regularisation is -1.0: it must not be negative"),
    ],
)
def test_a_configuration_checks_itself(settings, message):
    with pytest.raises(InputError, match=message):
        EnergyModelConfig(**{"n_dims": 2, **settings})


def test_nan_in_a_batch_stops_training_with_the_term_and_the_batch():
    rows = cells(64)
    rows.columns["x"][5, 1] = torch.nan
    for objective in OBJECTIVES:
        with pytest.raises(InputError, match="is nan in batch 1 of this epoch"):
            fit(
                untrained(objective),
                rows,
                config=TrainConfig(max_epochs=1, device="cpu"),
                show_progress=False,
            )

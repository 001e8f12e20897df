"""Laws of what is done with a latent, on all three autoencoders: ends, identities, and what must not move."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.vae import (
    VAE,
    CountVAE,
    CountVAEConfig,
    SequenceVAE,
    SequenceVAEConfig,
    VAEConfig,
    counterfactual,
    interpolate,
    traverse,
)

CONDITIONS = {"treatment": ("control", "drug"), "donor": ("d1", "d2", "d3")}
N = 6
KINDS = ["counts", "vectors", "letters", "independent letters"]


def build(kind: str) -> VAE | CountVAE | SequenceVAE:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if kind == "counts":
            genes = tuple(f"gene{i}" for i in range(8))
            return CountVAE(CountVAEConfig(genes=genes, covariates=CONDITIONS, n_latent=3, n_hidden=16))
        if kind == "vectors":
            return VAE(VAEConfig(n_dims=5, conditions=CONDITIONS, n_latent=3, n_hidden=16))
        decoder = "autoregressive" if kind == "letters" else "convolutional"
        return SequenceVAE(
            SequenceVAEConfig(length=9, conditions=CONDITIONS, n_latent=3, n_channels=8, decoder=decoder)
        )


def rows(kind: str) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    codes = {
        key: torch.randint(0, len(names), (N,), generator=generator) for key, names in CONDITIONS.items()
    }
    if kind == "counts":
        counts = torch.randint(1, 20, (N, 8), generator=generator).float()
        return {"counts": counts, "library_size": counts.sum(dim=1), **codes}
    if kind == "vectors":
        return {"x": torch.randn(N, 5, generator=generator), **codes}
    return {"codes": torch.randint(0, 4, (N, 9), generator=generator).to(torch.uint8), **codes}


def states() -> Tensor:
    return torch.randn(N, 3, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("kind", KINDS)
def test_a_counterfactual_under_the_rows_own_condition_is_their_reconstruction(kind):
    model, batch = build(kind).eval(), rows(kind)
    with torch.no_grad():
        expected = model.reconstruct(model.encode(batch).state.mean, batch, batch)
    own = {key: [CONDITIONS[key][code] for code in batch[key]] for key in CONDITIONS}
    torch.testing.assert_close(counterfactual(model, batch, own), expected)
    torch.testing.assert_close(counterfactual(model, batch, {"donor": batch["donor"]}), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_counterfactual_decodes_the_same_latent_under_the_new_condition(kind):
    model, batch = build(kind), rows(kind)
    found = counterfactual(model.train(), batch, {"treatment": "drug"})
    assert model.training
    model.eval()
    with torch.no_grad():
        state = model.encode(batch).state.mean  # of the condition that the rows have
        changed = {**batch, "treatment": torch.ones(N).long()}
        torch.testing.assert_close(found, model.reconstruct(state, changed, batch))
    if kind in ("counts", "vectors"):
        other = counterfactual(model, batch, {"treatment": "control"})
        assert ((found - other).abs().amax(dim=1) > 0).all()


def test_a_counterfactual_cell_keeps_its_library_size():
    model, batch = build("counts"), rows("counts")
    found = counterfactual(model, batch, {"treatment": "drug"})
    torch.testing.assert_close(found.sum(dim=1), batch["library_size"], rtol=1e-4, atol=0)


def test_drawn_counterfactuals_follow_their_generator_and_leave_the_global_state_alone():
    model, batch = build("vectors"), rows("vectors")
    before = torch.get_rng_state()
    one, two, three = (
        counterfactual(
            model, batch, {"donor": "d1"}, draw=True, generator=torch.Generator().manual_seed(seed)
        )
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, two)
    assert not torch.equal(one, three)


@pytest.mark.parametrize("kind", KINDS)
def test_an_interpolation_starts_and_ends_at_its_labels_and_states(kind):
    model, state = build(kind).eval(), states()
    start, end = {"treatment": "control", "donor": "d1"}, {"treatment": "drug", "donor": "d3"}
    found = interpolate(model, state, start, end, end_state=-state, n_steps=5)
    assert found.shape[:2] == (5, N)
    ends = (
        ({"treatment": torch.zeros(N).long(), "donor": torch.zeros(N).long()}, state),
        ({"treatment": torch.ones(N).long(), "donor": torch.full((N,), 2)}, -state),
    )
    with torch.no_grad():
        for part, (codes, at) in zip(found[[0, -1]], ends, strict=True):
            torch.testing.assert_close(part, model.reconstruct(at, codes))


def test_in_a_linear_model_what_lies_between_two_labels_is_a_straight_line():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE(VAEConfig(n_dims=5, conditions=CONDITIONS, n_latent=3, n_layers=0))
    start, end = {"treatment": "control", "donor": "d1"}, {"treatment": "drug", "donor": "d3"}
    found = interpolate(model, states(), start, end, n_steps=5)
    line = torch.stack([torch.lerp(found[0], found[-1], share) for share in (0, 0.25, 0.5, 0.75, 1)])
    torch.testing.assert_close(found, line)


@pytest.mark.parametrize("kind", KINDS)
def test_a_traversal_moves_one_dimension_and_keeps_the_others(kind):
    model, state = build(kind).eval(), states()
    condition = {"treatment": "drug", "donor": "d2"}
    found = traverse(model, state, condition, dimensions=(2, 0), values=(-1.5, 2.0))
    assert found.shape[:3] == (2, 2, N)
    codes = {"treatment": torch.ones(N).long(), "donor": torch.ones(N).long()}
    moved = state.clone()
    moved[:, 0] = 2.0
    with torch.no_grad():
        torch.testing.assert_close(found[1, 1], model.reconstruct(moved, codes))


def test_a_traversal_through_where_a_state_is_gives_its_reconstruction_in_every_dimension():
    model, state = build("vectors").eval(), torch.full((2, 3), 0.5)
    found = traverse(model, state, {"treatment": "drug", "donor": "d2"}, values=(0.5,))
    assert found.shape == (3, 1, 2, 5)
    torch.testing.assert_close(found, found[:1].expand(3, -1, -1, -1))


@pytest.mark.parametrize("likelihood", ["nb", "zinb", "poisson", "gaussian"])
def test_the_expected_counts_are_the_mean_of_sampled_cells(likelihood):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = CountVAE(CountVAEConfig(genes=("a", "b"), n_latent=1, n_hidden=8, likelihood=likelihood))
    model.eval()
    with torch.no_grad():
        if likelihood == "gaussian":  # where expm1 is nearly linear
            model.tenth_log_dispersion.fill_(-0.5)
            model.to_logits.bias.fill_(8.0)
        state, log_library = torch.zeros(4000, 1), torch.full((4000, 1), 7.0)
        expected = model.reconstruct(state[:1], {})[0]
    counts = model.sample(
        4000, state=state, log_library=log_library, generator=torch.Generator().manual_seed(0)
    )
    torch.testing.assert_close(counts.mean(dim=0), expected, rtol=0.08, atol=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda m, b: counterfactual(m, b, {}),
            r"a condition to change, one of \['donor', 'treatment'\]",
        ),
        (
            lambda m, b: counterfactual(m, b, {"treatmnt": "drug"}),
            "no condition 'treatmnt': did you",
        ),
        (
            lambda m, b: counterfactual(m, b, {"treatment": "drugs"}),
            "'drugs' is not a known treatment",
        ),
        (lambda m, b: interpolate(m, states(), {"treatment": "drug"}, None), "needs a condition for 'donor'"),
        (
            lambda m, b: interpolate(m, states(), None, None, n_steps=1),
            "1 steps between two ends: ask for at least 2",
        ),
        (
            lambda m, b: interpolate(m, states(), None, None, end_state=torch.zeros(1, 3)),
            r"the states differ in shape, \(6, 3\) and \(1, 3\)",
        ),
        (lambda m, b: traverse(m, states(), dimensions=(3,)), "no latent dimension 3: give 0 to 2"),
        (lambda m, b: traverse(m, states(), values=()), "at least one dimension and one value"),
    ],
)
def test_what_cannot_be_asked_of_a_latent_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(build("vectors"), rows("vectors"))

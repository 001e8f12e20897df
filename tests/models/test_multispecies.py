"""Laws of the multi-species model: heads are apart, the trunk is shared, the terms sum to the total."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.models.multispecies import MultiSpecies, MultiSpeciesConfig

OUTPUTS = {"binary": ("bound",), "classes": ("none", "weak", "strong"), "regression": ("a", "b")}
SPECIES = ("human", "mouse", "fly")


def random_codes(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 4, (n, 24), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small(**changes) -> MultiSpecies:
    torch.manual_seed(0)
    sizes = {
        "window": 24,
        "species": SPECIES,
        "n_filters": 8,
        "filter_length": 5,
        "n_shared": 8,
        "dropout": 0.0,
    }
    return MultiSpecies(MultiSpeciesConfig(**(sizes | changes)))


def batch_of(task: str, species: list[int]) -> dict[str, torch.Tensor]:
    n, generator = len(species), torch.Generator().manual_seed(1)
    batch = {"codes": random_codes(n), "species": torch.tensor(species)}
    if task == "classes":
        return batch | {"label": torch.randint(0, 3, (n,), generator=generator)}
    target = torch.randn(n, len(OUTPUTS[task]), generator=generator)
    return batch | {"target": (target > 0).float() if task == "binary" else target}


@pytest.mark.parametrize("task", OUTPUTS)
@pytest.mark.parametrize("weighting", ["rows", "species"])
def test_the_loss_of_one_species_moves_its_head_and_the_trunk_and_no_other_head(task, weighting):
    model = small(task=task, outputs=OUTPUTS[task], weighting=weighting)
    loss = model.loss(batch_of(task, [0, 1, 1, 2] * 4))
    loss.terms["mouse"].backward()
    assert [bool(head.weight.grad.any()) for head in model.heads] == [False, True, False]
    assert model.trunk[0].weight.grad.any()


@given(species=st.lists(st.integers(0, 2), min_size=2, max_size=12))
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("task", OUTPUTS)
def test_terms_sum_to_the_total_which_by_rows_is_the_loss_over_rows(task, species):
    model = small(task=task, outputs=OUTPUTS[task]).eval()
    batch = batch_of(task, species)
    loss = model.loss(batch)
    torch.testing.assert_close(sum(loss.terms.values()), loss.total)
    outputs = model(one_hot(batch["codes"]), batch["species"])
    if task == "regression":
        torch.testing.assert_close(loss.total, (outputs - batch["target"]).square().mean())
    assert [bool(loss.terms[name] > 0) for name in SPECIES] == [i in species for i in range(3)]


def test_by_species_the_rows_of_a_species_may_be_repeated_without_changing_the_loss():
    rare = batch_of("binary", [0, 0, 0, 1])
    repeated = {name: torch.cat([column, column[-1:], column[-1:]]) for name, column in rare.items()}
    by_species, by_rows = small(weighting="species").eval(), small().eval()
    torch.testing.assert_close(by_species.loss(rare).total, by_species.loss(repeated).total)
    assert not torch.allclose(by_rows.loss(rare).total, by_rows.loss(repeated).total, rtol=1e-3)


def test_a_row_is_predicted_by_the_head_of_its_species():
    model = small().eval()
    x = one_hot(random_codes(5))
    shared = model.trunk(x)
    for number, head in enumerate(model.heads):
        torch.testing.assert_close(model(x, torch.full((5,), number)), head(shared))
    mixed = torch.tensor([2, 0, 1, 1, 0])
    expected = torch.stack([model.heads[int(s)](shared[i]) for i, s in enumerate(mixed)])
    torch.testing.assert_close(model(x, mixed), expected)


def test_learns_opposite_answers_to_the_same_sequences():
    codes = random_codes(16).repeat(2, 1)
    truth = (torch.arange(16) % 2).float()
    batch = {
        "codes": codes,
        "species": torch.arange(32) // 16,
        "target": torch.cat([truth, 1 - truth]),
    }
    model = small(species=("human", "mouse"), n_shared=16)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(80):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        if step == 0:
            idle = [name for name, weight in model.named_parameters() if not weight.grad.any()]
            assert set(idle) <= {"trunk.0.bias", "trunk.4.bias"}  # batch normalisation takes them out
        optimizer.step()
    assert model.loss(batch).total.item() < 0.1


def test_labels_that_do_not_count_do_not_count():
    model = small(task="classes", outputs=OUTPUTS["classes"]).eval()
    batch = batch_of("classes", [0, 1, 1, 2])
    batch["label"][3] = -100  # the only fly
    loss = model.loss(batch)
    assert loss.terms["fly"] == 0
    kept = {name: column[:3] for name, column in batch.items()}
    torch.testing.assert_close(loss.total, model.loss(kept).total)


def test_is_saved_and_loaded(tmp_path):
    model = small().eval()
    loaded = MultiSpecies.from_pretrained(model.save_pretrained(tmp_path))
    x, species = one_hot(random_codes(3)), torch.tensor([0, 1, 2])
    assert loaded.config == model.config
    assert torch.equal(loaded(x, species), model(x, species))


def test_says_what_cannot_be():
    with pytest.raises(InputError, match="row 2 has the species 3: expected 0 to 2, for human, mouse, fly"):
        small().loss(batch_of("binary", [0, 1, 3]))
    with pytest.raises(InputError, match=r"for 3 sequences: give one whole number a sequence"):
        small()(one_hot(random_codes(3)), torch.tensor([0, 1]))
    with pytest.raises(InputError, match="species holds 'human' twice"):
        small(species=("human", "human"))
    with pytest.raises(InputError, match="sequences are 30 long, but this model's window is 24"):
        small()(torch.zeros(1, 4, 30), torch.tensor([0]))

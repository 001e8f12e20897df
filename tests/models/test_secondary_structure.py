"""Laws of the secondary structure model: padding has no say, what isn't known doesn't count, it learns."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.alphabet import PROTEIN
from genailab.errors import InputError
from genailab.models.secondary_structure import SecondaryStructureBiLSTM, SecondaryStructureConfig


def residues(n: int, length: int = 20, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 20, (n, length), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small(**changes) -> SecondaryStructureBiLSTM:
    torch.manual_seed(0)
    sizes = {"n_embedding": 8, "n_channels": 12, "n_hidden": 8, "dropout": 0.0, "hide_letters": 0.0}
    return SecondaryStructureBiLSTM(SecondaryStructureConfig(**(sizes | changes)))


@given(
    lengths=st.lists(st.integers(1, 15), min_size=1, max_size=5),
    extra=st.integers(0, 9),
    seed=st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_neither_width_nor_content_of_the_padding_has_a_say(lengths, extra, seed):
    model = small().eval()
    length, width = torch.tensor(lengths), max(lengths)
    codes = residues(len(lengths), width, seed)
    wider = residues(len(lengths), width + extra, seed + 1)
    for row, n in enumerate(lengths):
        wider[row, :n] = codes[row, :n]
    with torch.no_grad():
        together = model(wider, length)
        for row, n in enumerate(lengths):
            alone = model(codes[row : row + 1, :n])[0]
            torch.testing.assert_close(together[row, :, :n], alone, atol=1e-5, rtol=1e-4)


def test_the_first_residue_has_a_say_at_the_last_and_the_last_at_the_first():
    model = small(n_layers=1, n_convolutions=1).eval()
    codes = residues(1, 30)
    logits = model(codes)
    for changed_at, seen_at in ((0, 29), (29, 0)):
        changed = codes.clone()
        changed[0, changed_at] = (changed[0, changed_at] + 1) % 20
        assert not torch.equal(model(changed)[0, :, seen_at], logits[0, :, seen_at])


def test_labels_that_are_not_known_have_no_say():
    model = small().eval()
    codes, label = residues(3), torch.arange(60).reshape(3, 20) % 3
    label[0, 5:] = -100
    loss = model.loss({"codes": codes, "label": label}).total
    logits = model(codes)
    known = label >= 0
    by_hand = -logits.log_softmax(dim=1).transpose(1, 2)[known].gather(1, label[known][:, None]).mean()
    torch.testing.assert_close(loss, by_hand)


def test_codes_above_the_twenty_letters_are_one_unknown_residue():
    model = small().eval()
    ambiguous, unknown = residues(1), residues(1)
    ambiguous[0, 3], unknown[0, 3] = len(PROTEIN.symbols) - 1, PROTEIN.size
    assert torch.equal(model(ambiguous), model(unknown))
    assert not torch.equal(model(unknown), model(residues(1)))


def test_hides_letters_in_training_only():
    model = small(hide_letters=0.5)
    codes = residues(4)
    torch.manual_seed(0)
    assert not torch.equal(model.train()(codes), model(codes))
    assert torch.equal(model.eval()(codes), model(codes))


def test_overfits_sixteen_proteins_with_a_gradient_in_every_parameter():
    generator = torch.Generator().manual_seed(2)
    batch = {
        "codes": residues(16),
        "label": torch.randint(0, 3, (16, 20), generator=generator),
        "length": torch.randint(8, 21, (16,), generator=generator),
    }
    batch["label"][torch.arange(20) >= batch["length"][:, None]] = -100
    model = small(n_hidden=32)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(60):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        if step == 0:
            assert all(weight.grad.any() for weight in model.parameters())
        optimizer.step()
    assert model.loss(batch).total.item() < 0.1


def test_is_saved_and_loaded(tmp_path):
    model = small(states=("helix", "strand", "coil", "turn")).eval()
    loaded = SecondaryStructureBiLSTM.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    assert torch.equal(loaded(residues(3)), model(residues(3)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alphabet": "DNA"}, "alphabet is 'DNA': choose one of PROTEIN"),
        ({"states": ("H",)}, "states names one state, 'H'"),
        ({"states": ("H", "H")}, "states holds 'H' twice"),
        ({"kernel_size": 4}, "kernel_size is 4: give odd lengths"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_says_which_setting_cannot_be(changes, message):
    with pytest.raises(InputError, match=message):
        small(**changes)


def test_says_which_input_cannot_be():
    with pytest.raises(InputError, match="sequence 1 of the batch has length 21: expected 1 to 20"):
        small()(residues(2), torch.tensor([20, 21]))
    with pytest.raises(InputError, match=r"shape \(20,\): expected uint8 \(batch, length\)"):
        small()(residues(1)[0])

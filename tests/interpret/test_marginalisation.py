"""Laws of marginalisation: a motif changes what it is written over and nothing else."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.motifs.motif import Motif
from genailab.data.sequences.encoding import decode, encode, one_hot
from genailab.errors import InputError
from genailab.interpret import insert_motif, marginalise


def backgrounds(batch: int = 6, length: int = 20) -> torch.Tensor:
    return torch.randint(0, 4, (batch, length), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@given(st.text("ACGTN", min_size=1, max_size=20), st.data())
@settings(max_examples=40, deadline=None)
def test_the_motif_stands_there_and_all_else_is_kept(motif, data):
    position = data.draw(st.integers(0, 20 - len(motif)))
    codes = backgrounds()
    before, after = decode(codes), decode(insert_motif(one_hot(codes), motif, position=position))
    for old, new in zip(before, after, strict=True):
        written = "".join(o if m == "N" else m for o, m in zip(old[position:], motif, strict=False))
        assert new == old[:position] + written + old[position + len(motif) :]


def test_the_effect_on_an_additive_model_is_its_weights():
    weight = torch.randn(4, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def additive(x):
        return (x.double() * weight).sum(dim=(1, 2))

    codes = backgrounds(batch=4000)
    found = marginalise(additive, "GAT", codes, position=5)
    gain = weight[[2, 0, 3], [5, 6, 7]].sum() - weight[:, 5:8].mean(dim=0).sum()
    assert found.effect == pytest.approx(gain.item(), abs=4 * found.standard_error)
    assert found.standard_error == pytest.approx(found.effects.std().item() / math.sqrt(4000))


def test_a_motif_and_its_consensus_and_codes_and_one_hot_do_the_same():
    motif = Motif(name="x", counts=torch.eye(4)[:, [2, 0, 3]].numpy())
    codes = backgrounds()

    def early_g(x):
        return x[:, 2] @ torch.arange(20.0)

    by_motif = marginalise(early_g, motif, codes)
    by_text = marginalise(early_g, "GAT", one_hot(codes), position=8)
    assert torch.equal(by_motif.effects, by_text.effects)
    assert math.isnan(marginalise(early_g, "GAT", codes[:1]).standard_error)


@pytest.mark.parametrize(
    ("motif", "position", "message"),
    [
        ("GATR", None, "letters A, C, G, T, and N"),
        ("", None, "letters A"),
        ("GAT", 18, "from 0 to 17"),
        ("A" * 21, None, "21"),
    ],
)
def test_motifs_that_do_not_fit_are_refused(motif, position, message):
    with pytest.raises(InputError, match=message):
        marginalise(lambda x: x.sum(dim=(1, 2)), motif, encode(["A" * 20]), position=position)

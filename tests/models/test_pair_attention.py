"""Laws of the pair model: no molecule's padding counts, maps sum to 1, it learns pairs and not parts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.models.pair_attention import PairAttention, PairAttentionConfig


def codes(n: int, length: int, size: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, size, (n, length), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small(**changes) -> PairAttention:
    torch.manual_seed(0)
    return PairAttention(PairAttentionConfig(**({"n_features": 16, "n_heads": 2, "kernel": 3} | changes)))


def widened(x: torch.Tensor, length: torch.Tensor, extra: int) -> torch.Tensor:
    wider = torch.full((len(x), x.shape[1] + extra), 2, dtype=torch.uint8)
    for row, n in enumerate(length.tolist()):
        wider[row, :n] = x[row, :n]
    return wider


lengths_strategy = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4)


@given(
    lengths=lengths_strategy, extra=st.tuples(st.integers(0, 5), st.integers(0, 5)), seed=st.integers(0, 9)
)
@settings(max_examples=25, deadline=None)
def test_the_padding_of_neither_molecule_has_weight_or_say(lengths, extra, seed):
    model = small().eval()
    n_rna, n_protein = (torch.tensor(column) for column in zip(*lengths, strict=True))
    rna = codes(len(lengths), int(n_rna.max()), 4, seed)
    protein = codes(len(lengths), int(n_protein.max()), 20, seed)
    wider = widened(rna, n_rna, extra[0]), widened(protein, n_protein, extra[1])
    with torch.no_grad():
        expected = model(rna, protein, n_rna, n_protein)
        torch.testing.assert_close(model(*wider, n_rna, n_protein), expected, atol=1e-5, rtol=1e-4)
        base_looks, residue_looks = model.attention(*wider, n_rna, n_protein)
    for maps, length in ((base_looks, n_protein), (residue_looks, n_rna)):
        torch.testing.assert_close(maps.sum(dim=3), torch.ones(maps.shape[:3]))
        padded = torch.arange(maps.shape[3]) >= length[:, None]
        assert not maps.masked_select(padded[:, None, None, :]).any()


def test_a_pair_gets_alone_what_it_gets_beside_others():
    model = small().eval()
    rna, protein = codes(3, 9, 4), codes(3, 12, 20)
    n_rna, n_protein = torch.tensor([9, 4, 1]), torch.tensor([2, 12, 7])
    together = model(rna, protein, n_rna, n_protein)
    for row, (a, b) in enumerate(zip(n_rna.tolist(), n_protein.tolist(), strict=True)):
        alone = model(rna[row : row + 1, :a], protein[row : row + 1, :b])
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=1e-4)


def test_learns_what_neither_molecule_tells_alone_with_a_gradient_in_every_parameter():
    # Binds where the RNA's kind is the protein's kind: each alone is a coin toss.
    generator = torch.Generator().manual_seed(1)
    kinds = torch.randint(0, 2, (64, 2), generator=generator)
    rna, protein = codes(64, 10, 4), codes(64, 14, 20)
    rna[torch.arange(64), 3] = 4  # an unknown letter beside the mark
    rna[:, 4:7] = torch.where(kinds[:, :1] == 0, 0, 3).to(torch.uint8)
    protein[:, 2:5] = torch.where(kinds[:, 1:] == 0, 1, 18).to(torch.uint8)
    batch = {"first_codes": rna, "second_codes": protein, "target": (kinds[:, 0] == kinds[:, 1]).float()}
    model = small(dropout=0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for step in range(80):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        if step == 0:
            # A key's bias adds the same to all scores of a query: a softmax doesn't see it.
            idle = [name for name, weight in model.named_parameters() if weight.grad.abs().max() < 1e-7]
            assert set(idle) <= {"first_asks.key.bias", "second_asks.key.bias"}
        optimizer.step()
    assert model.loss(batch).total.item() < 0.1


def test_is_saved_and_loaded(tmp_path):
    model = small().eval()
    loaded = PairAttention.from_pretrained(model.save_pretrained(tmp_path))
    rna, protein = codes(3, 9, 4), codes(3, 12, 20)
    assert loaded.config == model.config
    assert torch.equal(loaded(rna, protein), model(rna, protein))


def test_says_what_cannot_be():
    with pytest.raises(InputError, match="3 RNA sequences for 2 PROTEIN sequences"):
        small()(codes(3, 5, 4), codes(2, 5, 20))
    with pytest.raises(InputError, match=r"PROTEIN codes are torch.int64"):
        small()(codes(2, 5, 4), codes(2, 5, 20).long())
    with pytest.raises(InputError, match="second_alphabet is 'PEPTIDE'"):
        small(second_alphabet="PEPTIDE")

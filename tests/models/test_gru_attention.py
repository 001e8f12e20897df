"""Laws of the GRU with attention: weights sum to 1, padding has none, it looks at what matters."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.models.gru_attention import GRUAttention, GRUAttentionConfig

KINDS = ["additive", "dot"]


def random_codes(n: int, length: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small(**changes) -> GRUAttention:
    torch.manual_seed(0)
    return GRUAttention(GRUAttentionConfig(**({"n_hidden": 8} | changes)))


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    extra=st.integers(0, 6),
    seed=st.integers(0, 9),
)
@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize("attention", KINDS)
def test_padding_has_no_weight_and_no_say(attention, lengths, extra, seed):
    model = small(attention=attention, n_layers=2).eval()
    length, width = torch.tensor(lengths), max(lengths)
    x = one_hot(random_codes(len(lengths), width, seed))
    wider = torch.full((len(lengths), 4, width + extra), 7.0)
    for row, n in enumerate(lengths):
        wider[row, :, :n] = x[row, :, :n]
    with torch.no_grad():
        torch.testing.assert_close(model(wider, length), model(x, length), atol=1e-6, rtol=1e-5)
        weights = model.attention(wider, length)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(len(lengths)))
    assert not weights[torch.arange(width + extra) >= length[:, None]].any()


def test_a_row_gets_alone_what_it_gets_beside_others():
    model = small().eval()
    x, length = one_hot(random_codes(4)), torch.tensor([12, 3, 7, 1])
    together = model(x, length)
    for row, n in enumerate(length.tolist()):
        torch.testing.assert_close(model(x[row : row + 1, :, :n])[0], together[row], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("attention", KINDS)
def test_learns_whether_a_word_occurs_and_looks_there(attention):
    # GATTAC in half of the sequences, at a random place: its letters should weigh more than the others.
    codes, generator = random_codes(192, 24, seed=5), torch.Generator().manual_seed(2)
    present = torch.arange(192) % 2 == 0
    starts = torch.randint(0, 19, (192,), generator=generator)
    for row in present.nonzero()[:, 0].tolist():
        codes[row, starts[row] : starts[row] + 6] = torch.tensor([2, 0, 3, 3, 0, 1], dtype=torch.uint8)
    batch = {"codes": codes, "target": present.float()}
    model = small(attention=attention, n_hidden=24, dropout=0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    model.eval()
    x = one_hot(codes)
    assert ((model(x)[:, 0] > 0) == present).float().mean() > 0.95
    rows = present.nonzero()[:, 0]
    weights = model.attention(x)[rows]
    # The states one letter around the word have read it too.
    near = (torch.arange(24) >= starts[rows, None] - 1) & (torch.arange(24) <= starts[rows, None] + 6)
    assert (weights * near).sum(dim=1).mean() > 1.5 * near.float().mean()


@pytest.mark.parametrize("attention", KINDS)
def test_a_gradient_reaches_every_parameter(attention):
    model = small(attention=attention, n_layers=2, task="classes", outputs=("a", "b"), dropout=0.0)
    batch = {"codes": random_codes(16), "label": torch.arange(16) % 2, "length": torch.arange(16) % 8 + 5}
    model.loss(batch).total.backward()
    assert all(weight.grad.any() for weight in model.parameters())


def test_is_saved_and_loaded(tmp_path):
    model = small(attention="dot").eval()
    loaded = GRUAttention.from_pretrained(model.save_pretrained(tmp_path))
    x = one_hot(random_codes(4))
    assert loaded.config == model.config
    assert torch.equal(loaded(x), model(x))


def test_says_what_cannot_be():
    with pytest.raises(InputError, match="attention is 'cosine': choose one of additive, dot"):
        small(attention="cosine")
    with pytest.raises(InputError, match="sequence 0 of the batch has length 0"):
        small().loss({"codes": random_codes(1), "length": torch.tensor([0])})
    with pytest.raises(InputError, match="transpose the last two axes"):
        small()(torch.zeros(2, 9, 4))

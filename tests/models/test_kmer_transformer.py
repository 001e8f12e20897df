"""Laws of the k-mer Transformer: padding, order, maps, hidden tokens."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.kmer_tokenizer import KmerTokenizer
from genailab.errors import InputError
from genailab.models.kmer_transformer import KmerTransformer, KmerTransformerConfig, hide_tokens

SMALL = {"n_tokens": 20, "k": 2, "n_features": 16, "n_heads": 2}
POSITIONS = ["rotary", "sinusoidal", "none"]


def random_tokens(n: int, length: int = 10, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 16, (n, length), generator=torch.Generator().manual_seed(seed))


def small(**changes) -> KmerTransformer:
    torch.manual_seed(0)
    return KmerTransformer(KmerTransformerConfig(**(SMALL | changes)))


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    extra=st.integers(0, 5),
    seed=st.integers(0, 9),
)
@settings(max_examples=15, deadline=None)
@pytest.mark.parametrize("positions", POSITIONS)
def test_padding_has_no_weight_and_no_say(positions, lengths, extra, seed):
    model = small(positions=positions).eval()
    length, width = torch.tensor(lengths), max(lengths)
    tokens = random_tokens(len(lengths), width, seed)
    wider = torch.full((len(lengths), width + extra), 19)
    for row, n in enumerate(lengths):
        wider[row, :n] = tokens[row, :n]
    with torch.no_grad():
        torch.testing.assert_close(model(wider, length), model(tokens, length), atol=1e-5, rtol=1e-4)
        maps = model.attention(wider, length)
    assert maps.shape == (len(lengths), 2, 2, width + extra, width + extra)
    torch.testing.assert_close(maps.sum(dim=4), torch.ones(maps.shape[:4]))
    padded = torch.arange(width + extra) >= length[:, None]
    assert not maps.masked_select(padded[:, None, None, None, :]).any()


@pytest.mark.parametrize("positions", POSITIONS)
def test_the_order_counts_only_with_positions(positions):
    model = small(positions=positions, n_layers=1).eval()
    tokens = random_tokens(3)
    order = torch.randperm(10, generator=torch.Generator().manual_seed(1))
    same = torch.allclose(model(tokens), model(tokens[:, order]), atol=1e-5)
    assert same == (positions == "none")


def test_rotary_positions_see_distances_alone():
    # Seen through the maps: the same word further on in the same surroundings gets the same attention.
    word = random_tokens(1, 6)
    filler = torch.full((1, 30), 18)
    maps = []
    for place in (3, 14):
        tokens = torch.cat([filler[:, :place], word, filler[:, : 24 - place]], dim=1)
        found = small(n_layers=1).eval().attention(tokens)[0, 0, :, place : place + 6, place : place + 6]
        maps.append(found / found.sum(dim=2, keepdim=True))  # among the letters of the word
    torch.testing.assert_close(maps[0], maps[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("positions", POSITIONS)
def test_overfits_sixteen_sequences_with_a_gradient_in_every_parameter(positions):
    model = small(positions=positions, task="classes", outputs=("a", "b", "c"), dropout=0.0)
    batch = {"tokens": random_tokens(16), "label": torch.arange(16) % 3, "length": torch.arange(16) % 4 + 7}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(60):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        if step == 0:
            idle = [name for name, weight in model.named_parameters() if not weight.grad.any()]
            assert idle == []
        optimizer.step()
    assert model.loss(batch).total.item() < 0.1


def test_masked_training_learns_what_follows_what_and_hands_its_encoder_on():
    # Tokens that count upwards: a hidden one is certain from its neighbours.
    tokens = (torch.arange(64)[:, None] + torch.arange(12)) % 16
    masked = small(k=1, task="masked", mask_token=17, dropout=0.0)
    optimizer = torch.optim.Adam(masked.parameters(), lr=0.01)
    torch.manual_seed(0)
    losses = []
    for _ in range(80):
        optimizer.zero_grad()
        loss = masked.loss({"tokens": tokens}).total
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 2
    assert sum(losses[-10:]) / 10 < 0.5
    assert masked(tokens).shape == (64, 20, 12)
    labelled = small(k=1)
    labelled.encoder.load_state_dict(masked.encoder.state_dict())
    labelled.embedding.load_state_dict(masked.embedding.state_dict())
    assert torch.equal(labelled.eval().attention(tokens), masked.eval().attention(tokens))


@given(rate=st.floats(0.02, 0.6), span=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_hides_the_share_asked_for_in_runs_and_labels_exactly_that(rate, span, seed):
    tokens = random_tokens(200, 60, seed)
    before = tokens.clone()
    length = torch.randint(20, 61, (200,), generator=torch.Generator().manual_seed(seed))
    counts = torch.arange(60) < length[:, None]
    shown, label = hide_tokens(
        tokens,
        mask_token=17,
        rate=rate,
        span=span,
        counts=counts,
        generator=torch.Generator().manual_seed(seed),
    )
    hidden = shown == 17
    assert torch.equal(tokens, before)
    assert torch.equal(label != -100, hidden)
    assert torch.equal(label[hidden], tokens[hidden])
    assert torch.equal(shown[~hidden], tokens[~hidden])
    assert not hidden[~counts].any()
    assert abs(hidden[counts].float().mean().item() - rate) < 0.05
    inner = hidden[:, 10:20].tolist()  # every run that begins and ends in here is at least a span long
    runs = [len(run) for row in inner for run in "".join("01"[h] for h in row).strip("1").split("0") if run]
    assert all(run >= span for run in runs)


def test_hides_at_least_one_token_that_counts():
    counts = torch.zeros(3, 8, dtype=torch.bool)
    counts[1, 0] = True
    shown, label = hide_tokens(random_tokens(3, 8), mask_token=17, rate=1e-9, counts=counts)
    assert (shown == 17).nonzero().tolist() == [[1, 0]]
    assert label[1, 0] >= 0


def test_is_saved_and_loaded(tmp_path):
    model = small(positions="sinusoidal").eval()
    loaded = KmerTransformer.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    assert torch.equal(loaded(random_tokens(4)), model(random_tokens(4)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "masked"}, "mask_token is null: give the tokenizer's mask token"),
        ({"task": "masked", "mask_token": 20}, "mask_token is 20, outside the 20 tokens"),
        ({"n_heads": 3}, "16 features do not divide among 3 heads"),
        ({"positions": "learned"}, "positions is 'learned': choose one of rotary, sinusoidal, none"),
    ],
)
def test_says_which_setting_cannot_be(changes, message):
    with pytest.raises(InputError, match=message):
        small(**changes)


def test_says_which_token_is_unknown():
    tokens = random_tokens(3)
    tokens[2, 4] = 20
    with pytest.raises(InputError, match="token 20 at position 4 of sequence 2 is outside the 20 tokens"):
        small()(tokens)
    with pytest.raises(InputError, match="float32"):
        small()(torch.zeros(2, 4))


def test_the_tokenizers_tokens_fit_and_padding_of_its_rows_has_no_say():
    tokenizer = KmerTokenizer(k=3, stride=2, open_with_cls=True)
    model = small(n_tokens=tokenizer.n_tokens, k=tokenizer.k, stride=tokenizer.stride).eval()
    texts = ["ACGTNCATGAT", "GATTACAGATTACA", "TTTT"]
    tokens, mask = tokenizer.encode(texts)
    with torch.no_grad():
        together = model(tokens, mask.sum(dim=1))
        alone = torch.cat([model(tokenizer.encode([text])[0]) for text in texts])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_the_tokenizers_mask_is_what_hides_and_padding_is_never_hidden():
    tokenizer = KmerTokenizer(k=2, stride=2)
    tokens, mask = tokenizer.encode(["ACGTACGTAC", "ACGT"])
    generator = torch.Generator().manual_seed(0)
    shown, label = hide_tokens(tokens, counts=mask, rate=0.9, mask_token=tokenizer.mask, generator=generator)
    assert (shown[label != -100] == tokenizer.mask).all()
    assert (label[~mask] == -100).all()
    assert torch.equal(torch.where(label == -100, shown, label), tokens)

"""Laws of the packed LSTM: padding and neighbours have no say, it learns, it is saved."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.models.sequence_lstm import SequenceLSTM, SequenceLSTMConfig

OUTPUTS = {"binary": ("bound",), "classes": ("none", "weak", "strong"), "regression": ("a", "b")}


def random_codes(n: int, length: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small(**changes) -> SequenceLSTM:
    torch.manual_seed(0)
    return SequenceLSTM(SequenceLSTMConfig(**({"n_hidden": 8} | changes)))


def batch_of(task: str, n: int = 16) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    batch = {"codes": random_codes(n), "length": torch.randint(3, 13, (n,), generator=generator)}
    if task == "classes":
        return batch | {"label": torch.randint(0, 3, (n,), generator=generator)}
    target = torch.randn(n, len(OUTPUTS[task]), generator=generator)
    return batch | {"target": (target > 0).float() if task == "binary" else target}


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    extra=st.integers(0, 6),
    seed=st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_neither_width_nor_content_of_the_padding_has_a_say(pooling, bidirectional, lengths, extra, seed):
    model = small(pooling=pooling, bidirectional=bidirectional, n_layers=2).eval()
    length, width = torch.tensor(lengths), max(lengths)
    x = one_hot(random_codes(len(lengths), width, seed))
    wider = torch.full((len(lengths), 4, width + extra), 7.0)
    for row, n in enumerate(lengths):
        wider[row, :, :n] = x[row, :, :n]
    with torch.no_grad():
        assert torch.equal(model(x, length), model(wider, length))


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_row_gets_alone_what_it_gets_beside_others(pooling):
    model = small(pooling=pooling).eval()
    x, length = one_hot(random_codes(5)), torch.tensor([12, 3, 7, 1, 12])
    together = model(x, length)
    for row, n in enumerate(length.tolist()):
        torch.testing.assert_close(model(x[row : row + 1, :, :n])[0], together[row], atol=1e-6, rtol=1e-5)
    assert together.std() > 1e-3


def test_one_direction_s_last_state_is_the_last_letter_s_and_both_start_from_either_end():
    x = one_hot(random_codes(1))
    changed = x.clone()
    changed[0, :, 0] = changed[0, :, 0].roll(1)
    for bidirectional in (False, True):
        model = small(pooling="last", bidirectional=bidirectional).eval()
        assert not torch.equal(model(x), model(changed))
    states, _ = (one_way := small(pooling="last", bidirectional=False).eval()).lstm(x.transpose(1, 2))
    torch.testing.assert_close(one_way(x), one_way.head(states[:, -1]))


@pytest.mark.parametrize("task", OUTPUTS)
def test_every_task_overfits_sixteen_sequences_with_a_gradient_in_every_parameter(task):
    model = small(task=task, outputs=OUTPUTS[task], dropout=0.0, n_hidden=24)
    batch = batch_of(task)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    first = model.loss(batch).total.item()
    for step in range(80):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        if step == 0:
            assert all(weight.grad.any() for weight in model.parameters())
        optimizer.step()
    assert model.loss(batch).total.item() < 0.2 * first


def test_is_saved_and_loaded(tmp_path):
    model = small(outputs=("a", "b"), pooling="last").eval()
    loaded = SequenceLSTM.from_pretrained(model.save_pretrained(tmp_path))
    x = one_hot(random_codes(4))
    assert loaded.config == model.config
    assert torch.equal(loaded(x), model(x))


def test_says_what_cannot_be():
    with pytest.raises(InputError, match="sequence 1 of the batch has length 13: expected 1 to 12"):
        small().loss(batch_of("binary", 2) | {"length": torch.tensor([4, 13])})
    with pytest.raises(InputError, match="'codes' is torch"):
        small().loss({"codes": random_codes(2).long()})
    with pytest.raises(InputError, match="pooling is 'max': choose one of last, mean"):
        small(pooling="max")
    with pytest.raises(InputError, match="n_hidden is 0"):
        small(n_hidden=0)

"""Laws of the SequenceVAE: causality, probabilities that sum to 1, draws that follow them, bad letters."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from genailab.data import TensorRows, encode
from genailab.data.sequences.alphabet import PROTEIN
from genailab.errors import InputError
from genailab.generative.vae import SequenceVAE, SequenceVAEConfig, elbo, importance_weighted_bound
from genailab.training import TrainConfig, fit

CONDITIONS = {"class": ("enhancer", "promoter")}
DECODERS = ["autoregressive", "convolutional"]


def build(length: int = 12, seed: int = 0, **options: object) -> SequenceVAE:
    sizes = {"n_latent": 2, "n_channels": 8, "kernel": 3, "dilations": (1, 2)}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = SequenceVAE(SequenceVAEConfig(length=length, **{**sizes, **options}))
        for name, parameter in model.named_parameters():
            if name in ("decoder.positions", "decoder.by_position.weight"):  # as far apart as after training
                torch.nn.init.normal_(parameter)
        return model


def letters(n: int, length: int = 12, size: int = 4, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, size, (n, length), generator=generator).to(torch.uint8)


@pytest.mark.parametrize("position", [0, 3, 11])
def test_an_autoregressive_decoder_sees_only_letters_before(position):
    model = build(dilations=(1, 2, 4)).double().eval()
    codes, state = letters(5), torch.zeros(5, 2).double()
    changed = codes.clone()
    changed[:, position] = (changed[:, position] + 1) % 4
    with torch.no_grad():
        one, two = (model.logits({"codes": x}, state) for x in (codes, changed))
    assert torch.equal(one[:, :, : position + 1], two[:, :, : position + 1])
    if position < 11:
        assert ((one - two)[:, :, position + 1].abs() > 0).any(dim=1).all()


def test_a_convolutional_decoder_sees_the_latent_alone():
    model = build(decoder="convolutional").eval()
    state = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        one, two = (model.logits({"codes": letters(5, seed=seed)}, state) for seed in (0, 1))
        other = model.logits({"codes": letters(5)}, -state)
    assert torch.equal(one, two)
    assert not torch.allclose(one, other)


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_probabilities_of_all_sequences_sum_to_one(decoder):
    model = build(length=4, decoder=decoder).double().eval()
    everything = torch.tensor(list(itertools.product(range(4), repeat=4)), dtype=torch.uint8)
    state = torch.randn(1, 2, generator=torch.Generator().manual_seed(0)).double().expand(256, -1)
    with torch.no_grad():
        log_prob = model.log_likelihood({"codes": everything}, state)
    torch.testing.assert_close(log_prob.logsumexp(dim=0), torch.zeros(()).double(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("decoder", DECODERS)
def test_draws_follow_the_probabilities_that_the_loss_sees(decoder):
    model = build(length=3, decoder=decoder).eval()
    everything = torch.tensor(list(itertools.product(range(4), repeat=3)), dtype=torch.uint8)
    state = torch.randn(1, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        p = model.log_likelihood({"codes": everything}, state.expand(64, -1)).exp()
    n = 20_000
    codes = model.sample(n, state=state.expand(n, -1), generator=torch.Generator().manual_seed(1))
    index = (codes.long() * torch.tensor([16, 4, 1])).sum(dim=1)
    found = torch.bincount(index, minlength=64) / n
    assert ((found - p).abs() < 5 * (p * (1 - p) / n).sqrt() + 1e-4).all()


@pytest.mark.parametrize("decoder", DECODERS)
def test_without_its_network_a_decoder_is_the_position_weight_matrix_of_the_class(decoder):
    model = build(length=5, decoder=decoder, conditions=CONDITIONS)
    shares = torch.rand(2, 4, 5, generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    with torch.no_grad():
        for parameter in (*model.decoder.to_logits.parameters(), *model.decoder.by_position.parameters()):
            parameter.zero_()
        model.decoder.by_position.weight[:, 2:] = shares.log().flatten(1).T  # after the latent's 2 features
        classes = torch.arange(2).repeat_interleave(20_000)
        drawn = model.sample(40_000, {"class": classes}, generator=torch.Generator().manual_seed(1))
    found = torch.nn.functional.one_hot(drawn.long(), 4).float().view(2, 20_000, 5, 4).mean(dim=1)
    assert torch.allclose(found.transpose(1, 2), shares, atol=0.015)


@pytest.mark.parametrize("decoder", DECODERS)
def test_temperature_0_takes_the_most_probable_letter_at_each_position(decoder):
    # Drawing one position after the other must give the logits of the whole sequence at once.
    model = build(length=40, decoder=decoder, dilations=(1, 2, 4)).eval()
    state = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    codes = model.sample(7, state=state, temperature=0)
    with torch.no_grad():
        assert torch.equal(model.logits({"codes": codes}, state).argmax(dim=1), codes.long())
        assert torch.equal(model.reconstruct(state, {}), codes)
    assert codes.unique().numel() > 1


def test_a_lower_temperature_draws_more_probable_sequences():
    model = build(length=20).eval()
    state = torch.zeros(400, 2)
    with torch.no_grad():
        found = [
            model.log_likelihood(
                {"codes": model.sample(400, state=state, temperature=t, generator=torch.Generator())}, state
            ).mean()
            for t in (2.0, 1.0, 0.5, 0.0)
        ]
    assert found[0] < found[1] < found[2] < found[3]


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_loss_is_minus_the_elbo_and_below_it_lies_the_importance_weighted_bound(decoder):
    model = build(decoder=decoder).eval()
    batch = {"codes": letters(16)}
    with torch.no_grad():  # a posterior that differs from the prior
        model.to_posterior[2].bias.copy_(torch.tensor([0.5, -0.5, -1.0, 0.5]))
    weights = model.log_weights(batch, n_draws=400, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        losses = torch.stack([model.loss(batch).total for _ in range(100)])
    error = 4 * math.hypot(losses.std() / 10, weights.mean(dim=1).std() / 20)
    assert abs(losses.mean() + elbo(weights).mean()) < error + 1e-3
    assert (importance_weighted_bound(weights) > elbo(weights)).all()


def test_word_dropout_hides_letters_in_training_alone():
    model = build(word_dropout=0.5)
    batch, state = {"codes": letters(5)}, torch.zeros(5, 2)
    with torch.no_grad():
        model.eval()
        one, two = (model.logits(batch, state) for _ in range(2))
        assert torch.equal(one, two)
        model.train()
        assert not torch.equal(model.logits(batch, state), one)
        # The first position has no letters to hide before it.
        assert torch.equal(model.logits(batch, state)[:, :, 0], one[:, :, 0])


@pytest.mark.parametrize("decoder", DECODERS)
def test_fit_learns_what_a_condition_means(decoder):
    # Enhancers of this toy are made of A and T, promoters of G and C.
    kind = torch.arange(200) % 2
    generator = torch.Generator().manual_seed(0)
    strong = torch.randint(0, 2, (200, 12), generator=generator)
    codes = torch.where(kind[:, None] == 0, 3 * strong, 1 + strong).to(torch.uint8)
    model = build(decoder=decoder, conditions=CONDITIONS, n_channels=16)
    config = TrainConfig(max_epochs=12, batch_size=50, learning_rate=1e-2, device="cpu")
    fit(model, TensorRows(codes=codes, **{"class": kind}), config=config, show_progress=False)
    for name, wanted in (("enhancer", (0, 3)), ("promoter", (1, 2))):
        found = model.sample(200, {"class": name}, generator=torch.Generator().manual_seed(0))
        assert torch.isin(found, torch.tensor(wanted, dtype=torch.uint8)).float().mean() > 0.9


@pytest.mark.parametrize(("alphabet", "size"), [("DNA", 4), ("RNA", 4), ("PROTEIN", 20)])
def test_samples_are_letters_of_the_alphabet_and_leave_model_and_random_state_alone(alphabet, size):
    model = build(alphabet=alphabet, word_dropout=0.3).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    one, two = (model.sample(50, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(one, two)
    assert one.shape == (50, 12)
    assert one.dtype == torch.uint8
    assert one.max() == size - 1
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_saved_model_generates_the_same_sequences(tmp_path, decoder):
    model = build(decoder=decoder, conditions=CONDITIONS, alphabet="PROTEIN")
    loaded = SequenceVAE.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    one, two = (
        m.sample(9, {"class": "promoter"}, generator=torch.Generator().manual_seed(3))
        for m in (model, loaded)
    )
    assert torch.equal(one, two)


@pytest.mark.parametrize("length", [1, 2, 5, 33])
@pytest.mark.parametrize("decoder", DECODERS)
def test_any_length_goes(decoder, length):
    model = build(length=length, decoder=decoder)
    assert torch.isfinite(model.loss({"codes": letters(4, length)}).total)
    assert model.sample(2).shape == (2, length)


# --- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({}, r"the batch holds \[\] but no 'codes'"),
        (
            {"codes": encode(["ACGTACGTACGT", "ACGTNCGTACGT"])},
            r"\('N'\) at position 4 of row 1",
        ),
        (
            {"codes": encode(["ACGRACGTACGT"])},
            "'R'.* at position 3 of row 0 .* none of the letters ACGT: leave",
        ),
        (
            {"codes": letters(2, 10)},
            "are 10 long, but this model's are 12: cut them to 12",
        ),
        ({"codes": letters(2).long()}, "'codes' is torch.int64"),
    ],
)
def test_batches_that_cannot_be_right_are_refused(batch, message):
    with pytest.raises(InputError, match=message):
        build().loss(batch)


def test_a_protein_model_refuses_the_letters_that_stand_for_several():
    codes = encode("ACDEFGHIKLMB", alphabet=PROTEIN)[None]
    with pytest.raises(InputError, match=r"\('B'\) at position 11"):
        build(alphabet="PROTEIN").loss({"codes": codes})


@pytest.mark.parametrize(
    ("codes", "message"),
    [({}, "no 'class': give its codes"), ({"class": torch.tensor([0, 2])}, "row 1 has the class 2")],
)
def test_conditions_that_cannot_be_right_are_refused(codes, message):
    with pytest.raises(InputError, match=message):
        build(conditions=CONDITIONS).loss({"codes": letters(2), **codes})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphabet": "dna2"}, "alphabet 'dna2' is not known: did you mean 'DNA'"),
        ({"decoder": "gru"}, "decoder is 'gru': choose one of autoregressive, convolutional"),
        ({"length": 0}, "length is 0: it must be at least 1"),
        ({"kernel": 4}, "kernel is 4: give odd lengths"),
        ({"dilations": ()}, "dilations is empty"),
        ({"word_dropout": 1.0}, "word_dropout is 1.0"),
        ({"word_dropout": 0.1, "decoder": "convolutional"}, "a convolutional decoder sees no letters"),
        ({"beta": -0.1}, "beta is -0.1"),
        ({"free_bits": math.inf}, "free_bits is inf"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        build(**options)


@pytest.mark.parametrize(
    ("n", "condition", "options", "message"),
    [
        (0, {"class": "promoter"}, {}, "asked for 0 samples"),
        (2, None, {}, "needs a condition for 'class'"),
        (2, {"class": "promotor"}, {}, "'promotor' is not a known class: did you mean 'promoter'"),
        (2, {"class": ["promoter"] * 3}, {}, "has 3 values for 2 samples"),
        (2, {"class": "promoter"}, {"temperature": -1.0}, "temperature is -1.0: it must not be negative"),
        (2, {"class": "promoter"}, {"state": torch.zeros(3, 2)}, r"state is \(3, 2\)"),
    ],
)
def test_samples_that_cannot_be_drawn_are_refused(n, condition, options, message):
    with pytest.raises(InputError, match=message):
        build(conditions=CONDITIONS).sample(n, condition, **options)

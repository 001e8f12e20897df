"""A diffusion of sequences of two classes with a motif each: asked for one it writes that motif."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genailab.data.rows import TensorRows
from genailab.data.sequences.encoding import decode, encode
from genailab.errors import InputError
from genailab.generative.diffusion.discrete import DiscreteDiffusion, DiscreteDiffusionConfig
from genailab.training import TrainConfig, fit

MOTIFS = {"tata": "TATAAA", "gc": "GGGCGG"}
CLASSES = {"box": tuple(MOTIFS)}
LENGTH, PLACE = 10, 2  # two free letters on each side of the motif


def draw(seed: int, n: int = 64) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    box = torch.randint(0, 2, (n,), generator=generator)
    codes = torch.randint(0, 4, (n, LENGTH), generator=generator).to(torch.uint8)
    codes[:, PLACE : PLACE + 6] = encode(list(MOTIFS.values()))[box]
    return {"codes": codes, "box": box}


def learned(n_steps: int, **settings: object) -> DiscreteDiffusion:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = DiscreteDiffusionConfig(
            length=LENGTH, conditions=CLASSES, **{"width": 16, "depth": 1, "drop_condition": 0.3, **settings}
        )
        model = DiscreteDiffusion(config)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=n_steps)
        for seed in range(n_steps):
            optimiser.zero_grad()
            model.loss(draw(seed)).total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # of a bound that weighs with 1 / t
            optimiser.step()
            rate.step()
    return model.eval()


@pytest.fixture(scope="module")
def model() -> DiscreteDiffusion:
    return learned(150, network="transformer", width=32)


def untrained(**settings: object) -> DiscreteDiffusion:
    return DiscreteDiffusion(
        DiscreteDiffusionConfig(
            **{"length": LENGTH, "conditions": CLASSES, "width": 8, "depth": 1, **settings}
        )
    )


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def share(codes: Tensor, box: str) -> float:
    motif = encode(MOTIFS[box])
    return (codes[:, PLACE : PLACE + 6] == motif).all(dim=1).float().mean().item()


@pytest.mark.parametrize("order", ["time", "random", "confidence"])
def test_writes_the_motif_that_is_asked_for(model, order):
    for box in MOTIFS:
        found = model.sample(200, {"box": box}, generator=generator(), order=order)
        assert found.shape == (200, LENGTH)
        assert found.dtype == torch.uint8
        assert found.max() < 4
        assert share(found, box) > 0.85


def test_letters_that_are_free_stay_free(model):
    found = model.sample(400, {"box": "gc"}, generator=generator())
    shares = torch.bincount(found[:, :PLACE].flatten().long(), minlength=4) / (400 * PLACE)
    torch.testing.assert_close(shares, torch.full((4,), 0.25), atol=0.12, rtol=0)


def test_without_a_condition_writes_both_and_a_condition_for_each_is_kept_in_order(model):
    found = model.sample(300, generator=generator())
    assert min(share(found, "tata"), share(found, "gc")) > 0.1
    assert share(found, "tata") + share(found, "gc") > 0.5
    wanted = ["tata", "gc", "gc"] * 40
    found = model.sample(120, {"box": wanted}, generator=generator())
    right = [text[PLACE : PLACE + 6] == MOTIFS[box] for text, box in zip(decode(found), wanted, strict=True)]
    assert sum(right) > 100


def test_guidance_0_is_the_unconditional_model_and_1_the_conditional_one(model):
    options = {"generator": generator(1), "guidance_scale": 0.0}
    none = model.sample(30, {"box": "gc"}, **options)
    assert torch.equal(none, model.sample(30, generator=generator(1)))
    states = model.process.pure_noise(4, LENGTH)
    given = model.denoiser({"box": torch.ones(4, dtype=torch.long)})(states, torch.tensor(1.0))
    assert not torch.allclose(given, model.denoiser()(states, torch.tensor(1.0)), atol=0.1)
    strong = model.sample(200, {"box": "gc"}, generator=generator(1), guidance_scale=3.0)
    assert share(strong, "gc") >= share(model.sample(200, {"box": "gc"}, generator=generator(1)), "gc") - 0.02


def test_the_bound_nears_the_entropy_and_names_the_right_class(model):
    # Four free letters of 2 bits in ten; the motif costs nothing given the class, one bit without.
    batch = draw(1000, 128)
    given = model.bound(batch, n_draws=20, generator=generator())
    free = model.bound({"codes": batch["codes"]}, n_draws=20, generator=generator())
    wrong = model.bound({**batch, "box": 1 - batch["box"]}, n_draws=20, generator=generator())
    assert given.nats.shape == (128,)
    assert given.bits_per_letter.mean().item() == pytest.approx(0.8, abs=0.15)
    assert free.nats.mean().item() == pytest.approx(4 * math.log(4) + math.log(2), abs=1.0)
    assert wrong.nats.mean() > given.nats.mean() + 3
    torch.testing.assert_close(given.nats, given.bits_per_letter * LENGTH * math.log(2))


@pytest.mark.parametrize("network", ["unet", "transformer"])
@pytest.mark.parametrize("process", ["masked", "absorbing", "uniform"])
def test_an_untrained_model_knows_nothing_two_bits_a_letter(process, network):
    fresh = untrained(process=process, network=network, timesteps=50)
    bound = fresh.bound(draw(0, 200), n_draws=8, generator=generator())
    assert bound.bits_per_letter.mean().item() == pytest.approx(2, abs=0.15)


def test_steps_back_from_uniform_noise_are_those_of_d3pm():
    # Austin et al. 2021, equation 4: in proportion to q(x_t | x_s) times the network's letters brought to s.
    model = untrained(process="uniform")
    with torch.no_grad():
        model.network.project_out.weight.normal_(generator=generator())
    one, x = model.process, model.process.pure_noise(3, LENGTH, generator=generator())
    s, t = torch.tensor(0.3), torch.tensor(0.7)
    said = model.network(torch.nn.functional.one_hot(x.long(), 4).movedim(-1, 1).float(), t).softmax(dim=1)
    at_s = torch.einsum("blk,lm->bmk", said, one.matrix(torch.tensor(0.0), s))
    expected = one.matrix(s, t).T[x.long()].movedim(-1, 1) * at_s
    back = one.step_back(x, model.denoiser()(x, t).exp(), s, t)
    torch.testing.assert_close(back, expected / expected.sum(dim=1, keepdim=True))


@pytest.mark.parametrize(("process", "network"), [("uniform", "unet"), ("absorbing", "transformer")])
def test_d3pm_learns_the_motifs_too(process, network):
    other = learned(80, process=process, network=network, timesteps=20, auxiliary=1.0)
    chance = 0.25**6
    for box in MOTIFS:
        assert share(other.sample(100, {"box": box}, generator=generator(), n_steps=30), box) > 0.4 > chance


@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_a_template_keeps_its_letters_and_frees_the_others(process):
    fresh = untrained(process=process)
    found = fresh.sample(300, template="NNTATAAANR", generator=generator())
    assert all(text[2:8] == "TATAAA" and text[9] in "AG" for text in decode(found))
    for place in (0, 1, 8):
        assert len(found[:, place].unique()) == 4
    rows = fresh.sample(2, template=["ACNN", "NNGT"], generator=generator())
    assert [rows[0, :2].tolist(), rows[1, 2:].tolist()] == [[0, 1], [2, 3]]


def test_a_template_tells_the_model_which_motif_to_finish(model):
    found = model.sample(100, template="NNTATNNNNN", generator=generator())
    assert share(found, "tata") > 0.9


@pytest.mark.parametrize("length", [1, 7, 61])
def test_sequences_of_any_length_can_be_learned_and_made(length):
    fresh = untrained()
    batch = {"codes": torch.zeros(3, length, dtype=torch.uint8), "box": torch.tensor([0, 1, 0])}
    assert fresh.loss(batch).total.isfinite()
    assert fresh.sample(2, {"box": "gc"}, length=length, n_steps=2).shape == (2, length)


def test_a_temperature_near_0_or_a_narrow_nucleus_always_writes_the_likeliest(model):
    for options in ({"temperature": 1e-3}, {"top_p": 1e-6}):
        found = model.sample(20, {"box": "gc"}, generator=generator(), order="random", **options)
        assert share(found, "gc") == 1


def test_proteins_are_written_in_their_own_alphabet():
    fresh = untrained(alphabet="PROTEIN", conditions={})
    found = fresh.sample(20, generator=generator(), template="MKNXXXXX")
    assert all(text.startswith("MKN") for text in decode(found, alphabet=fresh.alphabet))
    assert found[:, 3:].max() > 3


def test_the_same_generator_gives_the_same_sequences_and_nothing_else_changes(model):
    random_state = torch.get_rng_state()
    model.train()
    one, two = (model.sample(7, {"box": "gc"}, generator=generator(3)) for _ in range(2))
    model.bound(draw(0, 8), generator=generator())
    assert model.training
    model.eval()
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(one, two)


def test_is_trained_by_fit_like_every_model(model):
    fresh = untrained(process="uniform", timesteps=10)
    rows = TensorRows(**draw(0, 64))
    before = [weight.clone() for weight in fresh.parameters()]
    history = fit(fresh, rows, rows, TrainConfig(max_epochs=2, device="cpu"), show_progress=False)
    assert {"bound", "auxiliary", "valid_bound"} <= set(history.records[-1])
    assert any(not torch.equal(one, two) for one, two in zip(before, fresh.parameters(), strict=True))


def test_a_saved_model_writes_the_same_sequences(model, tmp_path):
    loaded = DiscreteDiffusion.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    one, two = (m.sample(5, {"box": "gc"}, generator=generator(1)) for m in (model, loaded))
    assert torch.equal(one, two)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "asked for 0 samples: ask for at least 1"),
        ({"n": 0, "condition": {"box": "gc"}}, "asked for 0 samples: ask for at least 1"),
        ({"guidance_scale": 2.0}, "guidance_scale is 2.0 but there is no condition"),
        ({"condition": {"box": "tatta"}}, "'tatta' is not a known box: did you mean 'tata'"),
        ({"condition": {"boxes": "gc"}}, "no condition 'boxes': did you mean 'box'"),
        ({"condition": {"box": ["gc"] * 2}}, "has 2 values for 3 samples"),
        ({"n_steps": 0}, "asked for 0 sampling steps"),
        ({"n_steps": 0, "order": "random"}, "asked for 0 sampling steps"),
        ({"order": "left"}, "order is 'left': choose time, random or confidence"),
        ({"temperature": 0}, "temperature is 0: it must be positive"),
        ({"top_p": 0}, "top_p is 0: it must be in"),
        ({"length": 0}, "sequences of length 0: ask for at least 1"),
        ({"length": 5, "template": "ACGT"}, "the template is 4 long but length is 5"),
        ({"template": ["ACGT"] * 2}, "the template has 2 rows for 3 samples: give one, or 3"),
        ({"template": "AC!T"}, r"'!' at position 2 of sequence 0 .* is no letter of DNA"),
        ({"template": torch.tensor([0, 99])}, "the template holds code 99: codes end at 14"),
    ],
)
def test_what_cannot_be_sampled_is_refused(model, options, message):
    with pytest.raises(InputError, match=message):
        model.sample(**{"n": 3, **options})


def test_uniform_noise_has_no_masks_to_fill_in():
    with pytest.raises(InputError, match="order is 'random', but uniform noise masks no letters"):
        untrained(process="uniform").sample(2, order="random")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"codes": encode(["ACGT", "ACNT"])},
            r"code 4 \('N'\) at position 2 of row 1 .* none of the letters ACGT",
        ),
        ({"codes": encode(["ACGT", "ACGT"]).long()}, "'codes' is torch.int64 of shape .* expected uint8"),
        ({"codes": torch.full((2, 4), 200, dtype=torch.uint8)}, "code 200 at position 0 of row 0"),
        ({"box": torch.tensor([0, 2])}, "row 1 has the box 2: expected 0 to 1, for tata, gc"),
        ({"box": torch.tensor([0])}, "box is torch.int64 of shape .* for 2 sequences"),
        ({"codes": None}, r"the batch holds \['box'\] but no 'codes'"),
        ({"box": None}, r"the batch holds \['codes'\] but no 'box'"),
    ],
)
def test_batches_that_cannot_be_right_are_refused(change, message):
    batch = {"codes": encode(["ACGT", "ACGT"]), "box": torch.tensor([0, 1]), **change}
    batch = {name: values for name, values in batch.items() if values is not None}
    with pytest.raises(InputError, match=message):
        untrained().loss(batch)


def test_an_unconditional_model_that_was_never_trained_is_not_used():
    never = untrained(drop_condition=0)
    assert never.sample(2, {"box": "gc"}).shape == (2, LENGTH)
    for use in (
        lambda: never.sample(2),
        lambda: never.sample(2, {"box": "gc"}, guidance_scale=2.0),
        lambda: never.bound({"codes": encode(["ACGT"])}),
    ):
        with pytest.raises(InputError, match="unconditional model was never trained, as drop_condition is 0"):
            use()
    with pytest.raises(InputError, match="n_draws is 0: it must be at least 1"):
        never.bound(draw(0), n_draws=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"process": "mask"}, "process is 'mask': choose one of masked, absorbing, uniform"),
        ({"network": "cnn"}, "network is 'cnn': choose one of unet, transformer"),
        ({"alphabet": "DNS"}, "alphabet 'DNS' is not known: did you mean 'DNA'"),
        ({"drop_condition": 1.0}, r"drop_condition is 1.0: it must be in \[0, 1\)"),
        ({"auxiliary": -1.0}, "auxiliary is -1.0: the weight must not be negative"),
        ({"timesteps": 0}, "timesteps is 0: it must be at least 1"),
        ({"length": 0}, "length is 0: it must be at least 1"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        DiscreteDiffusionConfig(**{"length": 10, **settings})

"""DNA as analog bits: letters survive the way to bits and back, and a trained model writes what is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genailab.data.sequences.alphabet import ALPHABETS, DNA, PROTEIN
from genailab.data.sequences.encoding import decode, encode
from genailab.errors import InputError
from genailab.generative.diffusion.analog_bits import AnalogBitsDiffusion, AnalogBitsDiffusionConfig
from genailab.generative.diffusion.bits import from_bits, letter_bits, n_bits, to_bits

MOTIFS = {"TATA": "TATAAA", "E-box": "CACGTG"}
LENGTH = 11
CONFIG = AnalogBitsDiffusionConfig(
    length=LENGTH, conditions={"motif": tuple(MOTIFS)}, width=24, depth=1, drop_condition=0.2
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(seed: int, n: int = 64) -> dict[str, Tensor]:
    """Random DNA with the motif of its class at one of two places."""
    source = generator(seed)
    codes = torch.randint(0, 4, (n, LENGTH), generator=source).to(torch.uint8)
    motif = torch.randint(0, 2, (n,), generator=source)
    place = 1 + 3 * torch.randint(0, 2, (n, 1), generator=source)
    codes[torch.arange(n)[:, None], place + torch.arange(6)] = encode(list(MOTIFS.values()))[motif]
    return {"codes": codes, "motif": motif}


def learned(
    config: AnalogBitsDiffusionConfig, batches: list[dict[str, Tensor]], rate: float = 6e-3
) -> AnalogBitsDiffusion:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AnalogBitsDiffusion(config)
        optimiser = torch.optim.Adam(model.parameters(), lr=rate)
        for batch in batches:
            optimiser.zero_grad()
            model.loss(batch).total.backward()
            optimiser.step()
    return model.eval()


@pytest.fixture(scope="module")
def model() -> AnalogBitsDiffusion:
    return learned(CONFIG, [draw(seed) for seed in range(160)])


def share_with(sequences: Tensor, motif: str) -> float:
    return sum(MOTIFS[motif] in text for text in decode(sequences)) / len(sequences)


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_bits_give_the_letters_back_at_any_scale(alphabet, data):
    length = data.draw(st.integers(1, 30))
    seed, scale = data.draw(st.integers(0, 99)), data.draw(st.floats(0.01, 100))
    codes = torch.randint(0, alphabet.size, (3, length), generator=generator(seed)).to(torch.uint8)
    bits = to_bits(codes, alphabet=alphabet)
    assert bits.shape == (3, n_bits(alphabet), length)
    assert (bits.abs() == 1).all()
    assert torch.equal(from_bits(scale * bits, alphabet=alphabet), codes)


def test_the_complement_is_the_opposite_corner():
    codes = encode(["GATTACA", "CCGTNAA".replace("N", "G")])
    complement = torch.from_numpy(DNA.complement_table)[codes.long()]
    assert torch.equal(to_bits(complement), -to_bits(codes))


def test_noise_below_one_changes_no_nucleotide():
    codes = torch.randint(0, 4, (5, 40), generator=generator()).to(torch.uint8)
    noise = torch.rand(5, 2, 40, generator=generator(1)) * 1.98 - 0.99
    assert torch.equal(from_bits(to_bits(codes) + noise), codes)


def test_a_corner_that_is_no_amino_acid_becomes_the_nearest_one():
    bits = torch.randn(1, 5, 4000, generator=generator())
    letters = letter_bits(PROTEIN)  # (20, 5)
    distance = torch.cdist(bits[0].T, letters)  # (4000, 20)
    assert torch.equal(from_bits(bits, alphabet=PROTEIN)[0].long(), distance.argmin(dim=1))
    corners = bits.sign()[0].T
    is_letter = (corners[:, None] == letters).all(dim=2).any(dim=1)
    assert 0.5 < is_letter.float().mean() < 0.75  # 20 of 32: the rest had to go somewhere
    assert torch.equal(letters[from_bits(bits, alphabet=PROTEIN)[0].long()][is_letter], corners[is_letter])


def test_an_untrained_network_loses_the_variance_of_its_target():
    # It predicts 0; a bit squared is 1, whatever the letter.
    assert AnalogBitsDiffusion(CONFIG).loss(draw(0)).total.item() == pytest.approx(1, abs=1e-6)
    v = AnalogBitsDiffusion(replace(CONFIG, prediction="v")).loss(draw(0, n=4000)).total.item()
    assert v == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("guidance_scale", [1.0, 2.0])
def test_writes_the_motif_that_is_asked_for(model, guidance_scale):
    for motif, other in (("TATA", "E-box"), ("E-box", "TATA")):
        found = model.sample(
            100, {"motif": motif}, generator=generator(), n_steps=20, guidance_scale=guidance_scale
        )
        assert found.shape == (100, LENGTH)
        assert found.dtype == torch.uint8
        assert found.max() < 4
        assert share_with(found, motif) > 0.6  # in random DNA one of 700
        assert share_with(found, other) < 0.1
        assert len(set(decode(found))) > 50  # the letters around the motif stay free


def test_without_a_condition_writes_both_motifs_and_with_one_for_each_keeps_their_order(model):
    free = model.sample(200, generator=generator(), n_steps=20)
    assert min(share_with(free, motif) for motif in MOTIFS) > 0.15
    wanted = ["TATA", "E-box", "E-box"] * 30
    found = model.sample(90, {"motif": wanted}, generator=generator(), n_steps=20)
    for motif in MOTIFS:
        rows = torch.tensor([other == motif for other in wanted])
        assert share_with(found[rows], motif) > 0.6
        assert share_with(found[~rows], motif) < 0.1


@pytest.mark.parametrize(
    "options",
    [
        {"schedule": "cond_ot", "prediction": "velocity"},
        {"schedule": "edm", "prediction": "edm"},
        {"schedule": "cosine", "prediction": "eps"},
        {"schedule": "linear", "prediction": "v", "network": "transformer", "width": 16, "n_heads": 2},
        {"self_conditioning": False},
        {"alphabet": "PROTEIN", "prediction": "v"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_every_setting_learns_a_single_sequence_by_heart(options):
    text = "MKVLWAAGY" if options.get("alphabet") == "PROTEIN" else "GATTACAGC"
    config = AnalogBitsDiffusionConfig(**{"length": 9, "width": 16, "depth": 1, **options})
    codes = encode([text] * 32, alphabet=ALPHABETS[config.alphabet])
    found = learned(config, [{"codes": codes}] * 60, 1e-2).sample(20, generator=generator(), n_steps=20)
    assert (found == codes[:20]).float().mean() > 0.9


def test_an_estimate_depends_on_the_one_before_only_where_the_model_is_self_conditioned(model):
    x, t = torch.randn(4, 2, LENGTH, generator=generator()), torch.tensor(0.6)
    zeros, other = torch.zeros_like(x), torch.ones_like(x)
    assert not torch.equal(model.estimate(x, t, zeros), model.estimate(x, t, other))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        forgetful = AnalogBitsDiffusion(replace(CONFIG, self_conditioning=False, prediction="eps"))
    assert torch.equal(forgetful.estimate(x, t, zeros), forgetful.estimate(x, t, other))
    assert forgetful.estimate(9 * x, t, zeros).abs().max() == 1  # an estimate of bits is kept within them


def test_the_same_generator_gives_the_same_sequences_and_nothing_else_changes(model):
    random_state = torch.get_rng_state()
    model.train()
    one, two = (model.sample(5, {"motif": "TATA"}, generator=generator(3), sampler="ddpm") for _ in range(2))
    assert model.training
    model.eval()
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(one, two)
    assert not torch.equal(one, model.sample(5, {"motif": "TATA"}, generator=generator(4), sampler="ddpm"))


def test_a_saved_model_gives_the_same_sequences(model, tmp_path):
    loaded = AnalogBitsDiffusion.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    one, two = (m.sample(5, {"motif": "TATA"}, generator=generator(1)) for m in (model, loaded))
    assert torch.equal(one, two)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "asked for 0 samples"),
        ({"n": -1, "condition": {"motif": "TATA"}}, "asked for -1 samples"),
        ({"condition": {"motif": "TAT"}}, "'TAT' is not a known motif: did you mean 'TATA'"),
        ({"condition": {"motifs": "TATA"}}, "no condition 'motifs': did you mean 'motif'"),
        ({"condition": {"motif": ["TATA"] * 3}}, "'motif' has 3 values for 2 samples"),
        ({"guidance_scale": 2.0}, "guidance_scale is 2.0 but there is no condition"),
        ({"sampler": "ddmp"}, "no sampler 'ddmp': did you mean"),
        ({"n_steps": 0}, "asked for 0 sampling steps"),
    ],
)
def test_what_cannot_be_sampled_is_refused(model, options, message):
    with pytest.raises(InputError, match=message):
        model.sample(**{"n": 2, **options})


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"codes": encode(["GATTACAGATT", "GATNACAGATT"])}, r"code 4 \('N'\) at position 3 of row 1"),
        ({"codes": torch.full((2, LENGTH), 99).to(torch.uint8)}, "code 99 at position 0 of row 0"),
        ({"codes": encode(["GATTACA"])}, f"are 7 long, but this model's are {LENGTH}"),
        ({"codes": encode(["GATTACAGATT"]).long()}, "'codes' is torch.int64 of shape"),
        ({"sequence": encode(["GATTACAGATT"])}, r"the batch holds \['sequence'\] but no 'codes'"),
        (
            {"codes": encode(["GATTACAGATT"]), "motif": torch.tensor([2])},
            "row 0 has the motif 2: expected 0 to 1",
        ),
        ({"codes": encode(["GATTACAGATT"])}, "no 'motif': give its codes"),
    ],
)
def test_batches_that_cannot_be_right_are_refused(batch, message):
    with pytest.raises(InputError, match=message):
        AnalogBitsDiffusion(CONFIG).loss(batch)


def test_what_was_never_trained_is_not_sampled():
    model = AnalogBitsDiffusion(replace(CONFIG, drop_condition=0.0))
    for condition, scale in ((None, 1.0), ({"motif": "TATA"}, 2.0)):
        with pytest.raises(InputError, match="never trained, as drop_condition is 0"):
            model.sample(2, condition, guidance_scale=scale)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "length is 0: it must be at least 1"),
        ({"alphabet": "DNAs"}, "alphabet 'DNAs' is not known: did you mean 'DNA'"),
        ({"network": "unet1d"}, "network is 'unet1d': choose one of unet, transformer"),
        ({"prediction": "x"}, "prediction is 'x': choose one of eps, x0"),
        ({"schedule": "learned"}, "schedule is 'learned'"),
        ({"schedule": "cosin"}, "no noise schedule 'cosin': did you mean 'cosine'"),
        ({"drop_condition": 1.0}, "drop_condition is 1.0"),
        ({"network": "transformer", "width": 10}, "width is 10 for 4 heads"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        AnalogBitsDiffusion(replace(CONFIG, **options))


def test_bits_and_codes_of_another_alphabet_are_refused():
    with pytest.raises(InputError, match="code 4 is no single letter of DNA, whose codes are 0 to 3"):
        to_bits(encode(["GATN"]))
    with pytest.raises(InputError, match=r"bits of DNA are \(batch, 2, length\), got \(1, 5, 3\)"):
        from_bits(torch.zeros(1, 5, 3))

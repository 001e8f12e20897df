"""Laws of SpliceAI: window sizes, blocks that change nothing, and the trained weights where they are.

The weights are no part of this project: tests that need them are skipped unless the ``spliceai`` package is
installed or ``GENAILAB_SPLICEAI`` names the folder of its .h5 files.
"""

import gzip
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn

from genailab.data.sequences.encoding import encode, one_hot
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.errors import InputError
from genailab.models import SpliceAI, SpliceAIConfig, load_spliceai, splice_probabilities
from genailab.models.spliceai import FOLDER

SMALL = SpliceAIConfig(kernels=(3, 5), dilations=(1, 2), n_blocks=2, n_channels=6)
ROOT = Path(__file__).parents[2]


def random_codes(n: int, length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def small() -> SpliceAI:
    torch.manual_seed(0)
    return SpliceAI(SMALL)


# --- the architecture ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_groups", "context"), [(1, 80), (2, 400), (3, 2000), (4, 10_000)], ids=["80nt", "400nt", "2k", "10k"]
)
def test_the_windows_are_those_of_the_papers_four_models(n_groups, context):
    full = SpliceAIConfig()
    config = SpliceAIConfig(kernels=full.kernels[:n_groups], dilations=full.dilations[:n_groups])
    assert config.context == context


def test_a_prediction_depends_on_its_context_and_on_nothing_beyond():
    model = small().double().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):  # no rectification in the way: every reach has a gradient
            module.bias.data.fill_(100.0)
    half = SMALL.context // 2
    x = one_hot(random_codes(1, SMALL.context + 41), dtype=torch.float64).requires_grad_()
    model(x)[0, :, 20].sum().backward()
    seen = x.grad[0].abs().sum(dim=0).nonzero().squeeze(1)
    assert (seen.min().item(), seen.max().item()) == (20, 20 + 2 * half)


def test_no_prediction_sees_the_zeros_that_convolutions_add():
    # A longer stretch of the same chromosome gives the same predictions: padding never leaks in.
    model = small().double().eval()
    codes = random_codes(1, 200)
    whole = model(one_hot(codes, dtype=torch.float64))
    part = model(one_hot(codes[:, 50:150], dtype=torch.float64))
    torch.testing.assert_close(part, whole[:, :, 50 : 150 - SMALL.context], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_probabilities_along_a_sequence_do_not_depend_on_the_block(block):
    models, codes = (small(), small()), random_codes(2, 130)
    for weight in models[1].parameters():
        weight.data.mul_(1.5)
    whole = splice_probabilities(models, codes)
    assert whole.shape == (2, 3, 130)
    torch.testing.assert_close(whole.sum(dim=1), torch.ones(2, 130))
    torch.testing.assert_close(splice_probabilities(models, codes, block=block), whole)
    torch.testing.assert_close(
        whole, (splice_probabilities(models[:1], codes) + splice_probabilities(models[1:], codes)) / 2
    )
    assert all(model.training for model in models)  # as they were


def test_beyond_the_ends_there_is_n():
    codes = random_codes(1, 30)
    framed = torch.full((1, 70), 4, dtype=torch.uint8)
    framed[0, 20:50] = codes[0]
    torch.testing.assert_close(
        splice_probabilities([small()], framed)[:, :, 20:50], splice_probabilities([small()], codes)
    )


def test_it_learns_by_heart_with_every_parameter_and_is_saved(tmp_path):
    model = small()
    label = torch.randint(0, 3, (4, 30), generator=torch.Generator().manual_seed(1))
    label[:, :5] = -100
    batch = {"codes": random_codes(4, 30 + SMALL.context), "label": label}
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    before = model.loss(batch).total
    before.backward()
    idle = [name for name, w in model.named_parameters() if w.grad is None or not w.grad.any()]
    assert all(name.endswith("bias") for name in idle)
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    assert model.loss(batch).total.item() < 0.5 * before.item()
    again = SpliceAI.from_pretrained(model.save_pretrained(tmp_path))
    assert again.config == model.config
    x = one_hot(batch["codes"])
    assert torch.equal(again(x), model.eval()(x))


def test_what_cannot_be_is_refused():
    with pytest.raises(
        InputError, match=r"are 5000 long, but this model needs 5000 bases on both sides .* 10001"
    ):
        SpliceAI()(torch.zeros(1, 4, 5000))
    with pytest.raises(InputError, match="2 kernels and 1 dilations"):
        SpliceAIConfig(kernels=(3, 5), dilations=(1,))
    with pytest.raises(InputError, match=r"kernels is \(4,\): give odd lengths"):
        SpliceAIConfig(kernels=(4,), dilations=(1,))
    with pytest.raises(InputError, match=r"0 models with contexts \[\]"):
        splice_probabilities([], random_codes(1, 10))
    with pytest.raises(InputError, match="expected uint8"):
        splice_probabilities([small()], torch.zeros(1, 10))
    with pytest.raises(InputError, match="block is 0"):
        splice_probabilities([small()], random_codes(1, 10), block=0)


# --- Keras weights ---------------------------------------------------------------------------------------


def test_where_there_are_no_weights_the_remedy_is_named(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"holds no spliceai1\.h5 to spliceai5\.h5: install"):
        load_spliceai(tmp_path)
    monkeypatch.setenv(FOLDER, str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match="elsewhere holds no spliceai1"):
        load_spliceai()
    monkeypatch.delenv(FOLDER)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        InputError, match="the package spliceai is not installed: pip install --no-deps spliceai"
    ):
        load_spliceai()


def write_keras(path: Path, *, n_channels: int = 32, without: str = "") -> dict[str, torch.Tensor]:
    """Write random numbers in the layout of the package's files, and return them by name."""
    h5py = pytest.importorskip("h5py")
    generator = torch.Generator().manual_seed(5)
    kernels = {1: 1, 2: 1, 11: 1, 20: 1, 29: 1, 38: 1, 39: 1}
    kernels |= dict.fromkeys([*range(3, 11), *range(12, 20)], 11)
    kernels |= dict.fromkeys(range(21, 29), 21) | dict.fromkeys(range(30, 38), 41)
    shapes = {}
    for number, kernel in kernels.items():
        n_in, n_out = 4 if number == 1 else n_channels, 3 if number == 39 else n_channels
        shapes[f"conv1d_{number}"] = {"kernel:0": (kernel, n_in, n_out), "bias:0": (n_out,)}
    for number in range(1, 33):
        names = ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0")
        shapes[f"batch_normalization_{number}"] = dict.fromkeys(names, (n_channels,))
    values = {}
    with h5py.File(path, "w") as file:
        for layer, parts in shapes.items():
            for name, shape in parts.items():
                values[f"{layer}/{name}"] = torch.rand(shape, generator=generator)
                if layer != without:
                    file[f"model_weights/{layer}/{layer}/{name}"] = values[f"{layer}/{name}"].numpy()
    return values


def test_each_number_of_a_keras_file_ends_up_in_its_place_once(tmp_path):
    values = write_keras(tmp_path / "spliceai1.h5")
    (model,) = load_spliceai(tmp_path)
    ours = {name: tensor for name, tensor in model.state_dict().items() if "tracked" not in name}
    assert len(ours) == len(values)
    assert sum(map(torch.Tensor.sum, ours.values())).item() == pytest.approx(
        sum(map(torch.Tensor.sum, values.values())).item(), rel=1e-4
    )
    # Keras: y[t, o] = sum over k, i of x[t + k, i] * kernel[k, i, o].
    block = model.groups[3][1]  # the last group's second block: convolutions 32 and 33
    assert torch.equal(block.conv1.weight[3, 2, 40], values["conv1d_32/kernel:0"][40, 2, 3])
    assert torch.equal(block.norm2.running_var, values["batch_normalization_28/moving_variance:0"])
    assert torch.equal(model.skips[2].weight[:, :, 0].T, values["conv1d_29/kernel:0"][0])
    assert torch.equal(model.stem_skip.bias, values["conv1d_2/bias:0"])
    assert not model.training
    assert {norm.eps for norm in model.modules() if isinstance(norm, nn.BatchNorm1d)} == {1e-3}


def test_files_that_are_not_spliceai_are_refused_by_name(tmp_path):
    path = tmp_path / "spliceai1.h5"
    path.write_bytes(b"not a file of HDF5")
    with pytest.raises(InputError, match=r"spliceai1\.h5 does not hold the weights of SpliceAI-10k"):
        load_spliceai(tmp_path)
    write_keras(path, n_channels=16)
    with pytest.raises(InputError, match=r"SpliceAI-10k: .*size mismatch"):
        load_spliceai(tmp_path)
    write_keras(path, without="conv1d_20")
    with pytest.raises(InputError, match=r"SpliceAI-10k: .*conv1d_20"):
        load_spliceai(tmp_path)


# --- the trained weights on a real gene ------------------------------------------------------------------


@cache
def trained() -> tuple[SpliceAI, ...]:
    pytest.importorskip("h5py")
    try:
        return load_spliceai()[:2]
    except InputError as error:
        pytest.skip(str(error))


def chromosome_9(kind: str) -> str:
    path = next((p for p in (ROOT, ROOT.parent) if (p / "shared" / "data").is_dir()), None)
    if path is None:
        pytest.skip("the folder shared/data is absent")
    with gzip.open(path / "shared" / "data" / f"chr9_1_1000000.{kind}.gz", "rt") as file:
        return file.read()


def splice_sites(gtf: str, transcript: str) -> tuple[list[int], list[int]]:
    """Last bases of exons before an intron, first bases of exons after one; 0-based, + strand."""
    exons = sorted(
        (int(fields[3]) - 1, int(fields[4]))
        for fields in (line.split("\t") for line in gtf.splitlines() if f'"{transcript}"' in line)
        if fields[2] == "exon"
    )
    return [end - 1 for _, end in exons[:-1]], [start for start, _ in exons[1:]]


@pytest.mark.shared_data
def test_annotated_splice_sites_of_dock8_stand_out_from_the_background():
    models = trained()
    sequence = "".join(chromosome_9("fa").splitlines()[1:])
    gtf = chromosome_9("gtf")
    start, end, half = 420_000, 426_000, 5000
    codes = encode(sequence[start - half : end + half])[None]
    # 16,000 bases are read for 6,000 predictions: each sees 5,000 on both sides.
    probabilities = splice_probabilities(models, codes, block=len(codes[0]))[0, :, half:-half]  # (3, 6000)
    donors, acceptors = splice_sites(gtf, "ENST00000432829")
    donors = [site - start for site in donors if start <= site < end]
    acceptors = [site - start for site in acceptors if start <= site < end]
    assert min(len(donors), len(acceptors)) >= 2
    assert probabilities[2, donors].min() > 0.5
    assert probabilities[1, acceptors].min() > 0.5
    transcripts = set(re.findall(r'transcript_id "(\w+)"', gtf))
    annotated = {site - start for name in transcripts for sites in splice_sites(gtf, name) for site in sites}
    background = [site for site in range(end - start) if site not in annotated]
    assert probabilities[1:, background].median() < 1e-5
    assert (probabilities[1:, background] > 0.5).float().mean() < 1e-3
    # Read on the wrong strand, the gene has no such sites.
    wrong = splice_probabilities(models[:1], reverse_complement(codes), block=len(codes[0]))[
        0, :, half:-half
    ].flip(1)
    assert wrong[2, donors].max() < 0.1
    assert wrong[1, acceptors].max() < 0.1

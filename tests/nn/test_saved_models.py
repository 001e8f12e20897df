"""What is saved comes back the same, and what is not ours or not whole is refused in a sentence."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import genailab
from genailab.errors import InputError
from genailab.nn import Model


@dataclass(frozen=True, kw_only=True)
class LineConfig:
    genes: tuple[str, ...]
    width: int = 3


class Line(Model):
    config_class = LineConfig

    def __init__(self, config: LineConfig) -> None:
        super().__init__()
        self.config = config
        self.layer = torch.nn.Linear(len(config.genes), config.width)


class Curve(Line):
    pass


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return Line(LineConfig(genes=("MS4A1", "CD3D"))).save_pretrained(tmp_path / "model")


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_weights_and_configuration_come_back_in_evaluation_mode(tmp_path):
    model = Line(LineConfig(genes=("b", "a", "c"), width=2))
    loaded = Line.from_pretrained(model.save_pretrained(tmp_path / "deep" / "model"))
    assert loaded.config == model.config
    assert loaded.config.genes == ("b", "a", "c")  # their order is what the columns mean
    assert not loaded.training
    assert all(torch.equal(loaded.state_dict()[key], value) for key, value in model.state_dict().items())


def test_a_folder_holds_two_files_and_no_pickle(saved):
    assert sorted(path.name for path in saved.iterdir()) == ["config.json", "model.safetensors"]
    description = json.loads((saved / "config.json").read_text())
    assert description["model"] == "Line"
    assert description["genailab_version"] == genailab.__version__


def test_saving_that_fails_leaves_the_model_of_before(saved, monkeypatch):
    before = {path.name: path.read_bytes() for path in saved.iterdir()}

    def fill_the_disk(weights: object, path: Path) -> None:
        Path(path).write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("genailab.nn.model.save_file", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        Line(LineConfig(genes=("x",))).save_pretrained(saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_another_model_is_refused_and_named(saved):
    with pytest.raises(InputError, match=r"holds a Line, not a Curve: load it with Line\.from_pretrained"):
        Curve.from_pretrained(saved)


def test_a_newer_version_is_refused_and_a_later_patch_is_not(saved):
    major, minor = genailab.__version__.split(".")[:2]
    change_config(saved, genailab_version=f"{major}.{int(minor) + 1}.0")
    with pytest.raises(InputError, match=r"newer than this .* upgrade genailab"):
        Line.from_pretrained(saved)
    change_config(saved, genailab_version=f"{major}.{minor}.99")
    assert Line.from_pretrained(saved).config.width == 3


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(InputError, match=f"holds no {name}: give a folder that save_pretrained wrote"):
        Line.from_pretrained(saved)


def test_a_pickle_is_not_opened(saved):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was opened",))

    (saved / "model.safetensors").unlink()
    (saved / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match=r"'pytorch_model\.bin' is a pickle, which could run code"):
        Line.from_pretrained(saved)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"model": "Line"}',
        b"\xff\xfe\x00",
        b'{"model": "Line", "genailab_version": "x"}',
    ],
)
def test_a_damaged_configuration_is_refused(saved, content):
    (saved / "config.json").write_bytes(content)
    with pytest.raises(InputError, match=r"config\.json is not a configuration that save_pretrained wrote"):
        Line.from_pretrained(saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"genailab_version": "not a version"}, "is not a configuration that save_pretrained wrote"),
        ({"genailab_version": 3}, "is not a configuration that save_pretrained wrote"),
        ({"config": None}, "is not a configuration that save_pretrained wrote"),
        ({"config": {"genes": ["a", "b"], "widht": 3}}, r"config\.json .*'widht': did you mean 'width'"),
        ({"config": {"width": 3}}, r"config\.json does not describe a Line: .*'genes'"),
        ({"config": {"genes": ["a", "b"], "width": "wide"}}, "'width' cannot be 'wide'"),
    ],
)
def test_a_configuration_that_cannot_be_right_is_refused(saved, changes, message):
    change_config(saved, **changes)
    with pytest.raises(InputError, match=message):
        Line.from_pretrained(saved)


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\x80\x04K\x01."])
def test_damaged_weights_are_refused(saved, content):
    (saved / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors does not fit"):
        Line.from_pretrained(saved)


def test_truncated_weights_are_refused(saved):
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match=r"model\.safetensors does not fit"):
        Line.from_pretrained(saved)


def test_weights_of_another_shape_or_name_are_refused(saved):
    change_config(saved, config={"genes": ["a", "b", "c"], "width": 3})
    with pytest.raises(InputError, match=r"does not fit .* size mismatch"):
        Line.from_pretrained(saved)
    weights = load_file(saved / "model.safetensors")
    save_file({"layer.weight": weights["layer.weight"]}, saved / "model.safetensors")
    with pytest.raises(InputError, match=r"Missing key.*layer\.bias"):
        Line.from_pretrained(saved)

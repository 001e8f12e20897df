"""Configurations survive the way to YAML and back, and every mistake is one sentence."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.configuration import build, differences, read_yaml, to_yaml, with_settings
from genailab.errors import InputError
from genailab.pipelines.single_cell_config import SingleCellConfig
from genailab.training import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Inner:
    width: int = 8
    rate: float = 0.1
    names: tuple[str, ...] = ()
    limit: int | None = None
    fast: bool = False

    def __post_init__(self):
        if self.width < 1:
            raise InputError(f"width is {self.width}: it must be at least 1")


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    title: str | None = None


inners = st.builds(
    Inner,
    width=st.integers(1, 10**9),
    rate=st.floats(allow_nan=False),
    names=st.lists(st.text(), max_size=3).map(tuple),
    limit=st.none() | st.integers(),
    fast=st.booleans(),
)


@given(config=st.builds(Outer, inner=inners, title=st.none() | st.text()))
@settings(max_examples=100, deadline=None)
def test_yaml_and_back_is_the_same(config, tmp_path_factory):
    file = tmp_path_factory.mktemp("yaml") / "config.yaml"
    file.write_text(to_yaml(config), encoding="utf-8")
    assert build(Outer, read_yaml(file)) == config
    assert differences(config, build(Outer, read_yaml(file))) == []


def test_the_pipeline_comes_back_as_it_was(tmp_path):
    config = with_settings(
        SingleCellConfig(), ["vae.n_latent=7", "data.batch_keys=[donor]", "data.min_cells=12"]
    )
    (tmp_path / "config.yaml").write_text(to_yaml(config))
    assert build(SingleCellConfig, read_yaml(tmp_path / "config.yaml")) == config


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("inner.width=20", "width", 20),
        ("inner.rate=1e-3", "rate", 1e-3),  # a string to YAML 1.1
        ("inner.rate=2", "rate", 2.0),
        ("inner.names=[a, b]", "names", ("a", "b")),
        ("inner.limit=null", "limit", None),
        ("inner.fast=true", "fast", True),
    ],
)
def test_settings_take_the_type_of_their_field(setting, name, value):
    found = getattr(with_settings(Outer(), [setting]).inner, name)
    assert found == value
    assert type(found) is type(value)


def test_the_last_setting_of_a_name_counts_and_the_given_configuration_stays():
    before = Outer()
    assert with_settings(before, ["title=a", "title=b=c"]).title == "b=c"
    assert before == Outer()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("inner.width", "cannot read the setting 'inner.width': write it as name=value"),
        ("=3", "cannot read the setting '=3'"),
        ("iner.width=3", r"there is no setting 'iner.width': did you mean 'inner\.width'"),
        ("inner.widht=3", r"there is no setting 'inner.widht': did you mean 'inner\.width'"),
        ("widht=3", r"there is no setting 'widht': did you mean 'inner\.width'"),
        ("inner.q=3", r"there is no setting 'inner\.q': known: 'inner\.width', 'inner\.rate'"),
        ("q=3", r"there is no setting 'q': known: 'inner', 'title', 'inner\.width'"),
        ("titel=3", "there is no setting 'titel': did you mean 'title'"),
        ("inner=3", r"'inner' is a group of settings: set one of them, for example inner\.width"),
        ("inner.width=wide", r"the setting 'inner\.width' cannot be 'wide': input should be a valid integer"),
        ("inner.width=0", r"in the settings of 'inner', width is 0: it must be at least 1"),
        ("inner.names=a", r"the setting 'inner\.names' cannot be 'a': write a list, such as \[a, b\]"),
        ("inner.names=[a", r"cannot read the value of 'inner\.names': '\[a' is not valid YAML"),
        ("title.x=1", r"there is no setting 'title\.x'"),
    ],
)
def test_a_setting_that_cannot_be_right(setting, message):
    with pytest.raises(InputError, match=message) as error:
        with_settings(Outer(), [setting])
    assert "\n" not in str(error.value)


def test_a_number_for_a_name_is_told(tmp_path):
    with pytest.raises(InputError, match="there is no setting '1'"):
        build(Outer, {1: 2})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a configuration: it must hold names and values"),
        (b"- a\n- b\n", "is not a configuration"),
        (b"a: [", "is not valid YAML"),
        (b"\x89HDF\r\n\x1a\n\xff", "is not text: give a YAML file"),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path, content, message):
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_yaml(tmp_path / "config.yaml")
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the configuration .*absent\.yaml: No such file"):
        read_yaml(tmp_path / "absent.yaml")


def test_differences_name_the_setting_and_both_values():
    changed = with_settings(Outer(), ["inner.width=9", "title=x"])
    assert differences(Outer(), changed) == ["inner.width was 8, now 9", "title was None, now 'x'"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data.path=x.h5ad", "name the column of adata.obs with --label-key"),
        ("vae.n_latent=0", "n_latent is 0"),
        ("diffusion.width=0", "width is 0"),
        ("sampling.n_cells=0", r"sampling\.n_cells is 0"),
        ("sampling.sampler=euler", r"the setting 'sampling\.sampler' cannot be 'euler'"),
        ("evaluation.n_bootstrap=0", "n_bootstrap is 0"),
        ("vae_training.learning_rate=-1", r"in the settings of 'vae_training', learning_rate is -1\.0"),
        ("seed=-1", "seed is -1"),
    ],
)
def test_the_pipeline_refuses_before_it_begins(setting, message):
    with pytest.raises(InputError, match=message):
        with_settings(SingleCellConfig(), [setting])


def test_a_key_has_one_role():
    with pytest.raises(InputError, match="'donor' is both the group_key and a batch_key"):
        with_settings(SingleCellConfig(), ["data.group_key=donor", "data.batch_keys=[donor]"])
    with pytest.raises(InputError, match="'type' is both the label_key and a batch_key"):
        with_settings(SingleCellConfig(), ["data.label_key=type", "data.batch_keys=[type]"])


def test_defaults_are_valid():
    assert build(TrainConfig, {}) == TrainConfig()


def test_a_mistyped_setting_is_suggested_as_it_must_be_written():
    for wrong, right in (("vae.n_laten", "vae.n_latent"), ("n_laten", "vae.n_latent"), ("sed", "seed")):
        with pytest.raises(InputError, match=f"no setting '{wrong}': did you mean '{right}'"):
            with_settings(SingleCellConfig(), [f"{wrong}=3"])


def test_labels_need_their_cells():
    with pytest.raises(InputError, match=r"the labels in types\.csv need their cells: give .* --data FILE"):
        with_settings(SingleCellConfig(), ["data.labels=types.csv"])

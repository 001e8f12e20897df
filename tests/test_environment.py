"""Laws of the environment: what it says agrees with Python, the packages' metadata and the system."""

import json
import os
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import typer
from typer.testing import CliRunner

from genailab import environment
from genailab.cli.doctor import doctor
from genailab.environment import find_devices, inspect

DECLARED = {
    "torch>=2.0": "2.8.0",
    "numpy>=2": "2.4.0",
    "ruff>=0.12; extra == 'dev'": "0.11.0",
    "wandb>=0.19; extra == 'tracking'": None,
    "tensorboard; extra == 'tracking'": "2.18",
    "colorama; sys_platform == 'no such system'": None,
    "pywin32; sys_platform == 'no such system' and extra == 'tracking'": None,
}


@pytest.fixture
def declare(monkeypatch):
    """Pretend that genailab requires these lines and that these versions are installed."""

    def pretend(declared):
        installed = {line.split(";")[0].split(">")[0]: version for line, version in declared.items()}
        monkeypatch.setattr(environment, "_requirements", lambda: list(declared))
        monkeypatch.setattr(environment, "_extra_names", lambda: ["dev", "tracking"])
        monkeypatch.setattr(environment, "_installed_version", lambda name: installed.get(name, "1.0"))

    return pretend


def pretend_origin(monkeypatch, text):
    """Pretend that this is what pip wrote down about where genailab was installed from."""
    monkeypatch.setattr(metadata, "distribution", lambda name: SimpleNamespace(read_text=lambda file: text))


def run_doctor(*arguments):
    app = typer.Typer()
    app.command()(doctor)
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "40"})


def test_versions_are_those_of_this_python():
    found = inspect()
    assert found.python_path == sys.executable
    assert found.python_version == sys.version.split()[0]
    assert found.torch_version == metadata.version("torch")
    assert found.genailab_version == metadata.version("genailab")


def test_sizes_are_possible():
    found = inspect()
    assert 0 < found.memory_free_bytes <= found.memory_bytes
    assert found.disk_free_bytes > 0
    assert 1 <= found.cpu_threads <= os.cpu_count()


def test_looking_does_not_import_torch():
    program = "import sys; from genailab.environment import inspect; inspect(); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_devices_are_only_probed_on_request():
    assert inspect().devices is None
    devices = inspect(probe_devices=True).devices
    assert devices == find_devices()
    assert len(devices) == 1 + torch.cuda.device_count() + torch.backends.mps.is_available()


def test_every_device_name_is_one_that_torch_takes():
    assert [str(torch.device(device.name)) for device in find_devices()] == [d.name for d in find_devices()]


def test_the_core_is_complete_where_the_tests_run():
    assert inspect().missing == ()


def test_an_absent_or_old_requirement_is_named_under_its_own_extra(declare):
    declare(DECLARED)
    extras = {extra.name: extra.missing for extra in inspect().extras}
    assert inspect().missing == ()
    assert extras == {"dev": ("ruff>=0.12 (found 0.11.0)",), "tracking": ("wandb>=0.19",)}


def test_a_requirement_of_the_core_is_missing_from_the_core_alone(declare):
    declare({"torch>=2.0": "1.13", "tomli>=2; python_version > '3'": None})
    assert inspect().missing == ("torch>=2.0 (found 1.13)", "tomli>=2")
    assert all(extra.missing == () for extra in inspect().extras)


def test_a_pre_release_that_is_new_enough_counts(declare):
    declare({"torch>=2.0": "2.14.0.dev20261101"})
    assert inspect().missing == ()


def test_the_declared_extras_are_all_listed():
    declared = set(metadata.metadata("genailab").get_all("Provides-Extra"))
    assert {extra.name for extra in inspect().extras} == declared


@pytest.mark.parametrize("folder", ["/somewhere", "/a folder/with spaces"])
def test_the_install_command_survives_the_shell(folder, monkeypatch):
    origin = {"url": Path(folder).as_uri(), "dir_info": {"editable": True}}
    pretend_origin(monkeypatch, json.dumps(origin))
    words = shlex.split(environment._install_command(extra="docs"))
    assert words == [sys.executable, "-m", "pip", "install", "-e", f"{folder}[docs]"]


def test_the_install_command_keeps_to_the_locked_versions(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "_checkout", lambda: tmp_path)
    (tmp_path / "constraints.txt").touch()
    words = shlex.split(environment._install_command(extra=""))
    assert words[words.index("-c") + 1] == str(tmp_path / "constraints.txt")


def test_an_installation_that_is_not_editable_is_named_by_package(monkeypatch):
    pretend_origin(monkeypatch, None)
    assert shlex.split(environment._install_command(extra="loom"))[-1] == "genailab[loom]"


def test_doctor_says_how_to_install_what_is_missing_and_still_succeeds(declare):
    declare(DECLARED)
    answer = run_doctor()
    assert answer.exit_code == 0
    assert "not installed: wandb>=0.19" in answer.output
    assert inspect().extras[1].install in answer.output.splitlines()[-2].strip()


def test_doctor_fails_where_the_core_is_incomplete(declare):
    declare(DECLARED | {"numpy>=2": "1.26"})
    answer = run_doctor()
    assert answer.exit_code == 1
    assert "missing  packages   numpy>=2 (found 1.26)" in answer.output


def test_doctor_names_the_reason_where_torch_does_not_load(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    answer = run_doctor()
    assert answer.exit_code == 1
    assert "torch cannot be imported" in answer.output
    assert "Traceback" not in answer.output


def test_doctor_json_holds_what_inspect_finds():
    answer = json.loads(run_doctor("--json").output)
    assert answer["python_version"] == inspect().python_version
    assert answer["problem"] is None
    assert [device["name"] for device in answer["devices"]] == [device.name for device in find_devices()]

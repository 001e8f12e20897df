"""What a user sees: one sentence, the right exit code, and no traceback unless asked for."""

import json
import signal
import sys

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genailab import __version__
from genailab.cli.main import main
from genailab.configuration import build, read_yaml, to_yaml, with_settings
from genailab.errors import InputError
from genailab.pipelines import single_cell
from genailab.pipelines.run_folder import RunFolder
from genailab.pipelines.single_cell_config import SingleCellConfig
from genailab.training import Interrupted


@pytest.fixture
def call(monkeypatch, capsys):
    """Call genailab as a shell would; return exit code, stdout and stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["genailab", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def file(tmp_path):
    """Thirty unremarkable cells."""
    counts = np.random.default_rng(0).poisson(3.0, (30, 5)).astype(np.float32)
    adata = ad.AnnData(
        counts, obs=pd.DataFrame({"cell_type": ["a", "b"] * 15}, index=[f"c{n}" for n in range(30)])
    )
    adata.write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path / "cells.h5ad"


@pytest.fixture
def asked(monkeypatch):
    """Catch the call of the pipeline instead of running it."""
    calls = []

    def run(config=None, **options):
        calls.append((config, options))
        return single_cell.Result(options["out"], {"verdict": "All is well [truly].", "scores": []})

    monkeypatch.setattr(single_cell, "run", run)
    return calls


def test_version_and_help(call):
    assert call("--version") == (0, f"genailab {__version__}\n", "")
    code, out, _ = call("--help")
    assert code == 0
    assert {"demo", "run", "doctor"} <= set(out.split())


@pytest.mark.parametrize(
    "words",
    [
        ["dmeo"],
        ["run", "single-cell", "--dta", "x"],
        ["demo", "--seed", "-1"],
        ["demo", "--seed", "x"],
        ["run", "x"],
    ],
)
def test_a_wrong_call_is_2(call, words):
    code, out, err = call(*words)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--label-key", "cell_typ"], "no column 'cell_typ' in adata.obs: did you mean 'cell_type'"),
        ([], "name the column of adata.obs with --label-key"),
        (
            ["--label-key", "cell_type", "--set", "vae.n_latnt=3"],
            "no setting 'vae.n_latnt': did you mean 'vae.n_latent'",
        ),
        (["--label-key", "cell_type", "--set", "vae.n_latent=x"], "the setting 'vae.n_latent' cannot be 'x'"),
        (
            ["--label-key", "cell_type", "--config", "absent.yaml"],
            "cannot read the configuration absent.yaml",
        ),
        (
            ["--label-key", "cell_type", "--device", "gpu"],
            "the setting 'vae_training.device' cannot be 'gpu'",
        ),
    ],
)
def test_wrong_input_is_1_and_one_line(call, file, tmp_path, words, message):
    code, out, err = call("run", "single-cell", "--data", file, "--out", tmp_path / "out", *words)
    assert code == 1
    assert out == ""
    errors = [line for line in err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert err.splitlines()[-1] == errors[0]
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there(call, tmp_path):
    code, _, err = call(
        "run", "single-cell", "--data", tmp_path / "no.h5ad", "--label-key", "x", "--out", tmp_path / "o"
    )
    assert code == 1
    assert "no.h5ad" in err.splitlines()[-1]


@pytest.mark.parametrize("place", ["before", "after"])
def test_debug_shows_the_traceback_wherever_it_stands(call, tmp_path, place):
    words = ["run", "single-cell", "--out", tmp_path / "o"]
    with pytest.raises(InputError, match="give your cells with --data FILE"):
        call("--debug", *words) if place == "before" else call(*words, "--debug")


def test_other_errors_of_the_system_are_a_sentence_too(call, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr(single_cell, "run", refuse)
    code, _, err = call("demo", "--out", tmp_path)
    assert code == 1
    assert err == "Error: [Errno 13] Permission denied: '/somewhere'\n"


@pytest.mark.parametrize(
    ("stop", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "Stopped; what was done is in"),
        (Interrupted("stopped in epoch 3, saved to x", signal.SIGINT), 130, "Stopped in epoch 3, saved to x"),
        (
            Interrupted("stopped in epoch 3, saved to x", signal.SIGTERM),
            143,
            "Stopped in epoch 3, saved to x",
        ),
    ],
)
def test_a_stop_says_how_to_go_on(call, tmp_path, monkeypatch, stop, code, message):
    def run(*_, **__):
        raise stop

    monkeypatch.setattr(single_cell, "run", run)
    found, _, err = call("demo", "--out", tmp_path)
    assert found == code
    assert err.startswith(message)
    assert err.endswith("; go on with --resume\n")
    assert len(err.splitlines()) == 1


def test_flags_become_settings(call, asked, file, tmp_path):
    words = ["--label-key", "Zelltyp ä: #1", "--batch-key", "donor", "--batch-key", "lab", "--layer", "7"]
    call(
        "run",
        "single-cell",
        "--data",
        file,
        *words,
        "--seed",
        3,
        "--device",
        "cpu",
        "--set",
        "vae.n_latent=20",
    )
    config, _ = asked[0]
    assert config.data.path == str(file)
    assert config.data.label_key == "Zelltyp ä: #1"
    assert config.data.batch_keys == ("donor", "lab")
    assert config.data.layer == "7"
    assert (config.seed, config.vae.n_latent) == (3, 20)
    assert config.vae_training.device == config.diffusion_training.device == "cpu"


def test_the_data_can_be_found_again_from_another_folder(call, asked, file, monkeypatch):
    monkeypatch.chdir(file.parent)
    call("run", "single-cell", "--data", "cells.h5ad", "--labels", "t.csv", "--label-key", "cell_type")
    assert asked[0][0].data.path == str(file)
    assert asked[0][0].data.labels == str(file.parent / "t.csv")


def test_flags_come_before_the_file_of_settings(call, asked, file, tmp_path):
    config = with_settings(SingleCellConfig(), ["data.path=other.h5ad", "data.label_key=x", "vae.n_latent=7"])
    (tmp_path / "c.yaml").write_text(to_yaml(config))
    call("run", "single-cell", "--config", tmp_path / "c.yaml", "--label-key", "y")
    assert asked[0][0].data.path == "other.h5ad"
    assert asked[0][0].data.label_key == "y"
    assert asked[0][0].vae.n_latent == 7


@pytest.mark.parametrize("command", [["demo"], ["run", "single-cell"]])
def test_resuming_needs_no_setting_again(call, asked, tmp_path, command):
    call(*command, "--resume", "--out", tmp_path)
    assert asked[0][0] is None
    assert asked[0][1]["resume"] is True


@pytest.fixture
def begun(file, tmp_path):
    """Hold a run that got no further than its settings."""
    config = with_settings(SingleCellConfig(), [f"data.path={file}", "data.label_key=x", "vae.n_latent=7"])
    RunFolder.open(tmp_path / "run").start(to_yaml(config))
    return tmp_path / "run"


def test_what_is_not_said_again_on_resuming_stays_as_it_was(call, asked, begun, file):
    call("run", "single-cell", "--resume", "--out", begun, "--data", file)
    assert asked[0][0] == build(SingleCellConfig, read_yaml(begun / "config.yaml"))


def test_a_setting_changed_on_resuming_is_named(call, begun):
    code, _, err = call("run", "single-cell", "--resume", "--out", begun, "--set", "vae.beta=2")
    assert code == 1
    assert "has other settings (vae.beta was 1.0, now 2.0): resume it with its own" in err


def test_a_setting_changed_where_there_is_no_run_to_resume(call, tmp_path):
    code, _, err = call("run", "single-cell", "--resume", "--out", tmp_path / "no", "--set", "vae.beta=2")
    assert code == 1
    assert "no holds no run to resume: give its folder" in err


def test_cells_without_any_column_are_told_of_the_table_of_labels(call, tmp_path):
    rows = "".join(f"c{n},{n % 3},{n % 2}\n" for n in range(30))
    (tmp_path / "cells.csv").write_text("cell,A,B\n" + rows)
    words = ["--data", tmp_path / "cells.csv", "--label-key", "cell_type", "--out", tmp_path / "out"]
    code, _, err = call("run", "single-cell", *words)
    assert code == 1
    assert "no column 'cell_type' in adata.obs, nor any other: give a table" in err
    assert "--labels TABLE" in err


def test_the_end_names_the_verdict_and_the_files_whole_and_literally(call, asked, tmp_path):
    out = tmp_path / ("a-long-name-" * 10)
    code, stdout, err = call("demo", "--out", out)
    assert (code, stdout) == (0, "")
    assert "All is well [truly]." in err
    assert str(out / "report.html") in err


def test_json_is_all_that_standard_output_holds(call, asked, tmp_path):
    _, out, _ = call("demo", "--out", tmp_path, "--json")
    assert json.loads(out)["verdict"] == "All is well [truly]."

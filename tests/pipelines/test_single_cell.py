"""The whole job on invented cells: what it writes, that no cell vanishes, and that a broken run goes on."""

import errno
import json
import math
import os
import signal
import subprocess
import sys
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import small_run
import torch
from safetensors.torch import load_file
from small_run import SUBJECTS, cells, quick, write

from genailab.configuration import build, read_yaml
from genailab.data import Split
from genailab.errors import InputError
from genailab.generative.diffusion import LatentDiffusion
from genailab.pipelines import single_cell, single_cell_report
from genailab.pipelines.single_cell_config import SingleCellConfig
from genailab.pipelines.single_cell_data import prepare

FILES = {"metrics.json", "generated.h5ad", "report.html", "config.yaml", "run.log", "split.json", "cells.csv"}


@pytest.fixture
def _without_umap(monkeypatch):
    monkeypatch.setattr(single_cell_report, "embed", small_run.random_map)


@pytest.fixture
def _without_scores(monkeypatch, _without_umap):
    """For what is not about the scores: these forests take seconds a run."""
    monkeypatch.setattr(single_cell, "judge", lambda *_: small_run.one_score())


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    """Invented cells, with 4 of a rare type and 3 without counts."""
    return small_run.write(tmp_path_factory.mktemp("cells"), small_run.cells(rare=4, empty=3))


@pytest.fixture(scope="session")
def finished(file, tmp_path_factory):
    """A whole run but for UMAP, whose compilation takes half a minute; `make demo` shows that it works."""
    said = []
    out = tmp_path_factory.mktemp("runs") / "finished"
    call = {"announce": said.append, "command": "genailab run ..."}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(single_cell_report, "embed", small_run.random_map)
        result = single_cell.run(small_run.quick(file), out=out, **call)
    return result, said


def prepared(file, *settings):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        return prepare(quick(file, *settings)), [str(warning.message) for warning in said]


def weights(folder):
    return load_file(folder / "model" / "model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# --- what a run writes -----------------------------------------------------------------------------------


def test_everything_is_there_and_nothing_half_written(finished):
    result, _ = finished
    found = {path.name for path in result.folder.iterdir()}
    assert found == FILES | {"model", "training"}
    assert not [
        path for path in result.folder.rglob("*") if ".part" in path.name or path.name.endswith(".tmp")
    ]
    assert {path.suffix for path in result.folder.rglob("*") if path.is_file()} & {
        ".pt",
        ".pkl",
        ".bin",
    } == set()


def test_the_metrics_hold_five_subjects_and_are_finite(finished):
    result, _ = finished
    metrics = json.loads((result.folder / "metrics.json").read_text())
    assert metrics == result.metrics
    assert metrics["schema"] == 1
    assert metrics["split_hash"] == json.loads((result.folder / "split.json").read_text())["hash"]
    assert {score["subject"] for score in metrics["scores"]} == SUBJECTS
    for score in metrics["scores"]:
        assert {"metric", "subject", "value", "ci_low", "ci_high", "better", "space", "n"} <= score.keys()
        assert all(math.isfinite(score[name]) for name in ("value", "ci_low", "ci_high"))
    assert result.verdict == metrics["verdict"]
    assert "atent diffusion" in result.verdict


def test_every_cell_that_came_in_is_accounted_for(finished, file):
    result, said = finished
    table = pd.read_csv(result.folder / "cells.csv", keep_default_na=False)
    assert table["cell"].tolist() == ad.read_h5ad(file).obs_names.tolist()
    left_out = table[table["part"] == "left out"]
    assert left_out["reason"].value_counts().to_dict() == {
        "type 'rare' has 4 cells, fewer than 10": 4,
        "no count in any gene": 3,
    }
    assert (table.loc[table["part"] != "left out", "reason"] == "").all()
    facts = result.metrics["dataset"]
    assert facts["cells_read"] == 200 == facts["n_cells"] + sum(facts["left_out"].values())
    told = [line for line in said if line.startswith("Warning: 7 of 200 cells are left out")]
    assert len(told) == 1
    page = (result.folder / "report.html").read_text()
    assert "fewer than 10" in page
    assert "7 of 200 cells are left out" in (result.folder / "run.log").read_text()


def test_the_generated_cells_are_counts_of_types_that_were_trained_on(finished):
    result, _ = finished
    generated = ad.read_h5ad(result.folder / "generated.h5ad")
    assert generated.X.dtype.kind == "i"
    assert generated.X.min() >= 0
    real = result.metrics["dataset"]
    assert generated.n_obs == real["n_cells"]
    assert generated.obs["cell_type"].value_counts().to_dict() == real["types"]
    assert "rare" not in real["types"]


def test_the_report_names_every_subject(finished):
    result, _ = finished
    page = (result.folder / "report.html").read_text()
    assert all(subject in page for subject in SUBJECTS)
    assert "genailab run ..." in page


def test_the_settings_and_the_model_read_back(finished, file):
    result, _ = finished
    assert build(SingleCellConfig, read_yaml(result.folder / "config.yaml")) == quick(file)
    model = LatentDiffusion.from_pretrained(result.folder / "model")
    assert (
        model.config.split_hash
        == result.metrics["split_hash"]
        == Split.load(result.folder / "split.json").hash
    )
    assert model.config.diffusion.conditions == {"cell_type": ("B cell", "NK", "T cell")}


# --- the same again --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_without_umap")
def test_the_same_settings_give_the_same_result(finished, file, tmp_path):
    again = single_cell.run(quick(file), out=tmp_path / "again")
    assert again.metrics == finished[0].metrics
    assert same(weights(again.folder), weights(finished[0].folder))


@pytest.mark.usefixtures("_without_umap")
def test_killed_in_training_and_resumed_it_ends_as_an_unbroken_run(finished, file, tmp_path):
    call = [sys.executable, small_run.__file__, str(file), str(tmp_path / "out"), "7"]
    killed = subprocess.run(
        call, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=120, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    assert (tmp_path / "out/training/vae/latest").is_file()
    assert not (tmp_path / "out/model").exists()
    resumed = single_cell.run(out=tmp_path / "out", resume=True)
    assert resumed.metrics == finished[0].metrics
    assert same(weights(resumed.folder), weights(finished[0].folder))


@pytest.mark.usefixtures("_without_scores")
@pytest.mark.parametrize("stage", ["_train_diffusion", "judge", "report"])
def test_stopped_between_stages_it_goes_on_from_there(finished, file, tmp_path, monkeypatch, stage):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(single_cell, stage, stop)
        with pytest.raises(KeyboardInterrupt):
            single_cell.run(quick(file), out=tmp_path)
    assert not (tmp_path / "report.html").exists()
    single_cell.run(quick(file), out=tmp_path, resume=True)
    assert (tmp_path / "report.html").exists()
    assert same(weights(tmp_path), weights(finished[0].folder))


def test_resuming_with_other_settings_is_refused_and_changes_nothing(finished, file):
    before = (finished[0].folder / "config.yaml").read_bytes()
    with pytest.raises(
        InputError, match=r"has other settings \(vae\.n_latent was 4, now 5\): resume it with its own"
    ):
        single_cell.run(quick(file, "vae.n_latent=5"), out=finished[0].folder, resume=True)
    assert (finished[0].folder / "config.yaml").read_bytes() == before


def test_resuming_with_other_cells_in_the_file_is_refused(tmp_path, monkeypatch):
    place = write(tmp_path, cells())

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(single_cell, "_train_vae", stop)
    with pytest.raises(KeyboardInterrupt):
        single_cell.run(quick(place), out=tmp_path / "out")
    write(tmp_path, cells(n=150))
    with pytest.raises(InputError, match=r"the cells are not those that the run in .* began with"):
        single_cell.run(out=tmp_path / "out", resume=True)


# --- bad input -------------------------------------------------------------------------------------------


def test_cells_that_cannot_be_read_leave_nothing_and_cost_no_earlier_run(finished, file, tmp_path):
    wrong = quick(file, "data.label_key=cell_typ")
    with pytest.raises(InputError, match=r"no column 'cell_typ' in adata.obs: did you mean 'cell_type'"):
        single_cell.run(wrong, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    before = {path: path.stat().st_mtime_ns for path in finished[0].folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="no column"):
        single_cell.run(wrong, out=finished[0].folder, overwrite=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    with pytest.raises(InputError, match="already holds a run"):
        single_cell.run(quick(file), out=finished[0].folder)


@pytest.mark.usefixtures("_without_scores")
@pytest.mark.parametrize("place", ["checkpoint", "vae", "metrics.json"])
def test_a_full_disk_is_one_sentence_and_the_run_can_be_resumed(finished, file, tmp_path, monkeypatch, place):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    target = {
        "checkpoint": "genailab.training.checkpoint.save_file",
        "vae": "genailab.nn.model.save_file",
        "metrics.json": "genailab.pipelines.single_cell._metrics",
    }[place]
    with monkeypatch.context() as disk:
        disk.setattr(target, full)
        with pytest.raises(InputError, match=r"the disk is full: .* free some space and go on with --resume"):
            single_cell.run(quick(file), out=tmp_path)
    assert not [path for path in tmp_path.rglob("*") if ".part" in path.name or path.suffix == ".tmp"]
    single_cell.run(out=tmp_path, resume=True)
    assert (tmp_path / "report.html").exists()
    assert same(weights(tmp_path), weights(finished[0].folder))


# --- which cells are used --------------------------------------------------------------------------------


def test_donors_are_held_out_whole_and_the_model_is_not_told_of_them(file):
    found, _ = prepared(file, "data.group_key=donor")
    table = found.split.table().set_index("cell").join(ad.read_h5ad(file).obs)
    used = table[table["part"] != "left out"]
    assert used.groupby("donor", observed=True)["part"].nunique().eq(1).all()
    assert min(len(part) for part in found.parts.values()) > 0
    assert set(found.train.covariates) == {"cell_type"}
    assert len(found.train) + len(found.valid) + len(found.test) == len(used) == 193


def test_cells_of_a_batch_that_training_never_sees_are_left_out_with_the_reason(tmp_path):
    adata = cells()
    # Donor by donor: whatever donors are held out, their own batch is new.
    adata.obs["batch"] = "run " + adata.obs["donor"].astype(str)
    found, said = prepared(
        write(tmp_path, adata),
        "data.group_key=donor",
        "data.batch_keys=[batch]",
        "data.fractions=[0.4,0.3,0.3]",
    )
    reasons = found.split.left_out["reason"].unique()
    assert len(reasons)
    assert all("batch 'run d" in reason and "is in no training cell" in reason for reason in reasons)
    assert any("more cells are left out: see cells.csv for the reason of each" in line for line in said)


def test_labels_and_batches_may_come_from_a_table(tmp_path):
    adata = cells()
    adata.obs.to_csv(tmp_path / "types.csv")
    expected, _ = prepared(write(tmp_path, adata), "data.batch_keys=[batch]")
    adata.obs = adata.obs[[]]
    settings = [f"data.labels={tmp_path / 'types.csv'}", "data.batch_keys=[batch]"]
    found, said = prepared(write(tmp_path, adata), *settings)
    assert found.describe() == expected.describe()
    assert found.split.hash == expected.split.hash
    assert found.train.categories == expected.train.categories
    assert not [line for line in said if "types.csv" in line]


def test_batches_become_covariates_of_the_autoencoder(tmp_path):
    found, _ = prepared(write(tmp_path, cells()), "data.batch_keys=[batch]")
    assert found.train.categories == {"cell_type": ("B cell", "NK", "T cell"), "batch": ("a", "b")}


def test_genes_are_chosen_on_training_cells_alone(tmp_path):
    place = write(tmp_path, cells())
    chosen = prepared(place, "data.n_genes=10")[0]
    assert chosen.train.genes == chosen.test.genes
    assert chosen.train.n_genes == 10
    adata = ad.read_h5ad(place)
    held_out = np.isin(adata.obs_names, chosen.test.cells)
    counts = adata.X.toarray()
    counts[held_out] = counts[held_out][:, ::-1]  # other counts, same split
    adata.X = counts
    assert prepared(write(tmp_path, adata), "data.n_genes=10")[0].train.genes == chosen.train.genes


def test_more_genes_than_there_are_is_told(file):
    with pytest.raises(
        InputError, match=r"data\.n_genes is 41 but there are 40 genes: ask for at most that many"
    ):
        prepared(file, "data.n_genes=41")

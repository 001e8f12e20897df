"""``genailab evaluate``: plain files of any generator in, a verdict, a table and scores.json out."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from typer.testing import CliRunner

from genailab.cli.main import app
from genailab.data import load_pbmc_anndata
from genailab.errors import InputError
from genailab.evaluation.generated_sequences.options import SequenceOptions
from genailab.evaluation.options import ComparisonOptions

LETTERS = np.array(list("ACGT"))


def fasta(n: int, seed: int, length: int = 40) -> str:
    generator = np.random.default_rng(seed)
    text = ""
    for row in range(n):
        letters = LETTERS[generator.integers(0, 4, length)]
        kind = ("tata", "caat")[row % 2]
        letters[10:16] = list("TATAAA" if row % 2 == 0 else "GGCCAA")
        text += f">r{row} class={kind} made\n{''.join(letters)}\n"
    return text


@pytest.fixture
def files(tmp_path):
    for name, n, seed in (("generated", 40, 0), ("real", 40, 1), ("train", 120, 2)):
        (tmp_path / f"{name}.fa").write_text(fasta(n, seed))
    return {name: str(tmp_path / f"{name}.fa") for name in ("generated", "real", "train")}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Take few resamples and no forest: the commands' own work is on trial here."""
    few = partial(SequenceOptions, n_bootstrap=20, n_trees=0, k=(3, 6))
    monkeypatch.setattr("genailab.evaluation.generated_sequences.SequenceOptions", few)
    monkeypatch.setattr(
        "genailab.evaluation.cells.ComparisonOptions",
        partial(ComparisonOptions, n_bootstrap=20, n_trees=5, n_folds=2, n_directions=10),
    )


def call(kind: str, files: dict[str, str], *words: str, columns: int = 80):
    named = [word for name, path in files.items() for word in (f"--{name}", path)]
    return CliRunner().invoke(app, ["evaluate", kind, *named, *words], env={"COLUMNS": str(columns)})


def sequences(files: dict[str, str], *words: str, columns: int = 80):
    return call("sequences", files, "--motifs", "none", *words, columns=columns)


def test_the_verdict_comes_first_and_the_table_fits_80_columns(files, tmp_path):
    result = sequences(files, "--label-key", "class", "--out", str(tmp_path / "new" / "out"))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[1].startswith("Generated ")
    table = [line for line in lines if "scores.json" not in line]
    assert max(map(len, table)) <= 80
    assert not any("…" in line for line in table)
    for word in ("class fidelity", "6-mer distance", "ceiling", "Markov", "higher", "lower", "0.5"):
        assert word in result.stdout
    found = json.loads((tmp_path / "new" / "out" / "scores.json").read_text())
    assert set(found) == {"schema", "inputs", "warnings", "scores", "verdict"}
    assert found["inputs"]["train"]["sequences"] == 120
    assert {score["subject"] for score in found["scores"]} >= {"generated", "ceiling", "shuffled pairs"}


def test_json_is_all_that_is_printed_and_gzip_is_read_as_plain_text_is(files, tmp_path):
    packed = dict(files)
    packed["generated"] = str(tmp_path / "packed.fa.gz")
    with open(files["generated"], "rb") as plain:
        (tmp_path / "packed.fa.gz").write_bytes(gzip.compress(plain.read()))
    first, second = (json.loads(sequences(given, "--json").stdout) for given in (files, packed))
    assert first["scores"] == second["scores"]
    assert first["verdict"] == second["verdict"]


def test_copies_and_leaks_are_said_loudly(files):
    files["generated"] = files["train"]
    assert sequences(files).stdout.strip().startswith("WARNING: 100.0% of the sequences of generated")
    files["generated"] = files["real"]
    assert "WARNING: 100.0% of the generated sequences are held-out real" in " ".join(
        sequences(files).stdout.split()
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("generated", "", r"generated\.fa is empty \(0 bytes\)"),
        ("generated", "ACGT\n", r"generated\.fa:1 is 'ACGT', where the first record's header"),
        (
            "generated",
            ">a\nACGT\n>b\nACQT\n",
            r"generated\.fa:4 has 'Q' at position 2 \(from 0\) of record",
        ),
        ("real", ">a\n>b\nACGT\n", r"real\.fa: record 1 \('a'\) has no sequence before line 2"),
        ("real", ">a\nACGTACGT\n", "there are 1 held-out sequences, but at least 10"),
        ("train", None, r"there is no file .*train\.fa"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_its_place(files, tmp_path, name, text, message):
    path = tmp_path / f"{name}.fa"
    path.unlink() if text is None else path.write_text(text)
    result = sequences(files)
    assert isinstance(result.exception, InputError)
    with pytest.raises(InputError, match=message):
        raise result.exception


def test_a_damaged_gzip_a_missing_class_and_an_unknown_alphabet_are_refused(files, tmp_path):
    for words, message in (
        (("--label-key", "clas"), r"record 1 \('r0 class=tata made'\) has no clas=.*did you mean 'class'"),
        (("--alphabet", "DNS"), "there is no alphabet 'DNS': did you mean 'DNA'"),
    ):
        with pytest.raises(InputError, match=message):
            raise sequences(files, *words).exception
    (tmp_path / "real.fa").write_bytes(gzip.compress(fasta(30, 0).encode())[:-40])
    with pytest.raises(InputError, match="damaged gzip"):
        raise sequences(files).exception


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    pbmc = load_pbmc_anndata()
    pbmc = pbmc[pbmc.obs["bulk_labels"].isin(["CD14+ Monocyte", "CD56+ NK"]).to_numpy()].copy()
    order = np.random.default_rng(0).permutation(pbmc.n_obs)
    parts = {"generated": order[:40], "real": order[40:80], "train": order[80:]}
    for name, rows in parts.items():
        pbmc[rows].copy().write_h5ad(folder / f"{name}.h5ad")
    return {name: str(folder / f"{name}.h5ad") for name in parts}


def test_cells_are_judged_from_h5ad_of_any_generator(cells):
    result = call("cells", cells, "--label-key", "bulk_labels")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip().startswith("Generated ")
    assert "independent" in result.stdout
    assert "nearest-training-cell" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_copied_cells_are_said_loudly_and_wrong_ones_refused(cells, tmp_path):
    copied = json.loads(call("cells", {**cells, "generated": cells["train"]}, "--json").stdout)
    assert copied["verdict"].startswith("WARNING: 100.0% of the generated cells are training cells")
    with pytest.raises(InputError, match=r"generated cells, .*did you mean 'bulk_labels'"):
        raise call("cells", cells, "--label-key", "bulk_label").exception
    (tmp_path / "no.h5ad").write_bytes(b"none")
    with pytest.raises(InputError, match=r"no\.h5ad ends in \.h5ad but is"):
        raise call("cells", {**cells, "real": str(tmp_path / "no.h5ad")}).exception


def test_help_imports_neither_torch_nor_sklearn():
    code = (
        "import sys; sys.argv = ['genailab', 'evaluate', 'sequences', '--help']\n"
        "from genailab.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "assert not {'torch', 'sklearn', 'numpy', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--generated" in done.stdout

"""``genailab data``: what a user sees, and the exit codes."""

import json
import sys

import pytest

from genailab.cli.main import main
from genailab.data.bundled import sequence_sets
from genailab.data.catalog import catalog
from genailab.data.catalog.catalog_entries import Entry


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Call genailab as a shell would, with an empty data folder; return exit code, stdout and stderr."""
    monkeypatch.setenv("GENAILAB_DATA", str(tmp_path / "data"))

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["genailab", "data", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def served(monkeypatch):
    """Answer downloads from memory."""

    def download(address, path, *, size, sha256, progress):
        progress(1, None)
        progress(3, 3)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"abc")
        return "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    monkeypatch.setattr(catalog, "download", download)


def test_list_names_every_set_with_its_size_terms_and_place(call, served, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    call("fetch", "clinvar")
    code, out, _ = call("list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert set(catalog.catalog()) <= set(lines)
    assert "bundled" in lines["gb1"]
    assert " yes " in lines["clinvar"]
    assert " no " in lines["hg38"]
    assert "about 984.0 MB" in lines["hg38"]
    assert "GPL-3" in lines["ifnb_pbmc"]


def test_list_fits_a_narrow_terminal(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = call("list")
    assert max(map(len, out.splitlines())) <= 80
    assert len(out.splitlines()) == len(catalog.catalog()) + 3


def test_json_holds_the_whole_catalog(call):
    code, out, _ = call("list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert set(rows) == set(catalog.catalog())
    assert rows["hla_region"]["here"] is True
    assert rows["hg38"]["here"] is False
    assert rows["hg38"]["sha256"] is None


def test_fetch_prints_the_path_alone(call, served, tmp_path):
    assert call("fetch", "clinvar")[:2] == (0, f"{tmp_path / 'data' / 'clinvar.vcf.gz'}\n")
    code, out, _ = call("fetch", "clinvar", "--to", tmp_path / "mine", "--json")
    assert json.loads(out) == {"name": "clinvar", "path": str(tmp_path / "mine" / "clinvar.vcf.gz")}
    assert code == 0
    assert (tmp_path / "mine" / "clinvar.vcf.gz").exists()


def test_info_says_the_terms_and_that_a_checksum_is_still_to_come(call):
    code, out, _ = call("info", "clinvar")
    assert code == 0
    assert "recorded at first download" in out
    assert "public (NCBI)" in out
    described = json.loads(call("info", "gb1", "--json")[1])
    assert described["address"] == "bundled with genailab"
    assert len(described["sha256"]) == 64


@pytest.mark.parametrize("command", ["fetch", "info", "check"])
def test_a_mistyped_name_is_1_and_one_line(call, command):
    assert call(command, "hg83") == (
        1,
        "",
        "Error: there is no data set 'hg83': did you mean 'hg38'? (genailab data list shows all)\n",
    )


def test_check_is_0_while_all_is_well_and_says_nothing_of_what_is_not_here(call):
    code, out, _ = call("check")
    assert code == 0
    assert len(out.splitlines()) == len(sequence_sets.bundled_names())
    assert all(line.startswith("ok ") for line in out.splitlines())


def test_check_is_1_for_a_changed_file_and_names_it_with_the_remedy(call, served, tmp_path):
    call("fetch", "clinvar")
    assert call("check", "clinvar")[0] == 0
    path = tmp_path / "data" / "clinvar.vcf.gz"
    path.write_bytes(b"abd")
    for words in (["check"], ["check", "clinvar"]):
        code, out, _ = call(*words)
        assert code == 1
        assert f"{path}: remove it, then genailab data fetch clinvar downloads it again" in out
    code, out, _ = call("check", "clinvar", "--json")
    assert code == 1
    assert json.loads(out)[0]["state"] == "changed"


def test_check_of_a_set_that_is_not_here_is_1(call):
    code, out, _ = call("check", "hg38")
    assert code == 1
    assert "genailab data fetch hg38" in out


def test_a_broken_bundled_file_is_told(call, monkeypatch, tmp_path):
    (tmp_path / "x.csv").write_text("x")
    entry = Entry(
        name="x", title="x", kind="x", licence="x", citation="x", file="x.csv", sha256="0" * 64, size=1
    )
    monkeypatch.setattr(catalog, "BUNDLED", tmp_path)
    monkeypatch.setattr(catalog, "catalog", lambda: {"x": entry})
    code, out, _ = call("check")
    assert code == 1
    assert "reinstall genailab" in out


@pytest.mark.parametrize("words", [["fetch"], ["lst"], ["info", "hg38", "--jsn"]])
def test_a_wrong_call_is_2(call, words):
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err

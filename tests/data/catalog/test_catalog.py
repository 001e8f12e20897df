"""The catalog: names are found, files are verified, and a checksum that wasn't known is known afterwards."""

import gzip
import hashlib
import http.server
import re
import threading
from functools import partial
from pathlib import Path

import pytest

from genailab.data.catalog import catalog
from genailab.data.catalog.catalog import check, data_folder, fetch, find_entry, path_of
from genailab.data.catalog.catalog_entries import DOWNLOADS, Entry
from genailab.errors import InputError

CONTENT = b"chr1\t0\t10\n" * 1000
SHARED = next(
    (
        folder
        for folder in (Path(__file__).parents[3] / up / "shared" / "data" for up in ("", ".."))
        if folder.is_dir()
    ),
    None,
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def address(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "peaks.bed").write_bytes(CONTENT)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/peaks.bed"
        server.shutdown()


@pytest.fixture
def listed(monkeypatch, address, tmp_path):
    """A catalog of one entry whose checksum is known and one whose checksum is not; an empty data folder."""
    about = {"title": "peaks", "kind": "sequences", "licence": "CC0 1.0", "citation": "us"}
    known = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "size": len(CONTENT)}
    entries = (
        Entry(name="known", file="known.bed", address=address, **about, **known),
        Entry(name="unknown", file="unknown.bed", address=address, size=5, **about),
    )
    monkeypatch.setattr(catalog, "DOWNLOADS", entries)
    monkeypatch.setenv("GENAILAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_every_entry_can_be_told_apart_and_says_its_terms():
    entries = catalog.catalog()
    assert len(entries) == len(DOWNLOADS) + 6
    assert len({entry.file for entry in entries.values()}) == len(entries)
    for entry in entries.values():
        assert re.fullmatch("[a-z0-9_]+", entry.name)
        assert all((entry.title, entry.licence, entry.citation, entry.kind))
        assert entry.sha256 is None or re.fullmatch("[0-9a-f]{64}", entry.sha256)
        assert entry.sha256 is None or entry.size
        if not entry.is_bundled:
            assert entry.address.startswith("https://")
    assert {"pbmc3k", "norman2019", "sciplex3", "tahoe100m_shard", "hg38", "clinvar"} <= set(entries)


def test_addresses_on_github_name_a_commit_so_that_they_cannot_change():
    for entry in DOWNLOADS:
        if "githubusercontent" in entry.address:
            assert re.search(r"/[0-9a-f]{40}/", entry.address)
            assert entry.sha256


@pytest.mark.shared_data
@pytest.mark.skipif(SHARED is None, reason="shared/data is not here")
@pytest.mark.parametrize("entry", DOWNLOADS, ids=lambda entry: entry.name)
def test_checksums_are_those_of_the_files_at_hand(entry):
    path, packed = SHARED / entry.file, SHARED / f"{entry.file}.gz"
    if not path.exists() and not packed.exists():
        pytest.skip("this file is not among them")
    content = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
    assert hashlib.sha256(content).hexdigest() == entry.sha256
    assert len(content) == entry.size


def test_a_mistyped_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="no data set 'norman2091': did you mean 'norman2019'"):
        find_entry("norman2091")


def test_the_folder_is_the_one_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("GENAILAB_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv("GENAILAB_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "genailab"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert data_folder() == Path.home() / ".local" / "share" / "genailab"
    assert path_of(find_entry("clinvar"), tmp_path) == tmp_path / "clinvar.vcf.gz"


@pytest.mark.parametrize("name", ["known", "unknown"])
def test_what_was_fetched_is_checked_and_not_fetched_again(listed, name, monkeypatch):
    assert check(name).state == "absent"
    path = fetch(name)
    assert path.read_bytes() == CONTENT
    assert check(name).state == "ok"
    monkeypatch.setattr(catalog, "download", lambda *_, **__: pytest.fail("downloaded again"))
    assert fetch(name) == path
    record = path.with_name(path.name + ".sha256")
    assert record.exists() == (name == "unknown")


@pytest.mark.parametrize("name", ["known", "unknown"])
def test_a_changed_file_is_told_and_neither_used_nor_replaced(listed, name):
    path = fetch(name)
    changed = CONTENT.replace(b"chr1", b"chr2", 1)
    path.write_bytes(changed)
    found = check(name)
    assert found.state == "changed"
    assert found.remedy == f"remove it, then genailab data fetch {name} downloads it again"
    with pytest.raises(InputError, match=rf"{name}\.bed was changed or is broken: remove it"):
        fetch(name)
    assert path.read_bytes() == changed


def test_the_record_is_in_the_format_of_sha256sum(listed, tmp_path):
    path = fetch("unknown", tmp_path / "mine")
    assert path == tmp_path / "mine" / "unknown.bed"
    record = (tmp_path / "mine" / "unknown.bed.sha256").read_text()
    assert record == f"{hashlib.sha256(CONTENT).hexdigest()}  unknown.bed\n"
    assert check("unknown", tmp_path / "mine").state == "ok"
    assert check("unknown").state == "absent"


def test_a_file_put_there_by_hand_is_recorded_when_it_is_fetched(listed):
    listed.mkdir()
    (listed / "unknown.bed").write_bytes(b"mine")
    assert check("unknown").state == "unrecorded"
    fetch("unknown")
    assert check("unknown").state == "ok"
    (listed / "unknown.bed.sha256").write_text("nonsense")
    with pytest.raises(InputError, match=r"unknown\.bed\.sha256 holds no SHA-256"):
        check("unknown")


def test_a_bundled_file_is_here_and_right(tmp_path):
    path = fetch("hla_region")
    assert path.name == "hla_region.fa.gz"
    assert check("hla_region", tmp_path).state == "ok"

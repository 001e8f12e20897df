"""Against a server that stalls, truncates and lies: the file is whole and right in the end, or not there."""

import hashlib
import http.server
import multiprocessing
import socket
import threading
import time
from email.utils import formatdate
from pathlib import Path

import numpy as np
import pytest

from genailab.data.catalog.download import download, sha256_of
from genailab.errors import InputError

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; `script` names what to do to one request after the other, then all goes well."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.etag, self.dated, self.script = CONTENT, '"v1"', True, []
        self.requests = []
        self.released = threading.Event()  # ends the stalls when the test is over

    def handle_error(self, *_):
        """Say nothing where the client hung up first: that is part of the play."""

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/data.bin"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        fault = server.script.pop(0) if server.script else "none"
        getattr(self, fault.split(":")[0])(*fault.split(":")[1:])

    def head(self, status, length, **fields):
        self.send_response(status)
        if self.server.etag:
            self.send_header("ETag", self.server.etag)
        if self.server.dated:
            self.send_header("Last-Modified", formatdate(0, usegmt=True))
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def none(self, until=None, stall=False, lie=0):
        """The right answer, or its first bytes and then silence or the end."""
        content, asked = self.server.content, self.headers.get("Range")
        version = self.headers.get("If-Range")
        start = 0
        if asked and version in (self.server.etag, formatdate(0, usegmt=True)):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return self.head(416, 0)
        body = content[start:]
        span = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        self.head(206 if start else 200, len(body) + lie, **span)
        self.wfile.write(body if until is None else body[:until])
        if stall:
            self.wfile.flush()
            self.server.released.wait(10)
        return None

    def truncate(self, n):
        self.none(until=int(n))

    def stall(self, n):
        self.none(until=int(n), stall=True)

    def longer(self):
        self.none(lie=1000)

    def silent(self):
        self.server.released.wait(10)

    def hang_up(self):
        self.connection.shutdown(socket.SHUT_RDWR)

    def status(self, code):
        self.head(int(code), 0)

    def ignore_range(self):
        del self.headers["Range"]
        self.none()

    def other_range(self):
        self.head(206, 10, Content_Range=f"bytes 0-9/{len(CONTENT)}")
        self.wfile.write(CONTENT[:10])

    def wrong(self):
        self.head(200, len(CONTENT))
        self.wfile.write(CONTENT[::-1])

    def endless(self, n=3_000_000):
        """No length and no chunks: the connection's end is the file's."""
        self.head(200, None)
        self.wfile.write(self.server.content[: int(n)])

    def page(self):
        body = b"<html>Please sign in</html>"
        self.head(200, len(body), Content_Type="text/html; charset=utf-8")
        self.wfile.write(body)

    def redirect(self, code):
        self.head(int(code), 0, Location="/elsewhere.bin")


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.released.set()
        running.shutdown()


@pytest.fixture
def get(server, tmp_path):
    def call(**options):
        known = {"sha256": SHA256, "size": len(CONTENT), "timeout": 0.3, "attempts": 3, "pause": 0.01}
        return download(server.address, tmp_path / "data.bin", **{**known, **options})

    return call


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"data.bin.lock"}


def test_a_file_comes_whole_with_progress_and_leaves_nothing_else(server, get, tmp_path):
    seen = []
    assert get(progress=lambda here, total: seen.append((here, total))) == SHA256
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert names(tmp_path) == {"data.bin"}
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert server.requests[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "script",
    [
        ["truncate:1000000"],
        ["truncate:1000000", "truncate:1000000"],
        ["stall:1000000"],
        ["silent"],
        ["hang_up"],
        ["status:500"],
        ["status:503", "status:429"],
        ["truncate:1000000", "status:500", "truncate:5"],
        ["truncate:1000000", "ignore_range"],
        ["truncate:1000000", "other_range"],
        ["truncate:1000000", "hang_up"],
        ["redirect:301"],
        ["redirect:302", "redirect:307"],
        ["endless"],
    ],
)
def test_what_passes_is_overcome(server, get, tmp_path, script):
    server.script = list(script)
    assert get() == SHA256
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert names(tmp_path) == {"data.bin"}


def test_a_broken_transfer_goes_on_where_it_stopped(server, get):
    server.script = ["truncate:1234567"]
    get()
    assert server.requests[1]["Range"] == "bytes=1234567-"
    assert server.requests[1]["If-Range"] == '"v1"'


def test_more_announced_than_sent_is_found_out(server, get):
    server.script = ["longer"]
    assert get(size=None) == SHA256
    server.script = ["longer"]
    with pytest.raises(InputError, match="announced with 3001000 bytes instead of 3000000"):
        get()


def test_without_any_length_a_short_file_is_found_out_by_the_size_known(server, get):
    server.script = ["endless:1000"]
    assert get() == SHA256
    assert server.requests[1]["Range"] == "bytes=1000-"


def test_a_redirect_keeps_the_place(server, get):
    server.script = ["truncate:1000", "redirect:302"]
    get()
    assert server.requests[2]["Range"] == "bytes=1000-"


def test_another_call_goes_on_too(server, get, tmp_path):
    server.script = ["truncate:1000000", "status:500", "status:500", "status:500"]
    with pytest.raises(
        InputError, match=r"the server answered 500 .*\(3 attempts\).* go on where it stopped"
    ):
        get()
    assert names(tmp_path) == {"data.bin.part", "data.bin.part.version"}
    assert get() == SHA256
    assert server.requests[-1]["Range"] == "bytes=1000000-"


def test_attempts_that_advance_do_not_count(server, get):
    server.script = ["truncate:100"] * 20
    assert get(attempts=2) == SHA256


def test_a_new_version_is_taken_from_its_beginning(server, get, tmp_path):
    server.script = ["truncate:1000", "status:500", "status:500", "status:500"]
    with pytest.raises(InputError):
        get()
    server.content, server.etag, server.dated = CONTENT[::-1], '"v2"', False
    assert get(sha256=None) == hashlib.sha256(CONTENT[::-1]).hexdigest()
    assert (tmp_path / "data.bin").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("etag", [None, 'W/"v1"'])
def test_without_a_strong_tag_the_date_guards_and_without_either_nothing_is_resumed(server, get, etag):
    server.etag, server.script = etag, ["truncate:1000"]
    get()
    assert server.requests[1]["If-Range"] == formatdate(0, usegmt=True)
    server.dated, server.script = False, ["truncate:1000"]
    get()
    assert "Range" not in server.requests[-1]


def test_a_beginning_that_was_spoilt_is_fetched_again(server, get, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(bytes(1000))
    (tmp_path / "data.bin.part.version").write_text('"v1"')
    assert get() == SHA256
    assert [request.get("Range") for request in server.requests] == ["bytes=1000-", None]


def test_a_beginning_longer_than_the_file_is_fetched_again(server, get, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(bytes(len(CONTENT) + 5))
    (tmp_path / "data.bin.part.version").write_text('"v1"')
    assert get() == SHA256


@pytest.mark.parametrize(
    ("script", "options", "message"),
    [
        (["wrong"], {}, rf"has SHA-256 [0-9a-f]{{64}}, not {SHA256}"),
        (["none"], {"size": 17}, "announced with 3000000 bytes instead of 17"),
        (["page"], {"size": None}, "gave a web page instead of data.bin"),
        (["status:404"], {}, "the server answered 404 Not Found, so check the address"),
        (["status:403"], {}, "the server answered 403"),
        (["silent"] * 3, {"timeout": 0.05}, r"nothing came for 0.05 seconds \(3 attempts\)"),
        (["stall:0"] * 3, {"timeout": 0.05}, "nothing came for 0.05 seconds"),
        (["truncate:0"] * 3, {}, r"ended after 0 of 3000000 bytes"),
        (["hang_up"] * 3, {}, "the connection broke|without response"),
        (["redirect:302"] * 20, {}, "the server answered 302"),
    ],
)
def test_what_does_not_pass_is_one_sentence_and_no_file(server, get, tmp_path, script, options, message):
    server.script = list(script)
    with pytest.raises(InputError, match=message) as caught:
        get(**options)
    assert "\n" not in str(caught.value).strip()
    assert "data.bin" not in names(tmp_path)


def test_a_wrong_file_does_not_replace_the_right_one(server, get, tmp_path):
    get()
    server.script = ["wrong"]
    with pytest.raises(InputError, match="has SHA-256"):
        get()
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert names(tmp_path) == {"data.bin"}


def test_no_server_and_no_web_address(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/x"
    with pytest.raises(InputError, match=r"could not be downloaded, .*refused"):
        download(address, tmp_path / "x", attempts=2, pause=0.01)
    with pytest.raises(InputError, match="'file:///etc/hosts' is no web address"):
        download("file:///etc/hosts", tmp_path / "x")


def test_a_full_disk_is_told_before_the_bytes_come(get, monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000_000})())
    with pytest.raises(InputError, match=r"data\.bin needs 3 MB more, but 1 MB are free"):
        get()


def _download_in_another_process(address, path, begun):
    begun.set()
    download(address, path, timeout=5)


def test_two_processes_do_not_write_one_file(server, get, tmp_path):
    server.script = ["stall:1000"]
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    other = context.Process(
        target=_download_in_another_process, args=(server.address, tmp_path / "data.bin", begun)
    )
    other.start()
    begun.wait(10)
    while not server.requests:
        time.sleep(0.01)
    with pytest.raises(InputError, match=r"another process is downloading .*data\.bin: wait"):
        get()
    other.terminate()
    other.join(10)
    assert get() == SHA256  # a lock dies with its process


def test_the_checksum_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "x").write_bytes(CONTENT)
    assert sha256_of(tmp_path / "x") == SHA256

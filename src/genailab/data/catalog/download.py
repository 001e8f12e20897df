"""Fetch one file over HTTP so that what is there in the end is whole and right, or nothing is.

A broken transfer goes on where it stopped (RFC 9110, section 14: Range, guarded by If-Range), and the file
takes its name only after size and SHA-256 were compared.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from genailab.errors import InputError

__all__ = ["Progress", "download", "sha256_of"]

Progress = Callable[[int, int | None], None]  # bytes that are here, bytes in all where known

_BLOCK = 1 << 20
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # statuses that another attempt may not meet
_LONGEST_PAUSE = 60.0


class _TryAgainError(Exception):
    """A failure that may pass; its text says what happened."""


@dataclass(frozen=True, kw_only=True)
class _Job:
    address: str
    path: Path
    size: int | None
    sha256: str | None
    timeout: float
    progress: Progress | None

    @property
    def partial(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    @property
    def version(self) -> Path:
        """Which version of the file the partial one is of: its entity tag or date."""
        return self.path.with_name(self.path.name + ".part.version")

    def start_again(self) -> None:
        self.partial.unlink(missing_ok=True)
        self.version.unlink(missing_ok=True)


def download(
    address: str,
    path: str | Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    timeout: float = 30.0,
    attempts: int = 5,
    pause: float = 1.0,
    progress: Progress | None = None,
) -> str:
    """Download ``address`` to ``path``, replacing it, and return the SHA-256 of what came.

    What has come so far lies beside it, ending in ``.part``, and the next call goes on from there.

    Parameters
    ----------
    size, sha256
        What the file must have, where it is known.
    timeout
        Seconds without a byte after which the connection counts as stalled.
    attempts
        How often in a row to try without getting any further; the pause before each doubles, from ``pause``
        seconds to a minute.
    progress
        Called with the bytes that are here and the bytes in all (None where the server doesn't say).

    Raises
    ------
    InputError
        If the address is refused, the server fails every attempt, the content is not what it should be, the
        disk is full, or another process is downloading the same file.
    """
    if not address.startswith(("http://", "https://")):
        raise InputError(f"{address!r} is no web address: it must begin with http:// or https://")
    from filelock import FileLock, Timeout

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    job = _Job(address=address, path=path, size=size, sha256=sha256, timeout=timeout, progress=progress)
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        with lock.acquire(timeout=0):
            return _receive_and_verify(job, attempts, pause)
    except Timeout:
        raise InputError(f"another process is downloading {path}: wait until it is done") from None


def sha256_of(path: str | Path) -> str:
    """Compute the SHA-256 of a file, as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _receive_and_verify(job: _Job, attempts: int, pause: float) -> str:
    resumed = job.partial.exists()
    _persist(job, attempts, pause)
    found = sha256_of(job.partial)
    if job.sha256 not in (None, found) and resumed:
        # The beginning may be of another version of the file, so it gets one chance from the start.
        job.start_again()
        _persist(job, attempts, pause)
        found = sha256_of(job.partial)
    if job.sha256 not in (None, found):
        job.start_again()
        raise InputError(
            f"what came from {job.address} has SHA-256 {found}, not {job.sha256}: the file there was changed "
            "or something on the way alters it, so try another network or report it"
        )
    os.replace(job.partial, job.path)
    job.version.unlink(missing_ok=True)
    return found


def _persist(job: _Job, attempts: int, pause: float) -> None:
    """Receive until the file is whole; only attempts without any advance count."""
    failures = 0
    while True:
        before = _here(job.partial)
        try:
            return _attempt(job)
        except _TryAgainError as problem:
            failures = 1 if _here(job.partial) > before else failures + 1
            if failures >= attempts:
                raise InputError(
                    f"{job.address} could not be downloaded, {problem} ({attempts} attempts): check the "
                    "network and call again, it will go on where it stopped"
                ) from None
        time.sleep(min(pause * 2 ** (failures - 1), _LONGEST_PAUSE))


def _attempt(job: _Job) -> None:
    try:
        with urllib.request.urlopen(_request(job), timeout=job.timeout) as response:
            _save(job, response)
    except urllib.error.HTTPError as error:
        _refused(job, error)
    except TimeoutError:
        raise _TryAgainError(f"nothing came for {job.timeout:g} seconds") from None
    except urllib.error.URLError as error:
        raise _TryAgainError(f"{error.reason}") from None
    except (ConnectionError, http.client.HTTPException) as error:
        raise _TryAgainError(f"the connection broke ({error or type(error).__name__})") from None


def _request(job: _Job) -> urllib.request.Request:
    # Compressed on the way, the length would not be the file's.
    headers = {"User-Agent": "genailab", "Accept-Encoding": "identity"}
    here = _here(job.partial)
    if here and job.version.exists():
        headers |= {"Range": f"bytes={here}-", "If-Range": job.version.read_text(encoding="latin-1")}
    else:
        job.start_again()  # without its version, what is here cannot be told from part of another file
    return urllib.request.Request(job.address, headers=headers)


def _refused(job: _Job, error: urllib.error.HTTPError) -> None:
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        job.start_again()  # more is here than the server has
        raise _TryAgainError("the server has less than what is here") from None
    answer = f"the server answered {error.code} {' '.join(error.reason.split())}"
    if error.code in _PASSING:
        raise _TryAgainError(answer) from None
    raise InputError(
        f"{job.address} cannot be downloaded: {answer}, so check the address in a browser"
    ) from None


def _save(job: _Job, response: http.client.HTTPResponse) -> None:
    if job.address.startswith("https:") and not response.url.startswith("https:"):
        raise InputError(f"{job.address} leads to {response.url}, which is not encrypted: report it")
    start, announced = _extent(job, response)
    _check_announced(job, response, announced)
    total = announced if announced is not None else job.size
    if start == 0:
        job.start_again()
        _note_version(job, response)
    _check_space(job, (total or 0) - start)
    with job.partial.open("ab") as file:
        while block := response.read1(_BLOCK):
            file.write(block)
            if job.progress is not None:
                job.progress(file.tell(), total)
        file.flush()
        os.fsync(file.fileno())
    if total is not None and _here(job.partial) < total:
        raise _TryAgainError(f"it ended after {_here(job.partial)} of {total} bytes")


def _extent(job: _Job, response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Where in the file the answer begins, and the length of the whole file."""
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        return 0, response.length
    known = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    here = _here(job.partial)
    if known is None or int(known[1]) != here:
        job.start_again()
        raise _TryAgainError(f"the server sent another part than the one from byte {here}")
    return here, None if known[2] == "*" else int(known[2])


def _check_announced(job: _Job, response: http.client.HTTPResponse, total: int | None) -> None:
    """Refuse at once, before the bytes come, what cannot be the file."""
    page = response.headers.get_content_type() == "text/html"
    if page and job.path.suffix not in (".html", ".htm"):
        job.start_again()
        raise InputError(
            f"{job.address} gave a web page instead of {job.path.name}: the file has moved or the network "
            "asks for a login, so open the address in a browser"
        )
    if job.size is not None and total is not None and total != job.size:
        job.start_again()
        raise InputError(
            f"{job.address} is announced with {total} bytes instead of {job.size}: the file there was "
            "changed, so report it"
        )


def _note_version(job: _Job, response: http.client.HTTPResponse) -> None:
    tag = response.headers.get("ETag", "")
    # A weak tag (W/) promises the same meaning, not the same bytes.
    version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
    if version:
        job.version.write_text(version, encoding="latin-1")


def _check_space(job: _Job, needed: int) -> None:
    free = shutil.disk_usage(job.path.parent).free
    if needed > free:
        raise InputError(
            f"{job.path.name} needs {needed / 1e6:,.0f} MB more, but {free / 1e6:,.0f} MB are free in "
            f"{job.path.parent}: make room or choose another folder"
        )


def _here(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0

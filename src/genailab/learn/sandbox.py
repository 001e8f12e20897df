"""What the learner's code may do while it is checked: a forked child with limits and a scratch folder.

It keeps accidents from doing harm (an endless loop, a full memory, a file written to the wrong place); it is
no defence against somebody who means harm to their own machine.
"""

from __future__ import annotations

import io
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Printed", "confine", "limit_resources", "scratch_folder"]

PRINTED = 4_000  # characters of output that are kept
LARGEST_FILE = 256 * 2**20

# What an audit event does, and whether its first argument is a path that may lie in the scratch folder.
_CHANGES_FILES = {
    "os.remove": "deletes",
    "os.rename": "renames",
    "os.rmdir": "deletes",
    "os.truncate": "changes",
    "os.mkdir": "makes",
    "os.link": "links",
    "os.symlink": "links",
    "os.chmod": "changes",
    "shutil.rmtree": "deletes",
}
_LEAVES = {
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.system": "starts a process",
    "os.exec": "starts a process",
    "subprocess.Popen": "starts a process",
    "socket.connect": "opens a network connection",
    "os.kill": "sends a signal",
}


class Printed(io.TextIOBase):
    """Standard output that keeps its first page and counts the rest."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.size = 0

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Take in a piece of text."""
        if self.size < PRINTED:
            self.kept.append(text[: PRINTED - self.size])
        self.size += len(text)
        return len(text)

    def text(self) -> str:
        """Return what was kept."""
        more = f"\n... and {self.size - PRINTED:,} more characters" if self.size > PRINTED else ""
        return "".join(self.kept) + more


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for one attempt, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="genailab-learn-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def limit_resources(*, seconds: float, megabytes: int) -> None:
    """Limit this process for good: CPU time, memory beyond what it has now, and size of a file."""
    # The clock on the wall is the parent's to watch; this one ends what outlives its parent.
    resource.setrlimit(resource.RLIMIT_CPU, (int(4 * seconds) + 5, int(4 * seconds) + 6))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    now = _address_space()
    if now is not None:  # Linux; elsewhere the limit on address space is not kept
        limit = now + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _address_space() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def confine(folder: Path) -> None:
    """Refuse for good, in this process, to write outside ``folder``, start processes or use the network."""
    inside = str(folder)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = (isinstance(mode, str) and any(letter in mode for letter in "wax+")) or (
                isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            )
            if writes and not isinstance(path, int):
                _refuse_outside(path, inside, "writes")
        elif event in _CHANGES_FILES:
            _refuse_outside(arguments[0], inside, _CHANGES_FILES[event])
        elif event in _LEAVES:
            raise PermissionError(f"your code {_LEAVES[event]} ({event}), which is not possible in a check")

    sys.addaudithook(watch)


def _refuse_outside(path: Any, inside: str, deed: str) -> None:
    place = os.path.realpath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""
    if place != os.devnull and place != inside and not place.startswith(inside + os.sep):
        raise PermissionError(
            f"your code {deed} {os.fsdecode(path)!r}: in a check only files in the current folder may be "
            "written, and it is a scratch folder"
        )

"""What the learner's code may do while it is checked: a forked child with limits and a scratch folder.

It keeps accidents from doing harm (an endless loop, a full memory, a file written to the wrong place); it is
no defence against somebody who means harm to their own machine.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["Printed", "confine", "let_go_of_descriptors", "limit_resources", "scratch_folder"]

PRINTED = 4_000  # bytes of output that are kept
LARGEST_FILE = 256 * 2**20

# What an audit event does, and which of its arguments are paths that have to lie in the scratch folder.
_CHANGES_FILES = {
    "os.remove": ("deletes", (0,)),
    "os.rename": ("renames", (0, 1)),
    "os.rmdir": ("deletes", (0,)),
    "os.truncate": ("changes", (0,)),
    "os.mkdir": ("makes", (0,)),
    "os.link": ("links", (0, 1)),
    "os.symlink": ("links", (1,)),
    "os.chmod": ("changes", (0,)),
    "os.chown": ("changes", (0,)),
    "os.utime": ("changes", (0,)),
    "shutil.rmtree": ("deletes", (0,)),
    "sqlite3.connect": ("opens the database", (0,)),
}
_LEAVES = {
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.system": "starts a process",
    "os.exec": "starts a process",
    "subprocess.Popen": "starts a process",
    "socket.connect": "opens a network connection",
    "socket.getaddrinfo": "opens a network connection",
    "os.kill": "sends a signal",
    "os.killpg": "sends a signal",
}


class Printed(io.RawIOBase):
    """What was printed: the first page of it, and how much more there was.

    `stream` is to take the place of standard output; a million lines cost a second there.
    """

    def __init__(self) -> None:
        self.kept = bytearray()
        self.size = 0
        self.stream = io.TextIOWrapper(
            io.BufferedWriter(self, 2**16), encoding="utf-8", errors="backslashreplace"
        )

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take in some bytes."""
        size = len(data)
        self.kept += bytes(data[: max(PRINTED - self.size, 0)])
        self.size += size
        return size

    def text(self) -> str:
        """Return what was kept."""
        with contextlib.suppress(ValueError):  # closed by whoever printed
            self.stream.flush()
        more = f"\n... and {self.size - PRINTED:,} bytes more" if self.size > PRINTED else ""
        return self.kept.decode("utf-8", errors="ignore") + more


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for one attempt, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="genailab-learn-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def let_go_of_descriptors(*, keep: int) -> None:
    """Turn every open file of this process but ``keep`` into the null device.

    A forked child has all of its parent's: a notebook's connections, the channel in which the warm process
    answers. None is closed, for its number would be given to the next file that is opened.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/dev/fd"):
        if int(name) not in (keep, nothing):
            os.dup2(nothing, int(name))


def limit_resources(*, seconds: float, megabytes: int) -> None:
    """Limit this process for good: time, memory beyond what it has now, and size of a file."""
    # The clock is the parent's to watch; these two end what outlives its parent.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(2 * seconds) + 5)
    _lower(resource.RLIMIT_CPU, int(4 * seconds) + 5)
    _lower(resource.RLIMIT_FSIZE, LARGEST_FILE)
    _lower(resource.RLIMIT_CORE, 0)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    now = _address_space()
    if now is not None:  # Linux; elsewhere the limit on address space is not kept
        _lower(resource.RLIMIT_AS, now + megabytes * 2**20)


def _lower(kind: int, limit: int) -> None:
    # Clusters set limits of their own, which cannot be raised.
    _, hard = resource.getrlimit(kind)
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(kind, (limit, limit))


def _address_space() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def confine(folder: Path) -> None:
    """Refuse for good, in this process, to write outside ``folder``, start processes or use the network."""
    inside = str(folder)
    tempfile.tempdir = os.environ["TMPDIR"] = inside
    sys.dont_write_bytecode = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = (isinstance(mode, str) and any(letter in mode for letter in "wax+")) or (
                isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            )
            if writes:
                _refuse_outside(path, inside, "writes")
        elif event in _CHANGES_FILES:
            deed, places = _CHANGES_FILES[event]
            if not (event == "os.mkdir" and os.path.isdir(arguments[0])):  # which changes nothing
                for place in places:
                    _refuse_outside(arguments[place], inside, deed)
        elif event in _LEAVES:
            _refuse_leaving(event, _LEAVES[event])

    sys.addaudithook(watch)
    _confine_unaudited(inside)


def _confine_unaudited(inside: str) -> None:
    # What starts processes or writes files without an audit event: multiprocessing's spawn, and torch.save.
    def no_process(*arguments: object) -> NoReturn:
        _refuse_leaving("multiprocessing", "starts a process")

    for module in (sys.modules.get("_posixsubprocess"), subprocess):
        for name in ("fork_exec", "_fork_exec"):
            if hasattr(module, name):
                setattr(module, name, no_process)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        write = torch._C.PyTorchFileWriter

        def guarded(file: Any, *options: Any) -> Any:
            if isinstance(file, str):
                _refuse_outside(file, inside, "writes")
            return write(file, *options)

        torch._C.PyTorchFileWriter = guarded


def _refuse_leaving(event: str, deed: str) -> NoReturn:
    raise PermissionError(
        f"your code {deed} ({event}), which is not possible in a check: do it in this process "
        "(a DataLoader: num_workers=0)"
    )


def _refuse_outside(path: Any, inside: str, deed: str) -> None:
    if not isinstance(path, str | bytes | os.PathLike):
        return  # a descriptor: what it is of was asked about when it was opened
    place = os.path.realpath(os.fsdecode(path))
    if place != os.devnull and place != inside and not place.startswith(inside + os.sep):
        raise PermissionError(
            f"your code {deed} {os.fsdecode(path)!r}: in a check only files in the current folder may be "
            "written, and it is a scratch folder"
        )

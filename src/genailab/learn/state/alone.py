"""One watcher a workspace: two would check each save twice and both write progress."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from genailab.errors import InputError
from genailab.learn.state.workspace import Workspace

__all__ = ["only_watcher"]


@contextmanager
def only_watcher(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace's lock until the end of the block; the system frees it also when a process dies.

    Raises
    ------
    InputError
        If another process holds it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(workspace.state / "watch.lock", timeout=0)
    number = workspace.state / "watch.pid"  # not in the lock itself: whoever asks for that empties it
    try:
        lock.acquire()
        number.write_text(f"{os.getpid()}\n")
    except Timeout as error:
        raise InputError(
            f"this workspace is watched already (process {_read(number)}): look there for the verdicts, or "
            "check one file here with genailab learn check ID"
        ) from error
    except (OSError, NotImplementedError):
        pass  # read-only, or a file system without locks: nothing would be written twice, or nobody can tell
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if lock.is_locked:
                number.unlink(missing_ok=True)
            lock.release()


def _read(path: os.PathLike[str]) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip() or "unknown"
    except (OSError, ValueError):
        return "unknown"

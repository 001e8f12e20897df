"""Which of the learner's files were saved: asked for by looking at them, again and again.

Looking (twenty times a second, a few dozen files) works on every file system, also on those that send no
events (network folders, containers, WSL), and costs next to nothing.
"""

from __future__ import annotations

from pathlib import Path

from genailab.learn.content import Exercise
from genailab.learn.state.workspace import Workspace

__all__ = ["GONE_AFTER", "POLL", "SavedFiles"]

POLL = 0.05  # seconds
GONE_AFTER = 30  # looks: editors that rename over a file leave it absent for a moment

# What changes when a file is written, also within one tick of a coarse clock.
Signature = tuple[int, int, int, int]


class SavedFiles:
    """The exercise files of a workspace, as they were when last looked at."""

    def __init__(self, workspace: Workspace) -> None:
        self.files = {workspace.path_of(exercise): exercise for exercise in workspace.exercises}
        self._seen = {path: _signature(path) for path in self.files}
        self._settling: dict[Path, Signature | None] = {}
        self._absent: dict[Path, int] = {}

    def look(self) -> list[Exercise]:
        """Return the exercises whose file was saved and is the same in two looks; editors write in steps."""
        saved = []
        for path, exercise in self.files.items():
            now = _signature(path)
            if now == self._seen[path]:
                self._settling.pop(path, None)
            elif now is not None and self._settling.get(path) == now:
                del self._settling[path]
                self._seen[path] = now
                saved.append(exercise)
            else:
                self._settling[path] = now
        return saved

    def gone(self) -> list[Exercise]:
        """Return the exercises whose file was there and has now been absent for a while, once each."""
        gone = []
        for path, exercise in self.files.items():
            if self._seen[path] is None or self._settling.get(path, ()) is not None:
                self._absent.pop(path, None)
                continue
            self._absent[path] = self._absent.get(path, 0) + 1
            if self._absent[path] == GONE_AFTER:
                self._seen[path] = None
                gone.append(exercise)
        return gone


def _signature(path: Path) -> Signature | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino

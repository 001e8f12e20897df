"""The folder a run writes to: refused where it would overwrite, and never left with half a file."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import MemoryHandler
from pathlib import Path

from genailab.errors import InputError

__all__ = ["RunFolder", "full_disk_in_one_sentence"]

CONFIG = "config.yaml"
LOG = "run.log"
# Tells our config.yaml from another tool's, whose folder is not ours to clear.
MARK = "# Settings of a genailab run.\n"
# Everything a run writes; nothing else is ever removed.
FILES = ("metrics.json", "generated.h5ad", "report.html", "split.json", "cells.csv", LOG)
FOLDERS = ("model", "training")


class RunFolder:
    """A folder that holds one run: `open` it, then `start` once the input is known to be good."""

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self.path = path
        self.resume = resume
        self.started = False
        self._made = False
        self._log: MemoryHandler | None = None

    @classmethod
    def open(cls, path: str | Path, *, resume: bool = False, overwrite: bool = False) -> RunFolder:
        """Make the folder, or see that an earlier run's may be taken over; nothing in it is changed yet.

        Raises
        ------
        InputError
            If it holds a run and neither ``resume`` nor ``overwrite`` is asked for, holds something that is
            no run, or cannot be written to.
        """
        run = cls(Path(path), resume=resume)
        if resume and overwrite:
            raise InputError("asked both to resume and to overwrite the run: choose one")
        if run.path.exists() and not run.path.is_dir():
            raise InputError(f"{run.path} is a file: give a folder for the run's output")
        if resume and not run.holds_run:
            raise InputError(f"{run.path} holds no run to resume: give its folder, or start without --resume")
        if not resume:
            run._check_free(overwrite)
        run._check_writable()
        return run

    @property
    def holds_run(self) -> bool:
        """Whether a run was started here."""
        try:
            return (self.path / CONFIG).read_bytes().startswith(MARK.encode())
        except OSError:
            return False

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def start(self, config: str) -> None:
        """Make the folder this run's: clear an earlier one, unless it is resumed, and write ``config``."""
        if not self.resume:
            self._clear()
            self.write_text(CONFIG, MARK + config)
        self.started = True
        if self._log is not None:
            self._log.capacity = 1  # from here on line by line
            self._log.flush()

    def write(self, name: str, write: Callable[[Path], object]) -> Path:
        """Let ``write(path)`` make a file beside its final place and rename it: whole or not at all."""
        place = self.path / name
        beside = place.with_name(f".{place.stem}.part{place.suffix}")
        with full_disk_in_one_sentence(place):
            try:
                write(beside)
                os.replace(beside, place)
            finally:
                beside.unlink(missing_ok=True)
        return place

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file whole or not at all."""
        return self.write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def write_folder(self, name: str, write: Callable[[Path], object]) -> Path:
        """Like `write`, for a folder."""
        place = self.path / name
        beside = place.with_name(f".{place.name}.part")
        with full_disk_in_one_sentence(place):
            shutil.rmtree(beside, ignore_errors=True)
            try:
                write(beside)
                shutil.rmtree(place, ignore_errors=True)
                os.replace(beside, place)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        return place

    @contextmanager
    def log(self) -> Iterator[logging.Logger]:
        """Append what the library logs, with the time, to ``run.log``; before `start` it is held back.

        Where the run never starts, because its input is wrong, nothing is left behind.
        """
        logger = logging.getLogger("genailab")
        file = _QuietFileHandler(self.path / LOG, encoding="utf-8", delay=True)
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._log = MemoryHandler(10_000, flushLevel=logging.CRITICAL + 1, target=file, flushOnClose=False)
        level = logger.level
        logger.addHandler(self._log)
        logger.setLevel(logging.INFO)
        try:
            yield logger
        finally:
            logger.removeHandler(self._log)
            logger.setLevel(level)
            self._log.close()
            file.close()
            if self._made and not self.started:
                self.path.rmdir()

    def _check_free(self, overwrite: bool) -> None:
        if not self.path.is_dir():
            return
        if self.holds_run and not overwrite:
            raise InputError(
                f"{self.path} already holds a run: resume it with --resume, replace it with --overwrite"
            )
        others = [path.name for path in self.path.iterdir() if not _is_leftover(path)]
        if others and not self.holds_run:
            raise InputError(
                f"{self.path} holds no run but other things ({min(others)!r}): give an empty or a new folder"
            )

    def _clear(self) -> None:
        for path in self.path.iterdir():
            if path.name in FILES or (_is_leftover(path) and not path.is_dir()):
                path.unlink()
            elif path.name in FOLDERS or _is_leftover(path):
                shutil.rmtree(path)

    def _check_writable(self) -> None:
        probe = self.path / ".writable"
        self._made = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise InputError(
                f"cannot write to {self.path}: {error.strerror}; give another folder with --out"
            ) from error


class _QuietFileHandler(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Pass over a line that can't be written: a full disk is told where it stops the run."""


def _is_leftover(path: Path) -> bool:
    """Whether a run that was killed left this half-written."""
    names = (*FILES, *FOLDERS, CONFIG)
    return path.name == ".writable" or (
        ".part" in path.name
        and any(path.name.lstrip(".").startswith(Path(name).stem + ".") for name in names)
    )


@contextmanager
def full_disk_in_one_sentence(place: Path) -> Iterator[None]:
    """Say what to do when the disk is full; other errors pass."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # safetensors and HDF5 have errors of their own for it
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not full and "No space left" not in str(error):
            raise
        raise InputError(
            f"the disk is full: {place} could not be written; free some space and go on with --resume"
        ) from error

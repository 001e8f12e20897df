"""The folder a run writes to: refused where it would overwrite, and never left with half a file."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from genailab.errors import InputError

__all__ = ["RunFolder"]

CONFIG = "config.yaml"
# Everything a run writes; nothing else is ever removed.
FILES = ("metrics.json", "generated.h5ad", "report.html", CONFIG, "run.log", "split.json", "cells.csv")
FOLDERS = ("model", "training")


class RunFolder:
    """A folder that holds one run. Open it with `RunFolder.open`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: str | Path, *, resume: bool = False, overwrite: bool = False) -> RunFolder:
        """Make the folder, or take over an earlier run's.

        Raises
        ------
        InputError
            If it holds a run and neither ``resume`` nor ``overwrite`` is asked for, holds something that is no
            run, or cannot be written to.
        """
        run = cls(Path(path))
        if resume and overwrite:
            raise InputError("asked both to resume and to overwrite the run: choose one")
        if resume and not run.holds_run:
            raise InputError(f"{run.path} holds no run to resume (no {CONFIG}): give its folder, or start without resume")
        if run.path.exists() and not run.path.is_dir():
            raise InputError(f"{run.path} is a file: give a folder for the run's output")
        if run.path.is_dir() and any(run.path.iterdir()) and not resume:
            run._make_room(overwrite)
        run._check_writable()
        return run

    @property
    def holds_run(self) -> bool:
        """Whether a run was started here."""
        return (self.path / CONFIG).is_file()

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def write(self, name: str, write: Callable[[Path], object]) -> Path:
        """Let ``write(path)`` make a file beside its final place, then rename it: it appears whole or not at all."""
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
        """Append what the library logs, with the time, to ``run.log``."""
        logger = logging.getLogger("genailab")
        handler = logging.FileHandler(self.path / "run.log", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield logger
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
            handler.close()

    def _make_room(self, overwrite: bool) -> None:
        if not self.holds_run:
            raise InputError(f"{self.path} is not empty and holds no run: give an empty or a new folder")
        if not overwrite:
            raise InputError(f"{self.path} already holds a run: resume it with --resume, replace it with --overwrite")
        for name in FILES:
            (self.path / name).unlink(missing_ok=True)
        for name in FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)

    def _check_writable(self) -> None:
        probe = self.path / ".writable"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise InputError(f"cannot write to {self.path}: {error.strerror}; give another folder with --out") from error


@contextmanager
def full_disk_in_one_sentence(place: Path) -> Iterator[None]:
    """Say what to do when the disk is full; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) and "No space left" not in str(error):
            raise
        raise InputError(
            f"the disk is full: {place} could not be written; free some space and go on with --resume"
        ) from error

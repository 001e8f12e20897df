"""Ask the warm process for a verdict; start it when it is needed, and again when it has died."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from genailab.errors import InputError
from genailab.learn.content import Exercise
from genailab.learn.outcomes import Verdict

__all__ = ["Checker"]

ENVIRONMENT = {
    # One thread each: a forked child inherits none of its parent's, and exercises are small.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    # The order of a set of texts is the same again with the same seed.
    "PYTHONHASHSEED": "0",
}


class Checker:
    """A context in which learners' files are checked.

    ``Checker()`` starts loading torch in the background at once; `check` waits for it. It may be asked from
    several threads: they take turns.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self.process = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check(self, exercise: Exercise, path: Path, *, seed: int) -> Verdict:
        """Return the verdict on a learner's file.

        Raises
        ------
        InputError
            If the file cannot be read, or the exercise's own checks are broken.
        """
        if path.is_dir():
            raise InputError(f"{path} is a folder: give the file of {exercise.id}, {exercise.file_name}")
        if not path.is_file():
            raise InputError(
                f"there is no file {path}: genailab learn reset {exercise.id} gives you a new one"
            )
        request = {"id": exercise.id, "path": str(path.resolve()), "seed": seed}
        with self._turn:
            answer = self._ask(request) or self._ask(request)
        if answer is None:
            raise InputError(
                "the process that checks ended twice: is there enough memory? see genailab doctor"
            )
        if "error" in answer:
            raise InputError(f"the checks of {exercise.id} could not run: {answer['error']}")
        return Verdict.from_json(answer["verdict"])

    def close(self) -> None:
        """End the warm process."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # it has died before
                    pipe.close()
        self.process.terminate()
        self.process.wait()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            # -P: a file of the learner's, such as random.py, hides no library of the same name.
            [sys.executable, "-P", "-m", "genailab.learn.checking.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ENVIRONMENT},
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is the watcher's to answer
        )

    def _ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                answer: dict[str, Any] = json.loads(line)
                if "ready" not in answer:
                    return answer
        except (BrokenPipeError, ValueError):
            pass
        self.close()
        self.process = self._start()
        return None

"""How long a learner waits: from a save to its verdict, and from ``genailab learn`` to the first check.

Drives the real command: it begins in an empty folder, then one file after another is saved and the verdict
waited for on its output. The machine time is that of the command and of all processes it has started.
"""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from machine import save_result

from genailab.learn.content import Exercise, exercises

COMMAND = [str(Path(sys.executable).with_name("genailab")), "learn"]
VERDICT = "checks passed."  # stands in each verdict that is no pass
SAVES = 30
LONGEST = 180.0


class Watcher:
    """The command, and when each line of its output came."""

    def __init__(self, folder: Path) -> None:
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            COMMAND,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
        )
        self.lines: list[tuple[float, str]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def wait_for(self, words: str, *, after: float) -> float:
        """Return when a line with these words came."""
        while time.perf_counter() - after < LONGEST:
            found = [moment for moment, line in self.lines if moment > after and words in line]
            if found:
                return found[0]
            time.sleep(0.002)
        raise TimeoutError(words + "\n" + "".join(line for _, line in self.lines[-20:]))

    def end(self) -> None:
        """Press Ctrl-C: it ends what it has started, so that its processor time is known."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((time.perf_counter(), line))


def main() -> None:
    chosen = [exercise for exercise in exercises() if exercise.seconds <= 5 and exercise.wrong]
    whole, _ = session(chosen, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The first save of each exercise loads its checks: it counts like any other.
    rounds = sorted(session(chosen, SAVES)[1])
    save_result(
        "learn_speed",
        {
            "exercises": [exercise.id for exercise in chosen],
            "load_of_the_machine": os.getloadavg()[0],
            "from_command_in_an_empty_folder_to_first_verdict": {
                "seconds": round(whole, 3),
                "processor_seconds": round(used.ru_utime + used.ru_stime, 3),
            },
            "seconds_from_save_to_verdict": {
                "saves": len(rounds),
                "median": round(statistics.median(rounds), 3),
                "p95": round(rounds[int(0.95 * (len(rounds) - 1))], 3),
                "max": round(rounds[-1], 3),
            },
        },
    )


def session(chosen: list[Exercise], saves: int) -> tuple[float, list[float]]:
    """Begin in an empty folder; return the seconds to the first verdict, and those of each save after it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        watcher = Watcher(folder)
        try:
            begun = watcher.wait_for("Each save is checked", after=watcher.started)
            files = {path.name: path for path in folder.rglob("*.py")}
            first = save(watcher, chosen[0], files, 0)
            rounds = [save(watcher, chosen[n % len(chosen)], files, n) for n in range(1, saves + 1)]
        finally:
            watcher.end()
    return begun - watcher.started + first, rounds


def save(watcher: Watcher, exercise: Exercise, files: dict[str, Path], number: int) -> float:
    """Save a wrong answer; return how long its verdict took."""
    wrong = exercise.wrong[number % len(exercise.wrong)]
    saved = time.perf_counter()
    files[exercise.file_name].write_text(f"{wrong.read_text()}\n# save {number}\n")
    return watcher.wait_for(VERDICT, after=saved) - saved


if __name__ == "__main__":
    main()

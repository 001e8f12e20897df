"""How long a user waits for ``genailab --help`` and ``import genailab``: 21 fresh processes each."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import save_result

PYTHON = sys.executable
COMMANDS = {
    "genailab --help": [str(Path(PYTHON).with_name("genailab")), "--help"],
    "import genailab": [PYTHON, "-c", "import genailab"],
    "python alone": [PYTHON, "-c", "pass"],
}


def main() -> None:
    """Take turns, so that a slow moment of the machine touches all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(22):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - started)
    summary = {
        name: {"min": min(values[1:]), "median": statistics.median(values[1:]), "max": max(values[1:])}
        for name, values in seconds.items()
    }
    save_result("startup", {"seconds": summary})


if __name__ == "__main__":
    main()

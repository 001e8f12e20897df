"""Where and when a number was measured: kept with every result."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["describe_machine", "save_result"]

RESULTS = Path(__file__).parent / "results"


def describe_machine(packages: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return processor, memory, device, versions and date."""
    import torch

    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "genailab", *packages)},
    }


def save_result(name: str, result: dict[str, Any], *, packages: tuple[str, ...] = ()) -> Path:
    """Write the result with its machine to ``benchmarks/results`` and print it."""
    RESULTS.mkdir(exist_ok=True)
    place = RESULTS / f"{name}.json"
    text = json.dumps({"machine": describe_machine(packages), **result}, indent=2)
    place.write_text(text + "\n")
    print(text)
    return place


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()

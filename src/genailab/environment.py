"""What this machine offers and what is missing on it.

Everything but the devices is answered without importing torch, which takes seconds: versions are read from
the installed packages' metadata.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["Device", "Environment", "Extra", "find_devices", "inspect"]

PACKAGE = "genailab"


@dataclass(frozen=True, kw_only=True)
class Device:
    """Something that torch can compute on.

    ``name`` is what ``torch.device`` takes ("cpu", "cuda:0", "mps"); ``memory_bytes`` is its own memory, None
    where it shares the machine's.
    """

    name: str
    description: str
    memory_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Extra:
    """An optional part of the installation, what it still lacks and the command that adds it."""

    name: str
    missing: tuple[str, ...]
    install: str


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The machine as genailab sees it; sizes in bytes, None where the system doesn't tell.

    ``missing`` names what the core needs and lacks, each with the version found, and ``install`` is the
    command that adds it; ``devices`` is None until probed.
    """

    python_version: str
    python_path: str
    genailab_version: str
    torch_version: str | None
    cpu_threads: int
    memory_bytes: int | None
    memory_free_bytes: int | None
    disk_path: str
    disk_free_bytes: int
    missing: tuple[str, ...]
    install: str
    extras: tuple[Extra, ...]
    devices: tuple[Device, ...] | None = None


def inspect(*, probe_devices: bool = False) -> Environment:
    """Look at Python, the installed packages, memory and disk, and on request at the devices.

    Parameters
    ----------
    probe_devices
        Also import torch (about two seconds) and ask it for its devices.

    Raises
    ------
    ImportError
        If the devices are asked for and torch is absent or broken.

    Examples
    --------
    >>> inspect().python_version.startswith("3.")
    True
    """
    return Environment(
        python_version=platform.python_version(),
        python_path=sys.executable,
        genailab_version=_installed_version(PACKAGE) or "not installed",
        torch_version=_installed_version("torch"),
        cpu_threads=_usable_cpus(),
        memory_bytes=_sysconf_bytes("SC_PHYS_PAGES"),
        memory_free_bytes=_memory_free(),
        disk_path=os.getcwd(),
        disk_free_bytes=shutil.disk_usage(".").free,
        missing=_missing(extra=""),
        install=_install_command(extra=""),
        extras=tuple(
            Extra(name=name, missing=_missing(extra=name), install=_install_command(extra=name))
            for name in _extra_names()
        ),
        devices=find_devices() if probe_devices else None,
    )


def find_devices() -> tuple[Device, ...]:
    """Ask torch what it can compute on: the CPU, then each CUDA device, then Apple's GPU.

    Raises
    ------
    ImportError
        If torch is absent or broken.
    """
    import torch

    devices = [Device(name="cpu", description=f"{torch.get_num_threads()} threads")]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        devices.append(
            Device(name=f"cuda:{index}", description=properties.name, memory_bytes=properties.total_memory)
        )
    if torch.backends.mps.is_available():
        devices.append(Device(name="mps", description="Apple GPU, shares the machine's memory"))
    return tuple(devices)


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _requirements() -> list[str]:
    try:
        return metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return []  # run from a source tree on the path: nothing declares what it needs


def _missing(*, extra: str) -> tuple[str, ...]:
    """Name the requirements of the core (``extra=""``) or of one extra that are absent or too old."""
    from packaging.requirements import Requirement

    unmet = []
    for line in _requirements():
        requirement = Requirement(line)
        if _belongs_to(requirement.marker, extra):
            found = _installed_version(requirement.name)
            wanted = f"{requirement.name}{requirement.specifier}"
            if found is None:
                unmet.append(wanted)
            elif not requirement.specifier.contains(found, prereleases=True):
                unmet.append(f"{wanted} (found {found})")
    return tuple(unmet)


def _belongs_to(marker: object, extra: str) -> bool:
    # A requirement without an extra is true for every extra, so it is the core's alone.
    from packaging.markers import Marker

    if not isinstance(marker, Marker):
        return extra == ""
    core = marker.evaluate({"extra": ""})
    return core if extra == "" else marker.evaluate({"extra": extra}) and not core


def _extra_names() -> list[str]:
    try:
        return sorted(metadata.metadata(PACKAGE).get_all("Provides-Extra") or [])
    except metadata.PackageNotFoundError:
        return []


def _install_command(*, extra: str) -> str:
    """Write the pip command for this very Python, right from any folder, with the locked versions."""
    checkout = _checkout()
    brackets = f"[{extra}]" if extra else ""
    command = [sys.executable or "python", "-m", "pip", "install"]
    if checkout is None:
        return shlex.join([*command, f"{PACKAGE}{brackets}"])
    if (checkout / "constraints.txt").is_file():
        command += ["-c", str(checkout / "constraints.txt")]
    return shlex.join([*command, "-e", f"{checkout}{brackets}"])


def _checkout() -> Path | None:
    """Find the folder of an editable installation (PEP 610), None for any other."""
    try:
        text = metadata.distribution(PACKAGE).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    origin = json.loads(text) if text else {}
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(origin["url"]).path))


def _usable_cpus() -> int:
    # A job scheduler or container may grant fewer than the machine has; macOS has no affinity to ask.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_free() -> int | None:
    # Linux's page count leaves out the file cache, which is given up on demand: MemAvailable counts it.
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return None  # macOS tells only through its own tools
    return _sysconf_bytes("SC_AVPHYS_PAGES")


def _sysconf_bytes(pages: str) -> int | None:
    if pages not in os.sysconf_names:
        return None
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")

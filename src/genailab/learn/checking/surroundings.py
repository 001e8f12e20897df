"""What the learner's code finds around it, and has to leave as it was: torch's settings and the libraries.

A file that sets the default dtype, or gives ``torch.allclose`` another meaning, changes it for everything
that runs after it. In a check both are put back, and the learner is told.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

__all__ = ["Libraries", "begin_random_numbers", "settings_put_back"]

# Names in these are not the learner's to replace; those that begin with an underscore count in a class.
WATCHED = (
    *("builtins", "ast", "copy", "dataclasses", "json", "json.encoder", "numpy", "numpy.linalg"),
    *("numpy.random", "torch", "torch.autograd", "torch.linalg", "torch.nn", "torch.nn.functional"),
)
ENGINE = ("genailab.learn.", "genailab_check_")
# What Python itself adds to a class when it is first asked for.
_LAZY = {
    "__annotations__",
    "__annotations_cache__",
    "__slotnames__",
    "__signature__",
    "__static_attributes__",
}
_MISSING = object()
_TORCH = str(Path(torch.__file__).parent)


@dataclass(frozen=True)
class _Setting:
    """One of torch's settings: what it usually is, and how it is read and written."""

    name: str
    usual: Any
    read: Callable[[], Any]
    write: Callable[[Any], Any]


_SETTINGS = (
    _Setting("the default dtype", torch.float32, torch.get_default_dtype, torch.set_default_dtype),
    _Setting(
        "the default device",
        torch.device("cpu"),
        torch.get_default_device,
        lambda _: torch.set_default_device(None),
    ),
    _Setting("whether gradients are recorded", True, torch.is_grad_enabled, torch.set_grad_enabled),
    _Setting(
        "deterministic algorithms",
        False,
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
    # The threads of the parent's pool are not in a forked child: a parallel loop would wait for ever.
    _Setting("the number of threads", 1, torch.get_num_threads, torch.set_num_threads),
)


def settings_put_back() -> list[str]:
    """Put torch's settings back to what they usually are; return those that were not, in words."""
    changed = []
    for setting in _SETTINGS:
        value = setting.read()
        if value != setting.usual:
            setting.write(setting.usual)
            changed.append(f"{setting.name} ({value})")
    return changed


def begin_random_numbers(seed: int, place: str = "") -> None:
    """Seed the global generators, so that what the learner's code draws is the same again with this seed."""
    mixed = int(np.random.default_rng([seed, *place.encode()]).integers(2**32))
    random.seed(mixed)
    np.random.seed(mixed)  # noqa: NPY002  # the learner's code may use it
    torch.default_generator.manual_seed(mixed)


class Libraries:
    """The names of the libraries and of the engine as they are when this is made."""

    def __init__(self) -> None:
        self._known = [(owner, _names_of(owner)) for owner in _owners()]

    def put_back(self) -> list[str]:
        """Put back what was replaced since; return the dotted names."""
        found: list[str] = []
        for owner, before in self._known:
            now = vars(owner)
            for name, (value, code) in before.items():
                new = now.get(name, _MISSING)
                if new is not value and _is_torchs_own(name, new):
                    continue
                if new is not value:
                    setattr(owner, name, value)
                elif code is not None and value.__code__ is not code:
                    value.__code__ = code
                else:
                    continue
                found.append(f"{_dotted(owner)}.{name}")
            for name in _added(owner, before):
                delattr(owner, name)
                found.append(f"{_dotted(owner)}.{name}")
        return found


def _is_torchs_own(name: str, value: Any) -> bool:
    """Return whether torch put it there: it wraps manual_seed when its compiler is imported, for example."""
    if isinstance(value, FunctionType):
        return value.__name__ == name and value.__code__.co_filename.startswith(_TORCH)
    return isinstance(value, type) and value.__module__.split(".")[0] == "torch"


def _owners() -> Iterator[Any]:
    yield from (sys.modules[name] for name in WATCHED if name in sys.modules)
    yield torch.Tensor
    yield torch.nn.Module
    for module in [module for name, module in sys.modules.items() if name.startswith(ENGINE)]:
        yield module
        own = [value for value in vars(module).values() if isinstance(value, type)]
        yield from (value for value in own if value.__module__ == module.__name__)


def _names_of(owner: Any) -> dict[str, tuple[Any, CodeType | None]]:
    whole = isinstance(owner, type) or owner.__name__.startswith(ENGINE)
    return {
        name: (value, value.__code__ if isinstance(value, FunctionType) else None)
        for name, value in vars(owner).items()
        if (whole or not name.startswith("_")) and not (isinstance(owner, ModuleType) and _is_dunder(name))
    }


def _added(owner: Any, before: dict[str, Any]) -> list[str]:
    new = vars(owner).keys() - before.keys() - _LAZY
    if _dotted(owner).startswith(ENGINE):
        return [name for name in new if isinstance(owner, type) or not _is_dunder(name)]
    # What a class inherits is replaced by adding it.
    bases = owner.__mro__[1:] if isinstance(owner, type) else ()
    return [name for name in new if any(name in vars(base) for base in bases)]


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _dotted(owner: Any) -> str:
    return f"{owner.__module__}.{owner.__qualname__}" if isinstance(owner, type) else str(owner.__name__)

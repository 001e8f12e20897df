"""Generative AI and deep learning for genomics and single cells.

The sub-packages load when they are first used, so that ``import genailab`` stays instant and torch-free.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__version__ = "0.1.0"

_SUBPACKAGES = ("data", "errors", "evaluation", "generative", "nn", "pipelines", "reports", "training")

__all__ = ["__version__", *_SUBPACKAGES]


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"genailab.{name}")
    raise AttributeError(f"module 'genailab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)

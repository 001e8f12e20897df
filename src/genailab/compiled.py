"""Loops that numba compiles.

Importing numba takes half a second: modules with such loops are imported by what needs them, when it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

__all__ = ["compiled"]

OPTIONS: dict[str, Any] = {
    "nogil": True,
    # Inf or nan as in numpy: to check every divisor would cost more than to divide.
    "error_model": "numpy",
    # A sum in any order, so that many terms are added at once; inf and nan keep their meaning.
    "fastmath": {"reassoc", "contract"},
}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays and numbers at its first call, and keep that for the next process."""
    try:
        return numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # no folder can be written to, so that each process compiles for itself
        return numba.njit(**OPTIONS)(function)

"""Loops that numba compiles.

Importing numba takes half a second: modules with such loops are imported by what needs them, when it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

__all__ = ["compiled"]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays and numbers at its first call, and keep that for the next process.

    Dividing by zero gives inf or nan, as in numpy: to check every divisor would cost more than to divide.
    """
    try:
        return numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # no folder can be written to, so that each process compiles for itself
        return numba.njit(nogil=True, error_model="numpy")(function)

"""Single keys, where somebody sits at a terminal."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Keys", "reading_keys"]

# Waits up to so many seconds; returns the key that was pressed, or "".
Keys = Callable[[float], str]
ESCAPE = b"\x1b"


@contextmanager
def reading_keys() -> Iterator[Keys | None]:
    """Read keys without Enter until the end of the block; None where standard input is no terminal."""
    if not sys.stdin.isatty():
        yield None
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)  # Ctrl-C still interrupts
        yield lambda seconds: _key(descriptor, seconds)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _key(descriptor: int, seconds: float) -> str:
    ready, _, _ = select.select([descriptor], [], [], seconds)
    if not ready:
        return ""
    pressed = os.read(descriptor, 1)
    if not pressed:
        time.sleep(seconds)  # the terminal was closed
    if pressed == ESCAPE:
        # An arrow or function key: its other bytes have come with it.
        while select.select([descriptor], [], [], 0)[0] and os.read(descriptor, 32):
            pass
        return ""
    return pressed.decode("ascii", errors="ignore").lower()

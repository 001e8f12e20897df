"""Stop when asked to, after saving: Ctrl-C, and the SIGTERM of a cluster that takes its machine back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

__all__ = ["Interrupted", "StopRequest", "stop_signals"]


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop and has saved where it was."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


@dataclass
class StopRequest:
    """The signal that asked for the stop, if one has."""

    signal_number: int | None = None


@contextmanager
def stop_signals() -> Iterator[StopRequest]:
    """Turn SIGINT and SIGTERM into a request that the loop answers between two steps.

    A second one stops at once. Outside the main thread, where Python allows no handlers, signals act as
    usual.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def ask(number: int, frame: FrameType | None) -> None:
        if request.signal_number is not None:
            raise KeyboardInterrupt
        request.signal_number = number

    for number in numbers:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

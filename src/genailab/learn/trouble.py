"""What the learner's code raised, as a sentence with their line."""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path

from genailab.learn.outcomes import CheckResult, State

__all__ = ["from_exception"]


def from_exception(check: str, error: BaseException, path: Path) -> CheckResult:
    """Return the result of a check in which the learner's code raised ``error``."""
    line = _line_of(error, path)
    if isinstance(error, NotImplementedError):
        return CheckResult(name=check, state=State.NOT_ATTEMPTED, message="Not written yet.", line=line)
    where = f"Line {line}: " if line else ""
    code = linecache.getline(str(path), line).strip() if line else ""
    return CheckResult(
        name=check,
        state=State.ERROR,
        line=line,
        message=f"{where}{_words(error)}" + (f"\n    {code}" if code else ""),
    )


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split())[:400]
    if isinstance(error, SystemExit):
        return "your code calls sys.exit or exit(), which ends the program: return instead."
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return "your code needs more memory than an exercise may use: is a shape much larger than you meant?"
    if isinstance(error, RecursionError):
        return "a function calls itself without end (RecursionError)."
    if isinstance(error, ModuleNotFoundError):
        return f"{text}: the exercises need only torch, numpy and what comes with genailab."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _line_of(error: BaseException, path: Path) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else None

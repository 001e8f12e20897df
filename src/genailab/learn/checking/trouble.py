"""What the learner's code raised, as a sentence with their line."""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path

from genailab.learn.outcomes import CheckResult, State

__all__ = ["from_exception"]


def from_exception(check: str, error: BaseException, path: Path) -> CheckResult:
    """Return the result of a check in which ``error`` was raised, in the learner's file or on its behalf."""
    line = _line_of(error, path)
    code = linecache.getline(str(path), line).strip() if line else ""
    # Only theirs: torch raises it too, for an operation that a kind of tensor does not have.
    if isinstance(error, NotImplementedError) and "NotImplementedError" in code:
        return CheckResult(name=check, state=State.NOT_ATTEMPTED, message="Not written yet.", line=line)
    where = f"Line {line}: " if line else "The check could not use what your code gives: "
    return CheckResult(
        name=check,
        state=State.ERROR,
        line=line,
        message=f"{where}{_words(error)}" + (f"\n    {code}" if code else ""),
    )


def _words(error: BaseException) -> str:
    text = _text(error)
    if isinstance(error, SystemExit):
        return "your code calls sys.exit or exit(), which ends the program: return instead."
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return "your code needs more memory than an exercise may use: is a shape much larger than you meant?"
    if isinstance(error, RecursionError):
        return "a function calls itself without end (RecursionError)."
    if isinstance(error, ModuleNotFoundError):
        return f"{text}: the exercises need only torch, numpy and what comes with genailab."
    if "before Module.__init__() call" in text:
        return "call super().__init__() first: nn.Module keeps the layers in what that prepares."
    if isinstance(error, ImportError) and "relative import" in text:
        return f"{text}: a file beside yours is imported by its name alone, without a dot."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _text(error: BaseException) -> str:
    try:
        return " ".join(str(error)[:2000].split())[:400]
    except Exception:  # an exception class of the learner's whose __str__ fails
        return ""


def _line_of(error: BaseException, path: Path) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else None

"""Load an exercise's checks, and the learner's code, from their files."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import linecache
import sys
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from genailab.errors import InputError
from genailab.learn.checking import Check, checks_of
from genailab.learn.content import Exercise
from genailab.learn.outcomes import CheckResult, State

__all__ = ["checks_of_exercise", "load_source", "preload", "read_source", "syntax_problem"]

LARGEST = 1_000_000  # bytes: the parser takes a hundred times as much memory


def checks_of_exercise(exercise: Exercise) -> tuple[Check, ...]:
    """Return the checks of an exercise; its ``check.py`` is loaded anew when it changes."""
    path = exercise.folder / "check.py"
    return _checks(path, path.stat().st_mtime_ns)


@cache
def _checks(path: Path, changed: int) -> tuple[Check, ...]:
    module = load_module(path, f"genailab_check_{path.parent.name}_{changed}")
    found = checks_of(module)
    if not found:
        raise InputError(f"{path} defines no check")
    return found


@cache
def preload(starter: str) -> None:
    """Import what a starter imports, once, so that no forked child has to."""
    for node in ast.walk(ast.parse(starter)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        for name in names:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def load_module(path: Path, name: str) -> ModuleType:
    """Load a file as a module of this name."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def read_source(path: Path) -> str:
    """Return the text of a learner's file, as Python would read it (marks of order, encodings, line ends).

    Raises
    ------
    InputError
        If it cannot be read, is too large, or is not text in the encoding that it claims.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST else None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror}): save it again") from error
    if data is None:
        raise InputError(
            f"{path.name} has more than {LARGEST:,} bytes: an exercise needs a few thousand; keep data apart"
        )
    try:
        return importlib.util.decode_source(data)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not text in UTF-8{_undecodable(data)}: save it as UTF-8") from error


def _undecodable(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return f" (line {line} has the byte 0x{data[error.start]:02x})"
    return " (it claims another encoding)"


def syntax_problem(source: str, path: Path) -> CheckResult | None:
    """Return what is wrong with a file that is not Python, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an escape such as "\d": nobody reads them here
            compile(source, str(path), "exec", dont_inherit=True)
            ast.dump(ast.parse(source))
    except (RecursionError, MemoryError):
        return _unreadable(path.name, None, "its expressions are nested too deeply", "")
    except (SyntaxError, ValueError) as error:  # ValueError: a null character
        line = getattr(error, "lineno", None)
        text = (getattr(error, "text", None) or "").strip()[:200]
        return _unreadable(path.name, line, getattr(error, "msg", str(error)), text)
    return None


def _unreadable(file: str, line: int | None, reason: str, text: str) -> CheckResult:
    where = f"line {line} of {file}" if line else file
    return CheckResult(
        name="Your file is Python",
        state=State.ERROR,
        line=line,
        message=f"Python cannot read {where}: {reason}." + (f" It reads: {text}" if text else ""),
    )


def load_source(source: str, path: Path) -> dict[str, Any]:
    """Run the learner's file as a module and return what it defines.

    It may import files beside it, by their name alone; none of them hides a library of the same name.
    """
    module = ModuleType("attempt")
    module.__file__ = str(path)
    sys.modules["attempt"] = module
    sys.path.append(str(path.parent))
    # So that a traceback shows the line that was checked, also if the file is saved again meanwhile.
    linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
    exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    return module.__dict__

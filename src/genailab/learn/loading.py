"""Load an exercise's checks, and the learner's code, from their files."""

from __future__ import annotations

import ast
import importlib.util
import linecache
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from genailab.errors import InputError
from genailab.learn.checking import Check, checks_of
from genailab.learn.content import Exercise
from genailab.learn.outcomes import CheckResult, State

__all__ = ["checks_of_exercise", "load_source", "syntax_problem"]


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


def load_module(path: Path, name: str) -> ModuleType:
    """Load a file as a module of this name."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def syntax_problem(source: str, path: Path) -> CheckResult | None:
    """Return what is wrong with a file that is not Python, or None."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError) as error:  # ValueError: a null character
        line = getattr(error, "lineno", None)
        text = (getattr(error, "text", None) or "").strip()
        where = f"line {line} of {path.name}" if line else path.name
        reason = getattr(error, "msg", str(error))
        return CheckResult(
            name="Your file is Python",
            state=State.ERROR,
            line=line,
            message=f"Python cannot read {where}: {reason}." + (f" It reads: {text}" if text else ""),
        )
    return None


def load_source(source: str, path: Path) -> dict[str, Any]:
    """Run the learner's file as a module and return what it defines."""
    module = ModuleType("attempt")
    module.__file__ = str(path)
    sys.modules["attempt"] = module
    # So that a traceback shows the line that was checked, also if the file is saved again meanwhile.
    linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module.__dict__

"""What a file may not use, in its syntax tree and while it runs; and what it has left as it was."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from unittest.mock import patch

__all__ = ["Forbidden", "broken_rule", "changed_lines", "same_code", "unchanged_from"]


@dataclass(frozen=True)
class Forbidden:
    """A dotted name that may not be used, what to say then, and what the mistake is called."""

    name: str
    message: str
    mistake: str

    def line_in(self, tree: ast.AST) -> int | None:
        """Return the line in which the last part of the name is used, or None."""
        last = self.name.rpartition(".")[2]
        for node in ast.walk(tree):
            used = {getattr(node, "attr", None), getattr(node, "id", None)}
            if isinstance(node, ast.Import | ast.ImportFrom):
                used |= {part for alias in node.names for part in alias.name.split(".")}
            if last in used:
                return int(getattr(node, "lineno", 0))
        return None


class _Broken(BaseException):
    """Raised inside the learner's code, past its ``except Exception``."""


@contextmanager
def broken_rule(rules: tuple[Forbidden, ...]) -> Iterator[list[Forbidden]]:
    """Guard the names while the learner's code runs; the list yielded holds the rule that was broken."""
    broken: list[Forbidden] = []

    def guard(rule: Forbidden) -> Any:
        def refuse(*arguments: object, **options: object) -> None:
            broken.append(rule)
            raise _Broken

        return refuse

    with ExitStack() as stack:
        for rule in rules:
            owner, _, name = rule.name.rpartition(".")
            stack.enter_context(patch.object(_resolve(owner), name, guard(rule)))
        with suppress(_Broken):
            yield broken


def _resolve(dotted: str) -> Any:
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:size]))
        except ImportError:
            continue
        for part in parts[size:]:
            found = getattr(found, part)
        return found
    raise LookupError(dotted)


def same_code(one: str, other: str) -> bool:
    """Return whether two files differ in nothing but comments and spacing."""
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return one == other


def unchanged_from(starter: str, tree: ast.Module, name: str) -> bool:
    """Return whether a function, class or assigned value is still as it was in the starter."""
    before, now = _definition(ast.parse(starter), name), _definition(tree, name)
    return before is not None and now is not None and ast.dump(before) == ast.dump(now) and _is_stub(before)


def _definition(tree: ast.Module, name: str) -> ast.AST | None:
    found: ast.AST | None = None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            found = node
        if isinstance(node, ast.Assign) and any(
            getattr(target, "id", None) == name for target in node.targets
        ):
            found = node
    return found


def _is_stub(node: ast.AST) -> bool:
    # Something is left to be written: a body of pass or ..., a name set to None, or the error that says so.
    for part in ast.walk(node):
        if isinstance(part, ast.Pass) or getattr(part, "id", None) == "NotImplementedError":
            return True
        value = part.value if isinstance(part, ast.Assign | ast.Expr | ast.Return) else None
        if isinstance(value, ast.Constant) and value.value in (None, ...):
            return True
    return False


def changed_lines(before: str, after: str) -> int:
    """Return how many lines of ``before`` were replaced, removed or added to, blank ones aside."""
    old, new = (
        [line.rstrip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
        for text in (before, after)
    )
    steps = difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in steps if tag != "equal")

"""What a file may not use, in its syntax tree and while it runs; and what it has left as it was."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
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

    def line_in(self, tree: ast.AST, names: Mapping[str, Any] | None = None) -> int | None:
        """Return the line in which it is used, under whatever name it was imported, or None.

        A method (its owner is a class) counts wherever an attribute of its name is used. A variable or a
        function of the learner's own that happens to have the name does not count. ``names`` is what the
        file defines, where that is known: something may be called otherwise there.
        """
        owner, _, last = self.name.rpartition(".")
        imported = _imports(tree)
        own = {getattr(node, "name", None) for node in ast.walk(tree)}
        is_method = isinstance(_resolve(owner), type) and last not in own
        target = getattr(_resolve(owner), last)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute | ast.Name):
                dotted = _dotted(node, imported)
                used = dotted == self.name or (dotted is None and _attribute(node) == last and is_method)
                if used or (isinstance(node, ast.Name) and (names or {}).get(node.id) is target):
                    return node.lineno
            if isinstance(node, ast.Call) and _gets_attribute(node, last):
                return node.lineno
        return None


def _gets_attribute(node: ast.Call, name: str) -> bool:
    texts = [getattr(argument, "value", None) for argument in node.args]
    return getattr(node.func, "id", None) == "getattr" and name in texts


def _imports(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for: ``F`` for ``torch.nn.functional``."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.split(".")[0]
                found[alias.asname or name] = name
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _dotted(node: ast.AST, imported: Mapping[str, str]) -> str | None:
    """Return the full name of an expression that begins with something imported, or None."""
    if isinstance(node, ast.Name):
        return imported.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value, imported)
        return None if owner is None else f"{owner}.{node.attr}"
    return None


def _attribute(node: ast.AST) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else None


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
    """Return whether a function, class or value that the starter left open is as it was, docstring aside."""
    before, now = _definition(ast.parse(starter), name), _definition(tree, name)
    return before is not None and now is not None and _is_stub(before) and _code(before) == _code(now)


def _definition(tree: ast.Module, name: str) -> ast.AST | None:
    found: ast.AST | None = None
    for node in tree.body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if getattr(node, "name", None) == name or any(
            getattr(target, "id", None) == name for target in targets
        ):
            found = node
    return found


def _code(node: ast.AST) -> list[str]:
    parts = [part for part in ast.iter_child_nodes(node) if not _is_text(part)]
    return [ast.dump(part) for part in parts]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)


def _is_stub(node: ast.AST) -> bool:
    # Something is left to be written: a body of pass or ..., of a docstring alone, a name set to None, or the
    # error that says so.
    if all(_is_text(part) for part in getattr(node, "body", [node])):
        return True
    for part in ast.walk(node):
        if isinstance(part, ast.Pass) or getattr(part, "id", None) == "NotImplementedError":
            return True
        value = part.value if isinstance(part, ast.Assign | ast.AnnAssign | ast.Expr | ast.Return) else None
        if isinstance(value, ast.Constant) and value.value in (None, ...):
            return True
    return False


def changed_lines(before: str, after: str) -> int:
    """Return how few lines of ``before`` can be replaced, removed or added to make ``after``.

    Blank lines and lines of comment do not count. It is the edit distance of Levenshtein (1966), of lines
    where his is of letters.
    """
    old, new = (
        [line.rstrip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
        for text in (before, after)
    )
    steps = list(range(len(new) + 1))
    for row, left in enumerate(old, start=1):
        above, steps[0] = steps[0], row
        for column, right in enumerate(new, start=1):
            above, steps[column] = (
                steps[column],
                min(above + (left != right), steps[column] + 1, steps[column - 1] + 1),
            )
    return steps[-1]

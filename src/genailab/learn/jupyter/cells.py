"""The text of what a notebook's kernel has run: of all its cells, the statements that some names need.

The checks look at the syntax tree (is a function still as in the starter, does it use autograd where it must
not), and a kernel holds functions, not text. A notebook is no file either: what stands in another exercise's
cell must not count.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["cells_of", "source_of", "whole_cell"]


DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class _Statement:
    cell: int
    is_definition: bool
    text: str
    defines: frozenset[str]
    uses: frozenset[str]


def cells_of(namespace: Mapping[str, Any], functions: Iterable[Any] = ()) -> list[str]:
    """Return what was run, oldest first: a kernel's cells, a script's file, or what can be found."""
    if isinstance(namespace.get("In"), list):
        return [cell for cell in namespace["In"] if cell]
    file = namespace.get("__file__")
    if isinstance(file, str) and Path(file).is_file():
        return [Path(file).read_text(encoding="utf-8", errors="replace")]
    found = []
    for function in functions:
        try:
            found.append(inspect.getsource(function))
        except (OSError, TypeError):
            continue  # typed at a prompt that keeps nothing: the rules hold at run time only
    return found


def source_of(cells: Sequence[str], names: Iterable[str]) -> str:
    """Return the last definition of each name and, with it, of all that it uses, in the order they were run.

    A name that is neither a function nor a class brings the whole cell that set it last: a value may be the
    work of every line there.
    """
    statements = [part for number, cell in enumerate(cells) for part in _statements(cell, number)]
    chosen: set[int] = set()
    wanted: list[str] = []
    for name in names:
        place = _last(statements, name)
        if place is not None and not statements[place].is_definition:
            cell = statements[place].cell
            chosen |= {number for number, part in enumerate(statements) if part.cell == cell}
        wanted.append(name)
    wanted += [used for place in chosen for used in statements[place].uses]
    seen = set(wanted)
    while wanted:
        place = _last(statements, wanted.pop())
        if place is None:
            continue
        chosen.add(place)
        new = statements[place].uses - seen
        seen |= new
        wanted += new
    return "\n".join(statements[place].text for place in sorted(chosen))


def whole_cell(cells: Sequence[str], names: Iterable[str]) -> str:
    """Return the cell that defines most of the names, the last of several: a program to mend."""
    wanted = set(names)

    def held(cell: str) -> int:
        return len(wanted & {name for part in _statements(cell, 0) for name in part.defines})

    return max(reversed(cells), key=held, default="")


def _last(statements: Sequence[_Statement], name: str) -> int | None:
    places = [place for place, statement in enumerate(statements) if name in statement.defines]
    return places[-1] if places else None


def _statements(cell: str, number: int) -> list[_Statement]:
    try:
        tree = ast.parse(cell)
    except (SyntaxError, ValueError):
        return []  # a cell of another language, or one that was refused when it was run
    lines = cell.splitlines()
    return [_statement(node, lines, number) for node in tree.body]


def _statement(node: ast.stmt, lines: Sequence[str], cell: int) -> _Statement:
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    return _Statement(
        cell=cell,
        is_definition=isinstance(node, DEFINITIONS),
        text="\n".join(lines[first - 1 : node.end_lineno]),
        defines=frozenset(_defined(node)),
        uses=frozenset(part.id for part in names if part.id not in vars(builtins)),
    )


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    # Of a loop or an if: what is set in it, but not what is local to a function defined in it.
    return {
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }

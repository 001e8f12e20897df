"""Small tensors laid out as a table, with a star beside each number that differs from what was expected."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

__all__ = ["STAR", "Numbers", "parse", "star_differences"]

STAR = "*"
HEAD = re.compile(r"(?:tensor|array)\((?P<shape>[\d, ]*)\) \S+")
# The texts are rounded to four decimals: what differs by one in the last may be right.
ROUNDED = 1.5e-4


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers of a tensor as texts, row by row, with its shape and its first line."""

    head: str
    shape: tuple[int, ...]
    texts: tuple[str, ...]
    starred: frozenset[int] | None = None

    def lines(self, width: int, *, rows: Sequence[str] = ()) -> list[str]:
        """Return the table in lines of at most ``width``; wide rows are cut into blocks of columns."""
        columns = self.shape[-1] if self.shape else 1
        names = self._row_names(rows)
        cells = [f"{text}{self._mark(index)}" for index, text in enumerate(self.texts)]
        wide = max(map(len, cells))
        label = max(map(len, names))
        block = max((width - label - 1) // (wide + 1), 1)
        found: list[str] = []
        for start in range(0, columns, block):
            end = min(start + block, columns)
            if block < columns:
                found.append(f"columns {start} to {end - 1}:")
            for row, name in enumerate(names):
                shown = cells[row * columns + start : row * columns + end]
                numbers = " ".join(cell.rjust(wide) for cell in shown)
                found.append(f"{name:<{label}} {numbers}".rstrip() if label else numbers.rstrip())
        return found

    def _mark(self, index: int) -> str:
        # A blank where there could be a star keeps the columns of both tables below each other.
        return "" if self.starred is None else STAR if index in self.starred else " "

    def _row_names(self, rows: Sequence[str]) -> list[str]:
        if len(self.shape) < 2:
            return [""]
        if len(self.shape) == 2 and len(rows) == self.shape[0]:
            return list(rows)
        return [f"[{', '.join(map(str, place))}]" for place in _places(self.shape[:-1])]


def parse(text: str) -> Numbers | None:
    """Return the numbers of what `comparison.describe` says of a small tensor, or None of anything else."""
    head, _, body = text.partition("\n")
    match = HEAD.fullmatch(head)
    texts = tuple(_short(word) for word in re.sub(r"[\[\],]", " ", body).split())
    if match is None or not texts:
        return None
    shape = tuple(int(size) for size in match["shape"].split(",") if size.strip())
    if math.prod(shape) != len(texts):
        return None
    return Numbers(head=head, shape=shape, texts=texts)


def star_differences(yours: Numbers, expected: Numbers) -> tuple[Numbers, Numbers]:
    """Return both, ``yours`` with a star at each number that differs; no stars where the shapes differ."""
    if yours.shape != expected.shape:
        return yours, expected
    pairs = enumerate(zip(yours.texts, expected.texts, strict=True))
    starred = frozenset(index for index, (left, right) in pairs if _differ(left, right))
    blank = frozenset[int]() if starred else None
    return replace(yours, starred=starred or None), replace(expected, starred=blank)


def _differ(left: str, right: str) -> bool:
    if left == right:
        return False
    try:
        one, other = float(left), float(right)
    except ValueError:  # True and False, complex numbers
        return True
    return not abs(one - other) <= ROUNDED * max(1.0, abs(other))


def _short(word: str) -> str:
    word = word.removesuffix(".")
    return "0" if word == "-0" else word


def _places(shape: Sequence[int]) -> list[tuple[int, ...]]:
    places: list[tuple[int, ...]] = [()]
    for size in shape:
        places = [(*place, index) for place in places for index in range(size)]
    return places

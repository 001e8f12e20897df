"""The learner's values beside the expected ones, as SVG: a heat map, a sequence logo or lines.

The drawings have no colours of their own, only classes that ``web/feedback.css`` colours for a light and a
dark background. Where the two differ a cell is framed and marked, so that no colour has to be seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from genailab.learn.outcomes import Picture
from genailab.learn.web.svg import LETTERS, letter, line, rectangle, svg, text

__all__ = ["draw_picture"]

Rows = Sequence[Sequence[float]]

MOST_ROWS = 24
MOST_COLUMNS = 48  # of a matrix or a logo
CELL, LABEL = 26.0, 34.0
TRACK_WIDTH, TRACK_HEIGHT = 300.0, 64.0


def draw_picture(picture: Picture) -> tuple[str, str]:
    """Return two SVG elements: the learner's values, and the expected ones in the same scale."""
    draw: Callable[[Picture, Rows, Rows, str], str] = _matrix
    if picture.kind == "logo":
        draw = _logo if _is_dna(picture.yours) and _is_dna(picture.expected) else _matrix
    elif picture.kind == "track":
        draw = _track
    return (
        draw(picture, picture.yours, picture.expected, "Yours"),
        draw(picture, picture.expected, picture.yours, "Expected"),
    )


# --- heat map --------------------------------------------------------------------------------------------


def _matrix(picture: Picture, rows: Rows, other: Rows, title: str) -> str:
    shown = [row[:MOST_COLUMNS] for row in rows[:MOST_ROWS]]
    largest = _largest([*picture.yours, *picture.expected])
    with_numbers = len(shown[0]) <= 12 if shown else False
    width = 42.0 if with_numbers and not _all_small_whole(shown) else CELL
    # Names belong to the rows asked for: rows of another number are not those.
    names = picture.rows if len(picture.rows) == len(rows) else ()
    left, marked = 7.0 * max(map(len, names), default=0), _marked(rows, other)
    parts = [text(name, left - 5, (i + 0.5) * CELL, anchor="end") for i, name in enumerate(names[:MOST_ROWS])]
    for i, row in enumerate(shown):
        for j, value in enumerate(row):
            parts += _cell(value, left + j * width, i * CELL, width, largest, with_numbers)
            if (i, j) in marked:
                parts += _difference(left + j * width, i * CELL, width)
    size = (left + len(shown[0]) * width if shown else left, len(shown) * CELL)
    return svg("".join(parts), *size, label=_label(title, rows, other, "matrix"))


def _cell(
    value: float, x: float, y: float, width: float, largest: float, with_numbers: bool
) -> tuple[str, ...]:
    strength = 0.55 * min(abs(value) / largest, 1.0) if math.isfinite(value) else 0.0
    kind = "cell negative" if value < 0 else "cell"
    parts = [rectangle(x, y, width, CELL, kind, opacity=strength)]
    if with_numbers:
        parts.append(text(_number(value), x + width / 2, y + CELL / 2, anchor="middle", kind="number"))
    return tuple(parts)


def _difference(x: float, y: float, width: float) -> tuple[str, ...]:
    corner = [(x + width - 9, y + 2), (x + width - 2, y + 2), (x + width - 2, y + 9)]
    return rectangle(x + 1.5, y + 1.5, width - 3, CELL - 3, "wrong"), line(
        [*corner, corner[0]], "wrong corner"
    )


# --- sequence logo ---------------------------------------------------------------------------------------


def _logo(picture: Picture, rows: Rows, other: Rows, title: str) -> str:
    length = min(len(rows[0]), MOST_COLUMNS)
    columns = [[row[j] for row in rows] for j in range(length)]
    top, bottom = _reach([*_columns(picture.yours), *_columns(picture.expected)])
    scale = 3 * CELL / ((top + bottom) or 1.0)
    axis = top * scale
    width, parts = 20.0, []
    wrong = {j for _, j in _differences(rows, other)}
    if 2 * len(wrong) > len(rows[0]):
        wrong = set()  # nearly all: marks would say nothing
    for j, column in enumerate(columns):
        parts += _stack(column, j * width, axis, width, scale)
        if j in wrong:
            # An arrowhead below the position.
            x, y = j * width + width / 2, axis + bottom * scale + 5
            parts.append(line([(x, y), (x + 5, y + 8), (x - 5, y + 8), (x, y)], "wrong corner"))
    parts.append(line([(0, axis), (length * width, axis)], "axis"))
    size = (length * width, axis + bottom * scale + 16)
    return svg("".join(parts), *size, label=_label(title, rows, other, "logo"))


def _stack(column: Sequence[float], x: float, axis: float, width: float, scale: float) -> list[str]:
    """Return the letters of a position, small ones nearest to the axis; negative ones hang from it."""
    parts, above, below = [], axis, axis
    values = [(value, base) for value, base in zip(column, LETTERS, strict=True) if math.isfinite(value)]
    for value, base in sorted(values, key=lambda pair: abs(pair[0])):
        height = abs(value) * scale
        if height < 0.5:
            continue
        if value > 0:
            above -= height
            parts.append(letter(base, x + 1, above, width - 2, height))
        else:
            parts.append(letter(base, x + 1, below, width - 2, height, upside_down=True))
            below += height
    return parts


def _columns(rows: Rows) -> list[tuple[float, ...]]:
    return list(zip(*rows, strict=True))


def _reach(columns: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return how far the highest stack goes up, and the lowest one down."""
    finite = [[value for value in column if math.isfinite(value)] for column in columns]
    top = max((sum(value for value in column if value > 0) for column in finite), default=1.0)
    bottom = max((-sum(value for value in column if value < 0) for column in finite), default=0.0)
    return top, bottom


def _is_dna(rows: Rows) -> bool:
    return len(rows) == len(LETTERS)


# --- lines -----------------------------------------------------------------------------------------------


def _track(picture: Picture, rows: Rows, other: Rows, title: str) -> str:
    values = [v for row in (*picture.yours, *picture.expected) for v in row if math.isfinite(v)] or [0.0]
    low, high = min(values), max(values)
    names = picture.rows if len(picture.rows) == len(rows) else ()
    parts = []
    for i, row in enumerate(rows[:6]):
        y = i * (TRACK_HEIGHT + 14) + 8
        parts += [
            text(_number(high), LABEL, y, anchor="end"),
            text(_number(low), LABEL, y + TRACK_HEIGHT, anchor="end"),
        ]
        if names:
            parts.append(text(names[i], LABEL + 6, y - 2, anchor="start"))
        parts += [line(run, "track") for run in _runs(row, y, low, high)]
        parts.append(line([(LABEL + 4, y + TRACK_HEIGHT), (LABEL + TRACK_WIDTH, y + TRACK_HEIGHT)], "axis"))
    size = (LABEL + TRACK_WIDTH + 4, min(len(rows), 6) * (TRACK_HEIGHT + 14) + 8)
    return svg("".join(parts), *size, label=_label(title, rows, other, "lines"))


def _runs(row: Sequence[float], y: float, low: float, high: float) -> list[list[tuple[float, float]]]:
    """Return the points of a line, broken where a value is not finite."""
    step = (TRACK_WIDTH - 4) / max(len(row) - 1, 1)
    span = (high - low) or 1.0
    runs: list[list[tuple[float, float]]] = [[]]
    for position, value in enumerate(row):
        if math.isfinite(value):
            runs[-1].append((LABEL + 4 + position * step, y + TRACK_HEIGHT * (high - value) / span))
        elif runs[-1]:
            runs.append([])
    return [run if len(run) > 1 else [run[0], (run[0][0] + 2, run[0][1])] for run in runs if run]


# --- shared ----------------------------------------------------------------------------------------------


def _label(title: str, rows: Rows, other: Rows, kind: str) -> str:
    size = f"{len(rows)} by {len(rows[0]) if rows else 0}"
    if not _same_shape(rows, other):
        return f"{title}: {kind} of {size}, which is another shape"
    places = _differences(rows, other)
    if not places:
        return f"{title}: {kind} of {size}"
    row, column = places[0]
    return f"{title}: {kind} of {size}; {len(places)} values differ, the first in row {row}, column {column}"


def _marked(rows: Rows, other: Rows) -> set[tuple[int, int]]:
    """Return the places to be marked; none where shapes differ or most values do, and marks say nothing."""
    places = _differences(rows, other)
    return set(places) if 2 * len(places) <= sum(map(len, rows)) else set()


def _differences(rows: Rows, other: Rows) -> list[tuple[int, int]]:
    if not _same_shape(rows, other):
        return []
    return [
        (i, j) for i, row in enumerate(rows) for j, value in enumerate(row) if _differs(value, other[i][j])
    ]


def _differs(value: float, wanted: float) -> bool:
    if not (math.isfinite(value) and math.isfinite(wanted)):
        return not (value == wanted or (math.isnan(value) and math.isnan(wanted)))
    return abs(value - wanted) > 1e-4 * max(1.0, abs(wanted))


def _same_shape(one: Rows, other: Rows) -> bool:
    return [len(row) for row in one] == [len(row) for row in other]


def _largest(rows: Rows) -> float:
    return max((abs(v) for row in rows for v in row if math.isfinite(v)), default=0.0) or 1.0


def _all_small_whole(rows: Rows) -> bool:
    return all(math.isfinite(v) and v == int(v) and abs(v) < 100 for row in rows for v in row)


def _number(value: float) -> str:
    return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-")

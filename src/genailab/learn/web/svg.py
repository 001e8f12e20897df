"""The few SVG elements that pictures are made of; a style sheet gives them their colours by class."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["LETTERS", "letter", "line", "rectangle", "svg", "text"]

# Outlines in a square of side 1, y downwards: a letter can be stretched, text in a font cannot everywhere.
LETTERS = {
    "A": "M0 1L.36 0H.64L1 1H.77L.7 .78H.3L.23 1Z M.36 .6H.64L.5 .15Z",
    "C": "M1 .68C.97 .88 .78 1 .53 1C.2 1 0 .8 0 .5C0 .2 .2 0 .53 0C.78 0 .97 .12 1 .32H.77"
    "C.73 .22 .65 .17 .53 .17C.33 .17 .22 .29 .22 .5C.22 .71 .33 .83 .53 .83C.65 .83 .73 .78 .77 .68Z",
    "G": "M1 .45V.85C.87 .95 .71 1 .54 1C.2 1 0 .8 0 .5C0 .2 .21 0 .55 0C.78 0 .95 .11 1 .3H.77"
    "C.73 .21 .66 .17 .55 .17C.34 .17 .22 .29 .22 .5C.22 .72 .34 .84 .55 .84C.64 .84 .72 .82 .79 .78"
    "V.61H.55V.45Z",
    "T": "M0 0H1V.18H.61V1H.39V.18H0Z",
}


def svg(content: str, width: float, height: float, *, label: str) -> str:
    """Return a whole picture; ``label`` is what a screen reader says."""
    # A unit more on each side: lines at the edge are drawn whole.
    size = f"{width + 2:g}", f"{height + 2:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label)}" '
        f'width="{size[0]}" height="{size[1]}" viewBox="-1 -1 {" ".join(size)}">{content}</svg>'
    )


def rectangle(
    x: float, y: float, width: float, height: float, kind: str, *, opacity: float | None = None
) -> str:
    """Return a rectangle of a class."""
    fill = "" if opacity is None else f' fill-opacity="{opacity:.2f}"'
    return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"{fill}/>'


def line(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Return a line through points."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{places}"/>'


def text(words: str, x: float, y: float, *, anchor: str, kind: str = "label") -> str:
    """Return text whose middle is at the height ``y``."""
    return (
        f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}" '
        f'dominant-baseline="central">{escape(words)}</text>'
    )


def letter(base: str, x: float, y: float, width: float, height: float, *, upside_down: bool = False) -> str:
    """Return A, C, G or T, as wide and high as asked for; ``y`` is its upper edge."""
    move = f"translate({x:g} {y + height:.2f}) scale({width:g} {-height:.2f})"
    if not upside_down:
        move = f"translate({x:g} {y:.2f}) scale({width:g} {height:.2f})"
    return f'<path class="letter {base}" fill-rule="evenodd" transform="{move}" d="{LETTERS[base]}"/>'

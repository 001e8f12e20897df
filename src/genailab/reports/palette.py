"""Colours of the page and its figures, once for a light and once for a dark background.

The twelve type colours were found by maximising the smallest OKLab distance between any two of them as seen
with full colour vision, deuteranopia, protanopia and tritanopia (Machado et al. 2009, severity 1), with a
contrast of at least 3:1 against the page. The dark set keeps each hue and raises its lightness.
"""

from __future__ import annotations

__all__ = ["SEQUENTIAL", "THEMES", "TYPE_COLOURS", "type_colour", "type_symbol"]

THEMES: dict[str, dict[str, str]] = {
    "light": {
        "page": "#fbfaf8",
        "surface": "#ffffff",
        "raised": "#f3f1ec",
        "ink": "#1d2127",
        "muted": "#5a6069",
        "line": "#dedbd3",
        "grid": "#eceae4",
        "accent": "#0b5c8a",
        "second": "#b0480f",
        "warn": "#8a4b00",
        "warn-surface": "#fff5e3",
    },
    "dark": {
        "page": "#14171b",
        "surface": "#1b1f25",
        "raised": "#242931",
        "ink": "#e9e7e2",
        "muted": "#a7adb6",
        "line": "#363c46",
        "grid": "#2a2f37",
        "accent": "#7cc4f0",
        "second": "#f4a36c",
        "warn": "#f2c27a",
        "warn-surface": "#2d2618",
    },
}

# fmt: off
TYPE_COLOURS: dict[str, tuple[str, ...]] = {
    "light": ("#2159b0", "#a1932a", "#77001e", "#aa5862", "#5c077c", "#09a77b",
              "#76437f", "#062aa6", "#495905", "#52810a", "#a20653", "#8d67b2"),
    "dark": ("#75aafe", "#eade86", "#ce676d", "#f8a7ae", "#ac6bce", "#84f2c6",
             "#c492cd", "#5586f8", "#96a866", "#a0cf72", "#f674a0", "#d8b5fd"),
}
# fmt: on

# Low values fade into the page and high ones stand out, so the two run in opposite directions of lightness.
SEQUENTIAL: dict[str, list[tuple[float, str]]] = {
    "light": [(0.0, "#eef1ee"), (0.25, "#bfdcd6"), (0.5, "#6fb3b8"), (0.75, "#2f7a94"), (1.0, "#123e63")],
    "dark": [(0.0, "#2a313a"), (0.25, "#2c5a73"), (0.5, "#2f8e9e"), (0.75, "#74c9b5"), (1.0, "#e9f8c9")],
}

_SHAPES = ("circle", "square", "diamond", "triangle-up")


def type_colour(index: int, theme: str) -> str:
    """Colour of the type at this place in the order; after twelve types the colours begin again."""
    colours = TYPE_COLOURS[theme]
    return colours[index % len(colours)]


def type_symbol(index: int) -> str:
    """Shape of the type's marker: it changes each time the colours begin again.

    Examples
    --------
    >>> type_symbol(0), type_symbol(12)
    ('circle', 'square')
    """
    return _SHAPES[index // len(TYPE_COLOURS["light"]) % len(_SHAPES)]

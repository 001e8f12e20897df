"""What every figure shares: a plotly figure, and the ways a reader may change how it looks.

A figure is drawn once. Theme, width and view are patches, ``(trace updates, layout updates)`` in the form of
``Plotly.update``, so that the page follows the system's theme and the window without computing anything.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import plotly.graph_objects as go

from genailab.reports.palette import SEQUENTIAL, THEMES

__all__ = ["FONT", "FigureSpec", "Patch", "Size", "base_layout", "plain", "theme_layout"]

FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True, kw_only=True)
class Patch:
    """One setting of a figure: values for its traces (a list per attribute, one a trace) and its layout."""

    traces: dict[str, list[Any]] = field(default_factory=dict)
    layout: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Size:
    """Height of a figure in pixels, and the width below which it scrolls in its own frame."""

    height: int
    min_width: int = 0


@dataclass(frozen=True, kw_only=True)
class FigureSpec:
    """A figure, its size in a wide and a narrow window, and its patches by group.

    Groups are ``{"theme": {"light": ..., "dark": ...}, "width": {"wide": ..., "narrow": ...}, ...}``.
    ``label`` names the figure for a reader who doesn't see it.
    """

    key: str
    label: str
    figure: go.Figure
    wide: Size
    narrow: Size
    patches: dict[str, dict[str, Patch]]

    def to_json(self) -> str:
        """Write the figure and its patches as JSON; arrays are base64 blocks that plotly.js reads."""
        patches = {
            group: {
                option: {"traces": patch.traces, "layout": patch.layout} for option, patch in options.items()
            }
            for group, options in self.patches.items()
        }
        size = {"wide": asdict(self.wide), "narrow": asdict(self.narrow)}
        rest = json.dumps({"key": self.key, "patches": patches, "size": size}, allow_nan=False)
        return f'{{"figure": {self.figure.to_json()}, {rest[1:]}'


def base_layout(*, margin: dict[str, int], **options: Any) -> go.Layout:
    """Layout without colours, which come with the theme, and without a size, which is the frame's."""
    return go.Layout(
        template=None,
        margin=margin,
        autosize=True,
        showlegend=False,
        hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12},
        **options,
    )


def theme_layout(theme: str, axes: Sequence[str]) -> dict[str, Any]:
    """Layout updates that give text, axes and hover boxes the theme's colours."""
    colours = THEMES[theme]
    layout: dict[str, Any] = {
        "font.color": colours["ink"],
        "hoverlabel.bgcolor": colours["raised"],
        "hoverlabel.bordercolor": colours["line"],
        "hoverlabel.font.color": colours["ink"],
        "coloraxis.colorscale": [list(stop) for stop in SEQUENTIAL[theme]],
    }
    for axis in axes:
        layout[f"{axis}.gridcolor"] = colours["grid"]
        layout[f"{axis}.linecolor"] = colours["line"]
        layout[f"{axis}.tickfont.color"] = colours["muted"]
        layout[f"{axis}.title.font.color"] = colours["muted"]
    return layout


def plain(name: str) -> str:
    """Escape a name so that plotly draws it as it is: plotly reads a few HTML tags in any text."""
    return html.escape(str(name), quote=False)

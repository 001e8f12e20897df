"""Renders a template to one self-contained page: style, scripts and figures are inside the file."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from genailab.reports.palette import SEQUENTIAL, THEMES, TYPE_COLOURS

__all__ = ["render_page", "script_safe"]

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, context: Mapping[str, Any]) -> str:
    """Fill a template of this package; every value is escaped unless the template's own.

    Parameters
    ----------
    template
        File name in ``reports/templates``.
    context
        Names the template uses. One it uses but that is absent raises ``jinja2.UndefinedError``.

    Returns
    -------
    The page as HTML text, which opens offline: it loads nothing.
    """
    page = _environment().get_template(template)
    return page.render(**context)


def script_safe(json_text: str) -> Markup:
    r"""JSON that may stand inside ``<script>``: no value in it can end the element or open a comment.

    Examples
    --------
    >>> print(script_safe('"</script>"'))
    "\u003c/script\u003e"
    """
    for character in "<>&\u2028\u2029":
        json_text = json_text.replace(character, f"\\u{ord(character):04x}")
    return Markup(json_text)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        themes=THEMES, sequential=SEQUENTIAL, type_colours=TYPE_COLOURS, asset=_asset, plotly_js=_plotly_js
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment


def _asset(name: str) -> Markup:
    """Our own style or script, put in as it stands."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


def _plotly_js() -> Markup:
    # Imported here: only a page with figures pays for reading the 5 MB of plotly.js.
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())

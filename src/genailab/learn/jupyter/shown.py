"""What a notebook shows: HTML where it can, plain text where it cannot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from genailab.learn.content import Exercise
from genailab.learn.outcomes import Verdict
from genailab.learn.web import html

__all__ = ["Shown", "feedback", "page"]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A result that a notebook shows by itself, as the value of a cell's last line.

    Parameters
    ----------
    text
        In a terminal, or for a screen reader.
    html
        In a notebook.
    verdict
        Of a check: the outcome and each check's result.
    """

    text: str
    html: str = field(repr=False)
    verdict: Verdict | None = None

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        # The style comes with each output: any of them may be deleted, or be the only one left.
        return f'<div class="genailab-output"><style>{html.style(*STYLES)}</style>{self.html}</div>'


STYLES = ("feedback.css", "notebook.css")


def feedback(verdict: Verdict, exercise: Exercise, *, notes: Sequence[str] = ()) -> Shown:
    """Return a verdict, with notes below it."""
    from genailab.learn.screen.terminal import verdict_lines

    lines = "\n".join(str(line) for line in verdict_lines(verdict, exercise, width=80))
    # To check the same again is another call here.
    lines = lines.replace(
        f"genailab learn check {verdict.id} --seed {verdict.seed}", f"ex.check(..., seed={verdict.seed})"
    )
    said = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    return Shown(
        text="\n\n".join([lines, *notes]), html=html.feedback(verdict, exercise) + said, verdict=verdict
    )


def page(text: str, *, exercise: Exercise | None = None) -> Shown:
    """Return Markdown; ``exercise`` where it is a lesson, with a picture."""
    shown = html.markdown(text) if exercise is None else html.lesson(exercise)
    plain = re.sub(r"^```.*\n?|\*\*", "", text, flags=re.MULTILINE)
    return Shown(text=plain, html=f'<div class="genailab">{shown}</div>')

"""What the notebook, the web page and the report show, as HTML: feedback, lessons, whole pages.

Everything is escaped by jinja2; lessons are our own Markdown, rendered by markdown-it without raw HTML.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genailab.learn.content import Exercise
from genailab.learn.outcomes import GRAVITY, State, Verdict
from genailab.learn.web.pictures import draw_picture

if TYPE_CHECKING:
    import jinja2

__all__ = ["feedback", "fill", "lesson", "markdown", "style"]

WEB = Path(__file__).parent

MARKS = {
    State.PASSED: "✓",
    State.NOT_ATTEMPTED: "○",
    State.FAILED: "✗",
    State.ERROR: "!",
    State.TIMED_OUT: "…",
}


def fill(template: str, **context: Any) -> str:
    """Fill a template of ``web/templates``; a name it uses and is not given raises."""
    return _environment().get_template(template).render(**context)


def feedback(verdict: Verdict, exercise: Exercise) -> str:
    """Return a verdict: the outcome, each check, and the first problem with its pictures."""
    from markupsafe import Markup

    problem = verdict.first_problem
    pictures = draw_picture(problem.picture) if problem is not None and problem.picture else ()
    return fill(
        "feedback.html.j2",
        verdict=verdict,
        exercise=exercise,
        problem=problem,
        passed=sum(check.state is State.PASSED for check in verdict.checks),
        marks=MARKS,
        # An enumeration's name, as a class: "error in your code" is three.
        kind=verdict.outcome.name.lower().replace("_", "-"),
        pictures=[Markup(picture) for picture in pictures],
    )


def lesson(exercise: Exercise, *, picture: str | None = None) -> str:
    """Return a lesson; its picture is put in, unless the address of one is given."""
    if picture is None:
        drawn = exercise.folder / "picture.svg"
        picture = (
            f"data:image/svg+xml;base64,{b64encode(drawn.read_bytes()).decode()}" if drawn.is_file() else ""
        )
    # Put in afterwards: markdown-it takes no picture whose address holds it.
    return markdown(exercise.text("lesson.md")).replace('src="picture.svg"', f'src="{picture}"')


def markdown(text: str) -> str:
    """Return Markdown as HTML; raw HTML in it is shown, not obeyed."""
    return str(_markdown().render(text))


@cache
def style(*names: str) -> str:
    """Return style sheets of ``web``, after the palette of the reports, for light and dark."""
    from genailab.reports.palette import THEMES

    light, dark = THEMES["light"], THEMES["dark"]
    colours = "".join(f"--{name}:light-dark({light[name]},{dark[name]});" for name in light)
    return "\n".join(
        [f":root,.genailab{{{colours}}}", *((WEB / name).read_text(encoding="utf-8") for name in names)]
    )


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(gravity=GRAVITY)
    return environment


@cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt

    def fence(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
        # A block that scrolls must be reachable by keyboard.
        return str(self.fence(tokens, index, options, env)).replace("<pre>", '<pre tabindex="0">', 1)

    render = MarkdownIt("commonmark", {"html": False}).enable("table")
    render.add_render_rule("fence", fence)
    return render

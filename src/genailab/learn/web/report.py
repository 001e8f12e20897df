"""One self-contained page of a learner's progress."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from genailab.learn.state.atomic import write_atomically
from genailab.learn.state.workspace import Workspace
from genailab.learn.web import html
from genailab.learn.web.summary import summary_of, verdict_of

__all__ = ["write_report"]


def write_report(workspace: Workspace, path: Path) -> None:
    """Write how far a learner is: a table a session, and what the last checks that did not pass say."""
    from markupsafe import Markup

    summary = summary_of(workspace)
    tried = [exercise for exercise, done in summary.rows if done.state == "tried"]
    verdicts = [(exercise, verdict_of(workspace, exercise)) for exercise in tried]
    text = html.fill(
        "report.html.j2",
        summary=summary,
        version="",
        folder=workspace.root.name,
        made_at=datetime.now().strftime("%d %B %Y, %H:%M"),
        style=Markup(html.style("feedback.css", "page.css")),
        feedbacks=[
            (f"{exercise.id} {exercise.title}", Markup(html.feedback(verdict, exercise)))
            for exercise, verdict in verdicts
            if verdict is not None
        ],
    )
    write_atomically(path, text.encode())

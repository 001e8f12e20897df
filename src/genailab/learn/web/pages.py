"""The pages of ``genailab learn serve``, from what the workspace's files say at the moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from genailab.learn.content import Exercise, Session
from genailab.learn.quiz import read_quiz
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace
from genailab.learn.web import html
from genailab.learn.web.summary import last_verdict, summary_of, verdict_of

__all__ = ["lesson_page", "map_page", "missing_page", "quiz_page", "version_of"]


def map_page(workspace: Workspace) -> str:
    """Return all sessions with what is passed, what comes next, and the last feedback."""
    last = last_verdict(workspace)
    return _page(
        workspace,
        "map.html.j2",
        last=Markup(html.feedback(last[1], last[0])) if last else "",
        last_id=last[0].id if last else "",
    )


def lesson_page(workspace: Workspace, exercise: Exercise) -> str:
    """Return a lesson, with the last feedback on its exercise."""
    order = workspace.exercises
    place = order.index(exercise)
    verdict = verdict_of(workspace, exercise)
    return _page(
        workspace,
        "lesson.html.j2",
        exercise=exercise,
        done=Progress.open(workspace).of(exercise.id),
        path=workspace.path_of(exercise).relative_to(workspace.root),
        lesson=Markup(_below_title(html.lesson(exercise, picture=f"/picture/{exercise.id}.svg"))),
        feedback=Markup(html.feedback(verdict, exercise)) if verdict else "",
        before=order[place - 1] if place else None,
        after=order[place + 1] if place + 1 < len(order) else None,
    )


def quiz_page(
    workspace: Workspace, session: Session, answers: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Return a session's quiz; with answers, each one explained, and the best result kept."""
    questions = read_quiz(session)
    chosen: list[int | None] = [_choice(answers, number) for number in range(len(questions))]
    right = sum(
        choice is not None and choice < len(question.options) and question.options[choice].right
        for choice, question in zip(chosen, questions, strict=True)
    )
    # Only a quiz that was answered whole counts, as in a terminal.
    complete = answers is not None and None not in chosen
    if complete:
        Progress.open(workspace).record_quiz(session.id, right)
    return _page(
        workspace,
        "quiz.html.j2",
        session=session,
        questions=questions,
        chosen=chosen,
        right=right,
        answered=answers is not None,
        complete=complete,
        best=Progress.open(workspace).quiz_of(session.id),
    )


def missing_page(workspace: Workspace, reason: str) -> str:
    """Return what is shown in place of a page that there is not."""
    return _page(workspace, "missing.html.j2", reason=reason)


def version_of(workspace: Workspace) -> str:
    """Return a text that changes whenever there is something new to show."""
    files = [workspace.state / "progress.json", *sorted((workspace.state / "feedback").glob("*.json"))]
    return ",".join(str(path.stat().st_mtime_ns) for path in files if path.is_file())


def _page(workspace: Workspace, template: str, **context: Any) -> str:
    return html.fill(
        template,
        summary=summary_of(workspace),
        version=version_of(workspace),
        folder=workspace.root.name,
        **context,
    )


def _below_title(lesson: str) -> str:
    """Return a lesson without its title: the page has one."""
    _, closed, rest = lesson.partition("</h1>")
    return rest if closed else lesson


def _choice(answers: Mapping[str, Sequence[str]] | None, number: int) -> int | None:
    given = (answers or {}).get(f"q{number}", [""])[0]
    return int(given) if given.isdecimal() else None

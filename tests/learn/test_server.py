"""The page of a workspace: complete, up to date, for this machine only, and breaking nothing."""

from __future__ import annotations

import http.client
import threading
from urllib.parse import urlencode

import pytest
from tiny_curriculum import verdict, write_curriculum

from genailab.errors import InputError
from genailab.learn.outcomes import State
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace
from genailab.learn.web.report import write_report
from genailab.learn.web.server import PracticeServer, serve

QUIZ = """
[[question]]
text = "Is 1 < 2 & <b>true</b>?"
[[question.option]]
text = "Yes."
right = true
why = "One is less."
[[question.option]]
text = "No."
why = "Count <i>again</i>."
"""


@pytest.fixture
def workspace(tmp_path):
    curriculum = write_curriculum(tmp_path / "curriculum")
    (curriculum / "session_01_letters" / "quiz.toml").write_text(QUIZ)
    return Workspace.create(tmp_path / "practice", curriculum=curriculum)


@pytest.fixture
def server(workspace):
    with PracticeServer(workspace) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def ask(server, path, *, method="GET", headers=None, form=None):
    """Return status, headers and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    body = None if form is None else urlencode(form)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read().decode()
    connection.close()
    return found


def test_every_page_there_is_a_link_to_is_there(server):
    import re

    seen, to_see = set(), {"/"}
    while to_see:
        path = to_see.pop()
        seen.add(path)
        status, headers, text = ask(server, path)
        assert status == 200, path
        if headers["Content-Type"].startswith("text/html"):
            to_see |= set(re.findall(r'(?:href|src)="(/[^"]*)"', text)) - seen
    assert {"/exercise/s01.1", "/exercise/s02.2", "/quiz/s01", "/style.css", "/page.js"} <= seen
    assert "/picture/s01.1.svg" in seen


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(server):
    for path in ("/", "/exercise/s01.1", "/quiz/s01", "/nowhere"):
        _, headers, text = ask(server, path)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert "<style" not in text
        assert " style=" not in text
        assert "://" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""])
def test_another_host_name_is_refused(server, host):
    status, _, text = ask(server, "/", headers={"Host": host})
    assert status == 403
    assert "s01" not in text


def test_localhost_is_this_machine_and_a_form_of_another_site_is_refused(server, workspace):
    here = {"Host": f"localhost:{server.server_port}"}
    assert ask(server, "/", headers=here)[0] == 200
    form = {"q0": "0"}
    assert (
        ask(server, "/quiz/s01", method="POST", form=form, headers={"Origin": "http://evil.example"})[0]
        == 403
    )
    assert ask(server, "/quiz/s01", method="POST", form=form, headers={"Origin": "null"})[0] == 403
    assert Progress.open(workspace).quiz_of("s01") is None
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "path",
    [
        "/exercise/../../etc/passwd",
        "/picture/..%2f..%2fpyproject.toml",
        "/exercise/s01.9",
        "/static/x",
        "/exercise",
    ],
)
def test_what_there_is_not_is_a_page_that_says_so(server, path):
    status, _, text = ask(server, path)
    assert status == 404
    assert "There is no such page" in text


def test_names_are_shown_as_they_are(server):
    text = ask(server, "/quiz/s01")[2]
    assert "Is 1 &lt; 2 &amp; &lt;b&gt;true&lt;/b&gt;?" in text
    text = ask(server, "/exercise/%3Cscript%3Ealert(1)%3C%2Fscript%3E")[2]
    assert "<script>alert" not in text


def test_what_is_new_changes_the_version_and_is_shown(server, workspace):
    before = ask(server, "/version")[2]
    assert ask(server, "/version")[2] == before
    failed = verdict("s01.2", State.FAILED, message="Not <b>42</b>.", mistake="off by one")
    Progress.open(workspace).record(failed)
    assert ask(server, "/version")[2] != before
    for path in ("/", "/exercise/s01.2"):
        text = ask(server, path)[2]
        assert "off by one" in text
        assert "Not &lt;b&gt;42&lt;/b&gt;." in text
    assert "off by one" not in ask(server, "/exercise/s01.1")[2]
    Progress.open(workspace).record(verdict("s01.1"))
    assert "1 of 4" in ask(server, "/")[2]


def test_the_quiz_explains_what_was_chosen_and_keeps_the_best(server, workspace):
    def answer(**form):
        return ask(server, "/quiz/s01", method="POST", form=form)[2]

    assert "One is less" not in ask(server, "/quiz/s01")[2]
    wrong = answer(q0="1")
    assert "Count &lt;i&gt;again&lt;/i&gt;." in wrong
    assert "One is less." in wrong
    assert Progress.open(workspace).quiz_of("s01") == 0
    right = answer(q0="0")
    assert "1 of 1 right" in right
    assert "again" not in right.replace("Answer again", "")
    answer(q0="1")
    assert Progress.open(workspace).quiz_of("s01") == 1


@pytest.mark.parametrize("form", [{}, {"q0": "7"}, {"q0": "-1"}, {"q0": "x"}, {"q9": "0"}])
def test_a_strange_form_breaks_nothing(server, form):
    status, _, text = ask(server, "/quiz/s01", method="POST", form=form)
    assert status == 200
    assert "1 of 1 right" not in text


def test_damaged_feedback_and_progress_are_no_error(server, workspace):
    Progress.open(workspace).record(verdict("s01.1"))
    (workspace.state / "feedback" / "s01.1.json").write_text("{")
    (workspace.state / "progress.json").write_text("{")
    status, _, text = ask(server, "/")
    assert status == 200
    assert "restored" in text


def test_a_port_that_is_taken_is_said_in_a_sentence(server, workspace):
    with pytest.raises(InputError, match=f"port {server.server_port} cannot be used .*--port 0"):
        serve(workspace, server.server_port)
    with pytest.raises(InputError, match="port 99999 cannot be used"):
        serve(workspace, 99999)


def test_the_report_is_one_page_with_all_exercises(workspace, tmp_path):
    progress = Progress.open(workspace)
    progress.record(verdict("s01.1"))
    progress.record(verdict("s01.2", State.FAILED, message="Not 42.", mistake="off by one"))
    write_report(workspace, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(exercise.id in text for exercise in workspace.exercises)
    assert "1 of 4" in text
    assert "off by one" in text
    assert "<script" not in text
    assert '<link rel="stylesheet' not in text

"""A session's notebook is valid, complete, the same each time, and links to pictures that are there."""

from __future__ import annotations

import ast
import json
import re

import pytest

from genailab.learn.content import sessions
from genailab.learn.jupyter.notebooks import notebook_of, split_docstring, write_notebook
from genailab.learn.state.workspace import Workspace


@pytest.fixture(params=sessions(), ids=lambda session: session.id)
def session(request):
    return request.param


def test_it_is_valid_and_the_same_each_time(session, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    write_notebook(session, tmp_path / "one.ipynb")
    write_notebook(session, tmp_path / "two.ipynb")
    text = (tmp_path / "one.ipynb").read_bytes()
    assert text == (tmp_path / "two.ipynb").read_bytes()
    nbformat.validate(json.loads(text))


def test_each_exercise_has_a_lesson_its_starter_and_a_check(session):
    cells = notebook_of(session)["cells"]
    ids = [cell["id"] for cell in cells]
    assert len(set(ids)) == len(ids)
    source = {cell["id"]: "".join(cell["source"]) for cell in cells}
    for exercise in session.exercises:
        id = exercise.id.replace(".", "-")
        assert source[f"{id}-lesson"].startswith(f"## {exercise.id} ")
        starter, written = (
            ast.parse(text).body for text in (exercise.text("starter.py"), source[f"{id}-yours"])
        )
        assert [ast.dump(node) for node in written] == [ast.dump(node) for node in starter[-len(written) :]]
        assert len(starter) - len(written) <= 1  # the docstring
        assert f'exercise("{exercise.id}")' in source[f"{id}-check"]
        ast.parse(source[f"{id}-check"])


def test_pictures_are_where_the_lessons_say(tmp_path):
    workspace = Workspace.create(tmp_path / "practice")
    links = []
    for session in workspace.sessions:
        text = workspace.notebook_of(session).read_text(encoding="utf-8")
        links += [(session, link) for link in re.findall(r"\]\(([^)]*\.svg)\)", text)]
    assert links
    assert not [link for session, link in links if not (workspace.folder_of(session) / link).is_file()]


def test_a_docstring_is_split_off_whole():
    text = '"""One.\n\nTwo."""\n\nimport os\n'
    assert split_docstring(text) == ('"""One.\n\nTwo."""\n', "\nimport os\n")
    assert split_docstring("import os\n") == ("", "import os\n")

"""A workspace: what is handed out, where it is found, and what is refused."""

import json
import os

import pytest
from tiny_curriculum import verdict, write_curriculum

from genailab import __version__
from genailab.errors import InputError
from genailab.learn.content import sessions
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import SCHEMA, Workspace


@pytest.fixture
def curriculum(tmp_path):
    return write_curriculum(tmp_path / "curriculum")


@pytest.fixture
def workspace(tmp_path, curriculum):
    return Workspace.create(tmp_path / "practice", curriculum=curriculum)


def test_every_exercise_has_its_starter_in_its_sessions_folder(workspace):
    for exercise in workspace.exercises:
        path = workspace.path_of(exercise)
        assert path.read_text() == exercise.text("starter.py")
        assert path.parent == workspace.root / exercise.folder.parent.name


def test_a_sessions_page_holds_its_lessons_and_their_pictures(workspace):
    for session in workspace.sessions:
        page = workspace.folder_of(session) / "README.md"
        text = page.read_text()
        for exercise in session.exercises:
            assert f"## {exercise.id} Lesson of {exercise.id}" in text
            assert exercise.file_name in text
        links = [part.split(")")[0] for part in text.split("](")[1:]]
        assert len(links) == len(session.exercises)
        assert all((page.parent / link).is_file() for link in links)


def test_a_comment_in_a_lessons_code_stays_a_comment(tmp_path, curriculum):
    lesson = next(curriculum.glob("*/*/lesson.md"))
    lesson.write_text("# Title\n\n## Part\n\n```python\n# a comment\n```\n")
    workspace = Workspace.create(tmp_path / "practice", curriculum=curriculum)
    text = (workspace.root / lesson.parent.parent.name / "README.md").read_text()
    assert "### Part" in text
    assert "\n# a comment\n" in text


def test_the_first_page_says_how_to_go_on_tomorrow(workspace):
    text = (workspace.root / "README.md").read_text()
    assert "Go on tomorrow" in text
    assert "genailab learn\n" in text
    for session in workspace.sessions:
        assert f"({session.folder.name}/README.md)" in text


def test_it_is_found_from_anywhere_inside_and_after_it_was_moved(workspace, curriculum, tmp_path):
    Progress.open(workspace).record(verdict("s01.1"))
    moved = tmp_path / "elsewhere" / "renamed"
    moved.parent.mkdir()
    workspace.root.rename(moved)
    found = Workspace.find(moved / "session_01_letters", curriculum=curriculum)
    assert found.root == moved
    assert all(found.path_of(exercise).is_file() for exercise in found.exercises)
    assert Progress.open(found).of("s01.1").state == "passed"


def test_outside_of_one_the_remedy_is_named(tmp_path):
    with pytest.raises(InputError, match="genailab learn init"):
        Workspace.find(tmp_path)


@pytest.mark.parametrize("held", ["notes.txt", "folder/"])
def test_a_folder_that_holds_something_is_left_alone(tmp_path, curriculum, held):
    (tmp_path / "full").mkdir()
    place = tmp_path / "full" / held
    place.mkdir() if held.endswith("/") else place.write_text("mine")
    with pytest.raises(InputError, match=rf"not empty \(it holds '{held.rstrip('/')}'\)"):
        Workspace.create(tmp_path / "full", curriculum=curriculum)
    assert [path.name for path in (tmp_path / "full").iterdir()] == [held.rstrip("/")]


def test_a_file_is_no_folder(tmp_path, curriculum):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        Workspace.create(tmp_path / "file", curriculum=curriculum)


def test_a_fresh_git_repository_will_do_and_a_workspace_is_not_made_twice(tmp_path, curriculum):
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    Workspace.create(tmp_path / "repository", curriculum=curriculum)
    with pytest.raises(InputError, match="workspace already"):
        Workspace.create(tmp_path / "repository", curriculum=curriculum)


def test_one_made_by_a_newer_version_is_refused_with_the_remedy(workspace, curriculum):
    (workspace.state / "workspace.json").write_text(json.dumps({"schema": SCHEMA + 1, "genailab": "99.0"}))
    with pytest.raises(InputError, match=r"99\.0.*newer.*pip install --upgrade genailab"):
        Workspace.find(workspace.root, curriculum=curriculum)


def test_one_made_by_an_older_version_is_used_and_the_update_is_named(workspace, curriculum):
    (workspace.state / "workspace.json").write_text(json.dumps({"schema": SCHEMA, "genailab": "0.0.1"}))
    found = Workspace.find(workspace.root, curriculum=curriculum)
    assert found.made_by == "0.0.1"
    assert "genailab learn update" in found.notices[0]
    assert __version__ in found.notices[0]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "x"}'])
def test_a_damaged_description_is_told_and_loses_nothing(workspace, curriculum, text):
    Progress.open(workspace).record(verdict("s01.1"))
    (workspace.state / "workspace.json").write_text(text)
    found = Workspace.find(workspace.root, curriculum=curriculum)
    assert "damaged" in found.notices[0]
    assert Progress.open(found).of("s01.1").state == "passed"


def test_paths_are_shown_from_the_current_folder(workspace, monkeypatch):
    path = workspace.path_of(workspace.exercises[0])
    monkeypatch.chdir(workspace.root)
    assert workspace.shown(path) == os.path.join("session_01_letters", "s01_1_task.py")
    monkeypatch.chdir("/")
    assert workspace.root.name in workspace.shown(path)


def test_the_real_curriculum_gives_every_exercise_a_file_of_its_own():
    names = [(session.id, one.file_name) for session in sessions() for one in session.exercises]
    assert len(set(names)) == len(names) > 0

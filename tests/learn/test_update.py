"""`update`: new content arrives, and nothing that the learner wrote is touched."""

import pytest
from tiny_curriculum import write_curriculum, write_exercise

from genailab.learn.content import sessions
from genailab.learn.state.update import update
from genailab.learn.state.workspace import Workspace


@pytest.fixture
def curriculum(tmp_path):
    yield write_curriculum(tmp_path / "curriculum")
    sessions.cache_clear()


@pytest.fixture
def workspace(tmp_path, curriculum):
    return Workspace.create(tmp_path / "practice", curriculum=curriculum)


def change(curriculum, name, *, exercise="exercise_1_task"):
    path = curriculum / "session_01_letters" / exercise / name
    path.write_text(path.read_text() + "\n# newer\n")
    sessions.cache_clear()


def test_without_new_content_nothing_happens(workspace):
    mine = workspace.root / "session_01_letters" / "s01_1_task.py"
    mine.write_text("mine")
    done = update(workspace)
    assert (done.added, done.replaced, done.beside) == ((), (), ())
    assert mine.read_text() == "mine"


def test_a_file_as_it_was_given_is_replaced(workspace, curriculum):
    change(curriculum, "starter.py")
    done = update(workspace)
    # The notebook holds the same starter.
    assert set(done.replaced) == {"session_01_letters/s01_1_task.py", "session_01_letters/s01.ipynb"}
    assert (workspace.root / "session_01_letters" / "s01_1_task.py").read_text().endswith("# newer\n")
    assert update(workspace).replaced == ()


def test_an_edited_file_stays_and_what_is_new_lies_beside_it_once(workspace, curriculum):
    mine = workspace.root / "session_01_letters" / "s01_1_task.py"
    mine.write_text("mine")
    change(curriculum, "starter.py")
    done = update(workspace)
    assert done.beside == ("session_01_letters/s01_1_task.py",)
    assert mine.read_text() == "mine"
    assert mine.with_name(f"{mine.name}.new").read_text().endswith("# newer\n")
    assert update(workspace).beside == ()
    change(curriculum, "starter.py")
    assert update(workspace).beside == done.beside
    assert mine.read_text() == "mine"


def test_a_file_that_was_deleted_and_an_exercise_that_is_new_are_added(workspace, curriculum):
    (workspace.root / "session_01_letters" / "s01_2_task.py").unlink()
    write_exercise(curriculum / "session_01_letters", "s01.3", 3, {})
    sessions.cache_clear()
    done = update(workspace)
    assert set(done.added) == {
        "session_01_letters/s01_2_task.py",
        "session_01_letters/s01_3_task.py",
        "session_01_letters/pictures/s01_3.svg",
    }


def test_where_it_is_not_known_what_was_given_nothing_is_overwritten(workspace, curriculum):
    (workspace.state / "given.json").write_text("{")
    change(curriculum, "starter.py")
    mine = workspace.root / "session_01_letters" / "s01_1_task.py"
    before = mine.read_text()
    assert "session_01_letters/s01_1_task.py" in update(workspace).beside
    assert mine.read_text() == before


def test_afterwards_the_workspace_is_of_this_version(workspace, curriculum):
    (workspace.state / "workspace.json").write_text('{"schema": 1, "genailab": "0.0.1"}')
    update(workspace)
    assert Workspace.find(workspace.root, curriculum=curriculum).notices == ()

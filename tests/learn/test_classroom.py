"""A class: what leaves a workspace, and the table made of many."""

import csv
import io
import json

import pytest
from tiny_curriculum import verdict, write_curriculum

from genailab.errors import InputError
from genailab.learn.outcomes import State
from genailab.learn.state.classroom import collect, export
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace


@pytest.fixture
def curriculum(tmp_path):
    return write_curriculum(tmp_path / "curriculum")


@pytest.fixture
def progress(tmp_path, curriculum):
    return Progress.open(Workspace.create(tmp_path / "practice", curriculum=curriculum))


def rows_of(table):
    return list(csv.DictReader(io.StringIO(table)))


def test_an_export_says_what_progress_says_and_holds_no_code(progress):
    progress.record(verdict("s01.1"))
    text = export(progress, learner="Ada")
    fields = json.loads(text)
    assert fields["exercises"]["s01.1"]["state"] == "passed"
    assert fields["quizzes"] == {"s01": None, "s02": None}
    assert "def answer" not in text
    assert str(progress.workspace.root) not in text


def test_collect_gives_each_learner_a_row_with_what_they_exported(progress, curriculum, tmp_path):
    files = tmp_path / "class"
    files.mkdir()
    (files / "ada.json").write_text(export(progress, learner="Ada"))
    for state in (State.FAILED, State.PASSED):
        progress.record(verdict("s01.1", state))
    progress.record_solution("s01.2", anyway=True)
    (files / "ben.json").write_text(export(progress, learner="Ben, B."))
    ada, ben = rows_of(collect([files], curriculum=curriculum))
    assert (ada["learner"], ada["passed"], ada["s01.1"]) == ("Ada", "0", "not started")
    assert (ben["learner"], ben["passed"], ben["tries"], ben["solutions"]) == ("Ben, B.", "1", "2", "1")
    assert ben["s01.1"] == "passed"
    assert list(ada)[-4:] == ["s01.1", "s01.2", "s02.1", "s02.2"]


def test_a_name_that_a_spreadsheet_would_run_stays_text(progress, curriculum, tmp_path):
    (tmp_path / "evil.json").write_text(export(progress, learner="=HYPERLINK(1)"))
    (row,) = rows_of(collect([tmp_path / "evil.json"], curriculum=curriculum))
    assert row["learner"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize("text", ["", "[]", '{"kind": "else"}', '{"kind": "genailab learn class export"}'])
def test_a_file_that_is_no_export_is_named(tmp_path, curriculum, text):
    (tmp_path / "notes.json").write_text(text)
    with pytest.raises(InputError, match=r"notes\.json was not written by"):
        collect([tmp_path / "notes.json"], curriculum=curriculum)


def test_nothing_to_collect_is_said(tmp_path, curriculum):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no \.json file"):
        collect([tmp_path / "empty"], curriculum=curriculum)
    with pytest.raises(InputError, match="there is no file"):
        collect([tmp_path / "absent.json"], curriculum=curriculum)

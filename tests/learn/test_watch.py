"""The watcher: every way an editor saves is seen once, and keys and verdicts are answered."""

import io
import os
import subprocess
import sys
import time

import pytest
from rich.console import Console
from tiny_curriculum import verdict, write_curriculum

from genailab.errors import InputError
from genailab.learn.outcomes import State
from genailab.learn.screen.saves import GONE_AFTER, SavedFiles
from genailab.learn.screen.watch import Practice
from genailab.learn.state.alone import only_watcher
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(tmp_path / "practice", curriculum=write_curriculum(tmp_path / "curriculum"))


@pytest.fixture
def saved(workspace):
    return SavedFiles(workspace)


def looks(saved, n=4):
    return [exercise.id for _ in range(n) for exercise in saved.look()]


def in_place(path):
    path.write_text("in place, longer\n")


def renamed_over(path):
    beside = path.with_suffix(".tmp")
    beside.write_text("renamed over\n")
    os.replace(beside, path)


def moved_away_first(path):
    path.rename(path.with_suffix(".py~"))
    path.write_text("written anew\n")


def same_size_and_time(path):
    before = path.stat()
    path.write_text("x" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("save", [in_place, renamed_over, moved_away_first, same_size_and_time])
def test_a_save_is_reported_once_whatever_way_the_editor_writes(workspace, saved, save):
    assert looks(saved) == []
    save(workspace.path_of(workspace.exercises[1]))
    assert looks(saved) == ["s01.2"]
    assert looks(saved) == []


def test_a_file_that_is_still_being_written_is_waited_for(workspace, saved):
    path = workspace.path_of(workspace.exercises[0])
    for length in range(1, 5):
        path.write_text("x" * length)
        assert saved.look() == []
    assert looks(saved) == ["s01.1"]


def test_a_file_absent_for_a_moment_is_not_gone(workspace, saved):
    path = workspace.path_of(workspace.exercises[0])
    text = path.read_text()
    path.unlink()
    for _ in range(GONE_AFTER - 1):
        assert saved.look() == saved.gone() == []
    path.write_text(text)
    assert looks(saved) == ["s01.1"]
    assert saved.gone() == []


def test_a_deleted_file_is_told_once_and_seen_again_when_it_is_back(workspace, saved):
    path = workspace.path_of(workspace.exercises[0])
    path.unlink()
    gone = []
    for _ in range(3 * GONE_AFTER):
        assert saved.look() == []
        gone += [exercise.id for exercise in saved.gone()]
    assert gone == ["s01.1"]
    path.write_text("back\n")
    assert looks(saved) == ["s01.1"]


def test_other_files_are_none_of_its_business(workspace, saved):
    (workspace.root / "session_01_letters" / "notes.py").write_text("x")
    (workspace.root / "session_01_letters" / ".s01_1_task.py.swp").write_text("x")
    assert looks(saved) == []


class Answers:
    """Stands for the checker: gives the verdicts it was given."""

    def __init__(self, *verdicts):
        self.verdicts = list(verdicts)

    def check(self, exercise, path, *, seed):
        answer = self.verdicts.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def practice(workspace):
    page = Console(file=io.StringIO(), width=80, soft_wrap=True, highlight=False, markup=False)
    return Practice(workspace, Progress.open(workspace), Answers(), page, keys=True)


def said(practice):
    text = practice.page.file.getvalue()
    practice.page.file.seek(0)
    practice.page.file.truncate()
    return text


def test_a_save_is_answered_and_kept_and_nothing_advances_by_itself(practice, workspace):
    practice.checker.verdicts = [verdict("s01.1", State.FAILED, message="Not so."), verdict("s01.1")]
    exercise = workspace.exercises[0]
    practice.check(exercise)
    assert "FAILED" in (text := said(practice))
    assert "Not so." in text
    assert "press h" in text
    practice.check(exercise)
    assert "PASSED" in (text := said(practice))
    assert "Next: s01.2" in text
    assert "press n" in text
    assert practice.exercise.id == "s01.1"
    assert Progress.open(workspace).of("s01.1").tries == 2
    practice.press("n")
    assert practice.exercise.id == "s01.2"
    assert "s01.2 Task s01.2" in said(practice)


def test_keys_answer_for_the_exercise_that_was_saved_last(practice, workspace):
    practice.checker.verdicts = [verdict("s02.2", State.FAILED)]
    practice.check(workspace.exercise("s02.2"))
    for level, text in ((1, "One."), (2, "Two."), (3, "Three."), (3, "Three.")):
        said(practice)
        practice.press("h")
        assert f"Hint {level} of 3 for s02.2" in (shown := said(practice))
        assert text in shown
    assert Progress.open(workspace).of("s02.2").hints == 3


def test_the_solution_has_to_be_earned(practice, workspace):
    practice.press("s")
    assert "return 42" not in (text := said(practice))
    assert "after a pass or 3 tries" in text
    practice.checker.verdicts = [verdict("s01.1", State.FAILED)] * 3
    for _ in range(3):
        practice.check(workspace.exercises[0])
    practice.press("s")
    assert "return 42" in said(practice)
    assert Progress.open(workspace).of("s01.1").solution == "earned"


def test_the_other_keys(practice):
    practice.press("r")
    text = said(practice)
    assert "Some words." in text
    assert "pictures/s01_1.svg" in text
    practice.press("l")
    assert "s02.2" in said(practice)
    practice.press("?")
    assert "q: quit" in said(practice)
    practice.press("x")
    practice.press("")
    assert said(practice) == ""
    assert practice.going
    practice.press("q")
    assert not practice.going


def test_what_cannot_be_checked_is_said_in_a_sentence(practice, workspace):
    practice.checker.verdicts = [InputError("there is no memory left")]
    practice.check(workspace.exercises[0])
    assert "There is no memory left." in said(practice)


def test_what_cannot_be_saved_is_said_once_and_checks_go_on(practice, workspace, monkeypatch):
    def refuse(path, content):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr("genailab.learn.state.progress.write_atomically", refuse)
    practice.checker.verdicts = [verdict("s01.1", State.FAILED), verdict("s01.1")]
    practice.check(workspace.exercises[0])
    assert "Read-only file system" in " ".join(said(practice).split())  # the path may be long
    practice.check(workspace.exercises[0])
    assert "PASSED" in (text := said(practice))
    assert "Read-only" not in text


def test_a_second_watcher_is_told_and_the_first_ones_death_frees_the_place(workspace):
    held = """
import sys, time
from pathlib import Path
from genailab.learn.state.alone import only_watcher
from genailab.learn.state.workspace import Workspace
with only_watcher(Workspace(root=Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""
    other = subprocess.Popen(
        [sys.executable, "-c", held, str(workspace.root)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=rf"process {other.pid}\).*genailab learn check"):
            only_watcher(workspace).__enter__()
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    with only_watcher(workspace):
        pass


def test_looking_costs_next_to_nothing(saved):
    start = time.process_time()
    for _ in range(100):
        saved.look()
        saved.gone()
    assert time.process_time() - start < 0.5  # of ten seconds of watching

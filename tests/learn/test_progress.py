"""Progress: what is kept, what is mended, and how two of them merge in git."""

import json
import shutil
import subprocess
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_curriculum import verdict, write_curriculum

from genailab.errors import InputError
from genailab.learn.outcomes import State, Verdict
from genailab.learn.state import progress as progress_module
from genailab.learn.state.exercise_progress import ExerciseProgress
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(tmp_path / "practice", curriculum=write_curriculum(tmp_path / "curriculum"))


CHECKS = st.builds(
    lambda outcome, at: {"event": "check", "outcome": str(outcome), "at": f"2026-01-{at:02d}"},
    st.sampled_from(State),
    st.integers(1, 28),
)
EVENTS = st.lists(
    st.one_of(
        CHECKS,
        st.builds(lambda level: {"event": "hint", "level": level}, st.integers(1, 3)),
        st.builds(lambda how: {"event": "solution", "how": how}, st.sampled_from(["earned", "anyway"])),
    ),
    max_size=12,
)


def after(events):
    done = ExerciseProgress()
    for event in events:
        done = done.after(event)
    return done


@given(events=EVENTS, more=EVENTS)
@settings(max_examples=50, deadline=None)
def test_nothing_that_was_reached_is_ever_lost(events, more):
    before, later = after(events), after(events + more)
    assert (later.state == "passed") >= (before.state == "passed")
    assert later.tries >= before.tries
    assert later.hints >= before.hints
    assert bool(later.solution) >= bool(before.solution)
    assert later.passed_at == before.passed_at or not before.passed_at


@given(one=EVENTS, other=EVENTS)
@settings(max_examples=50, deadline=None)
def test_joining_two_records_is_symmetric_and_idempotent(one, other):
    left, right = after(one), after(other)
    both = left.joined(right)
    assert both == right.joined(left)
    assert both.joined(left) == both
    assert left.joined(left) == left


def test_a_file_as_it_was_given_is_no_try_and_three_tries_earn_the_solution(workspace):
    progress = Progress.open(workspace)
    progress.record(verdict("s01.1", State.NOT_ATTEMPTED))
    assert progress.of("s01.1") == ExerciseProgress()
    for tried, earned in ((1, False), (2, False), (3, True)):
        progress.record(verdict("s01.1", State.FAILED))
        assert (progress.of("s01.1").tries, progress.of("s01.1").may_see_solution) == (tried, earned)
    assert progress.of("s01.1").state == "tried"


def test_what_is_recorded_is_read_again(workspace):
    progress = Progress.open(workspace)
    progress.record(verdict("s01.1"))
    progress.record_hint("s01.2", 2)
    progress.record_solution("s01.2", anyway=True)
    progress.record_quiz("s01", 3)
    progress.record_quiz("s01", 2)
    again = Progress.open(workspace)
    assert again.of("s01.1") == progress.of("s01.1")
    assert again.of("s01.1").passed_at.endswith("+00:00")
    assert again.of("s01.2") == ExerciseProgress(hints=2, solution="anyway")
    assert (again.quiz_of("s01"), again.quiz_of("s02")) == (3, None)


def test_every_exercise_stands_in_the_file_in_a_fixed_order_a_field_a_line(workspace):
    Progress.open(workspace).record(verdict("s02.1"))
    text = (workspace.state / "progress.json").read_text()
    ids = list(json.loads(text)["exercises"])
    assert ids == sorted(exercise.id for exercise in workspace.exercises)
    assert text.count('"tries":') == sum('"tries":' in line for line in text.splitlines()) == len(ids)


def test_the_last_feedback_is_kept_whole(workspace):
    said = verdict("s01.1", State.FAILED, message="no", mistake="off by one")
    Progress.open(workspace).record(said)
    kept = json.loads((workspace.state / "feedback" / "s01.1.json").read_text())
    assert Verdict.from_json(kept) == said


def test_the_history_only_grows(workspace):
    progress, path, before = Progress.open(workspace), workspace.state / "history.jsonl", b""
    for record in (
        lambda: progress.record(verdict("s01.1")),
        lambda: progress.record_hint("s01.2", 1),
        lambda: progress.record_reset("s01.1"),
        lambda: progress.record_quiz("s01", 5),
    ):
        record()
        now = path.read_bytes()
        assert now.startswith(before)
        assert now.count(b"\n") == before.count(b"\n") + 1
        before = now


def test_next_is_the_first_whose_prerequisites_are_passed(workspace):
    progress = Progress.open(workspace)
    assert progress.next_exercise().id == "s01.1"
    # s01.2 and s02.1 build on what is not passed yet.
    assert progress.next_exercise(after="s01.1").id == "s02.2"
    progress.record(verdict("s01.1"))
    assert progress.next_exercise().id == "s01.2"
    for id in ("s01.2", "s02.1", "s02.2"):
        progress.record(verdict(id))
    assert progress.next_exercise() is None
    assert progress.current_exercise() is None


def test_current_is_what_was_worked_on_last_until_it_is_passed(workspace):
    progress = Progress.open(workspace)
    assert progress.current_exercise().id == "s01.1"
    progress.record(verdict("s02.2", State.ERROR))
    assert progress.current_exercise().id == "s02.2"
    progress.record(verdict("s02.2"))
    assert progress.current_exercise().id == "s01.1"


DAMAGES = [b"", b"{", b"\x00\xff", b"[]", b'{"schema": 1, "exercises": {"s01.1": {"state": "flown"}}}']


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("without", ["nothing", "progress.json.bak", "history.jsonl"])
def test_a_damaged_file_is_mended_and_kept_aside(workspace, damage, without):
    progress = Progress.open(workspace)
    progress.record(verdict("s01.1"))
    progress.record_hint("s01.1", 3)  # so that the backup is of after the pass
    progress.path.write_bytes(damage)
    (workspace.state / without).unlink(missing_ok=True)
    mended = Progress.open(workspace)
    assert mended.of("s01.1").state == "passed"
    assert mended.of("s01.1").tries == 1
    assert "damaged" in mended.notices[0]
    assert "restored from" in mended.notices[0]
    assert progress.path.with_suffix(".json.damaged").read_bytes() == damage
    assert Progress.open(workspace).notices == []


def test_a_deleted_file_is_mended_and_a_new_workspace_is_no_damage(workspace):
    assert Progress.open(workspace).notices == []
    Progress.open(workspace).record(verdict("s01.1"))
    (workspace.state / "progress.json").unlink()
    mended = Progress.open(workspace)
    assert mended.of("s01.1").state == "passed"
    assert len(mended.notices) == 1


def test_newer_progress_is_refused_and_left_as_it_is(workspace):
    text = '{"schema": 99, "exercises": {}}'
    (workspace.state / "progress.json").write_text(text)
    with pytest.raises(InputError, match="newer genailab"):
        Progress.open(workspace)
    assert (workspace.state / "progress.json").read_text() == text


def test_older_progress_keeps_what_it_says_and_unknown_ids_stay(workspace):
    row = {"state": "passed", "tries": 4}
    old = {"schema": 1, "exercises": {"s01.1": row, "s77.1": row}}
    (workspace.state / "progress.json").write_text(json.dumps(old))
    progress = Progress.open(workspace)
    assert progress.of("s01.1") == ExerciseProgress(state="passed", tries=4)
    progress.record_hint("s01.2", 1)
    assert Progress.open(workspace).of("s77.1") == ExerciseProgress(state="passed", tries=4)


@pytest.mark.parametrize("begun", [False, True])
def test_where_nothing_can_be_written_it_goes_on_and_says_so_once(workspace, monkeypatch, begun):
    if begun:
        Progress.open(workspace).record_hint("s01.1", 1)

    def refuse(path, content):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(progress_module, "write_atomically", refuse)
    progress = Progress.open(workspace)
    for _ in range(2):
        progress.record(verdict("s01.1", State.FAILED))
    progress.record_hint("s01.1", 1)
    assert progress.of("s01.1").tries == 2
    assert len(progress.notices) == 1
    assert "not saved" in progress.notices[0]
    assert "Permission denied" in progress.notices[0]


def test_a_crash_while_writing_leaves_the_file_whole(workspace, monkeypatch):
    progress = Progress.open(workspace)
    progress.record(verdict("s01.1"))
    before = progress.path.read_bytes()

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", crash)
    with pytest.raises(KeyboardInterrupt):
        progress.record(verdict("s01.2"))
    monkeypatch.undo()
    assert progress.path.read_bytes() == before
    assert not list(workspace.state.glob(".progress*"))


def test_two_terminals_lose_nothing_of_each_other(workspace):
    def practise(id):
        progress = Progress.open(workspace)
        for _ in range(5):
            progress.record(verdict(id, State.FAILED))

    threads = [threading.Thread(target=practise, args=(id,)) for id in ("s01.1", "s01.2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    progress = Progress.open(workspace)
    assert [progress.of(id).tries for id in ("s01.1", "s01.2")] == [5, 5]


def git(folder, *words):
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *settings, *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(("here", "there"), [("s01.1", "s01.2"), ("s02.2", "s02.1"), ("s01.1", "s02.2")])
def test_branches_that_passed_different_exercises_merge_in_git(workspace, here, there):
    root = workspace.root
    Progress.open(workspace).record_hint("s01.1", 1)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "begin")
    git(root, "checkout", "-q", "-b", "laptop")
    Progress.open(workspace).record(verdict(here))
    Progress.open(workspace).record_quiz("s01", 4)
    git(root, "commit", "-q", "-a", "-m", "laptop")
    git(root, "checkout", "-q", "main")
    Progress.open(workspace).record(verdict(there))
    Progress.open(workspace).record_quiz("s02", 5)
    git(root, "commit", "-q", "-a", "-m", "desktop")
    merged = git(root, "merge", "-q", "laptop", "-m", "both")
    assert merged.returncode == 0, merged.stdout
    progress = Progress.open(workspace)
    assert progress.notices == []
    assert [progress.of(id).state for id in (here, there)] == ["passed", "passed"]
    assert (progress.quiz_of("s01"), progress.quiz_of("s02")) == (4, 5)
    lines = progress.history.read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} >= {here, there}
    assert git(root, "status", "--porcelain").stdout == ""


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_conflict_over_the_same_exercise_is_mended_from_both_histories(workspace):
    root = workspace.root
    Progress.open(workspace).record_hint("s01.1", 1)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "begin")
    git(root, "checkout", "-q", "-b", "laptop")
    Progress.open(workspace).record(verdict("s01.1"))
    git(root, "commit", "-q", "-a", "-m", "laptop")
    git(root, "checkout", "-q", "main")
    for _ in range(2):
        Progress.open(workspace).record(verdict("s01.1", State.FAILED))
    git(root, "commit", "-q", "-a", "-m", "desktop")
    assert git(root, "merge", "-q", "laptop").returncode != 0
    progress = Progress.open(workspace)
    assert (progress.of("s01.1").state, progress.of("s01.1").tries) == ("passed", 3)

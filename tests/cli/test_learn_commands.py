"""``genailab learn``: what a learner types, sees and gets back, on the real curriculum."""

import contextlib
import csv
import io
import json
import subprocess
import sys

import pytest

from genailab.cli.main import main
from genailab.learn.checker import Checker
from genailab.learn.content import find_exercise, sessions
from genailab.learn.quiz import read_quiz
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace

FILE = "session_01_tensors/s01_1_dna_encoding.py"


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Call genailab learn as a shell would, in an empty folder; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words, typed=""):
        monkeypatch.setattr(sys, "argv", ["genailab", "learn", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture(scope="module")
def warm():
    """One warm process for all checks: to load torch for each would take longer than all the rest."""
    with Checker() as checker:
        yield contextlib.nullcontext(checker)


@pytest.fixture
def checked(warm, monkeypatch):
    """Check with the warm process."""
    monkeypatch.setattr("genailab.learn.screen.single.Checker", lambda: warm)


@pytest.fixture
def begun(call, tmp_path):
    """A workspace in the current folder."""
    assert call("init", ".")[0] == 0
    return tmp_path


def solve(folder, id="s01.1"):
    exercise = find_exercise(id)
    path = Workspace.find(folder).path_of(exercise)
    path.write_text(exercise.text("solution.py"))
    return path


def test_init_makes_a_workspace_with_every_exercise(call, tmp_path):
    code, out, _ = call("init", "practice")
    assert code == 0
    assert "genailab learn" in out
    workspace = Workspace.find(tmp_path / "practice")
    assert all(workspace.path_of(exercise).is_file() for exercise in workspace.exercises)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "s01.1"], "not in a workspace"),
        (["hint", "s01.1"], "not in a workspace"),
        (["reset", "s01.1"], "not in a workspace"),
        (["update"], "not in a workspace"),
        (["check", "s01.1", "--file", "absent.py"], "there is no file absent.py"),
        (["quiz", "99"], "there is no session"),
        (["class", "collect", "absent"], "there is no file absent"),
        (["no-such-command"], "No such command"),
    ],
)
def test_a_wrong_call_ends_with_2_and_a_sentence(call, words, message):
    code, _, err = call(*words)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_an_unknown_exercise_is_answered_with_the_nearest(call, begun):
    code, _, err = call("hint", "s01.l")
    assert code == 2
    assert "'s01.1'" in err


def test_a_folder_that_holds_something_is_refused(call, tmp_path):
    (tmp_path / "mine").write_text("")
    code, _, err = call("init", ".")
    assert (code, "not empty" in err) == (2, True)
    code, _, err = call()
    assert (code, "genailab learn init" in err) == (2, True)


def test_check_says_0_after_a_pass_and_1_otherwise_and_keeps_it(call, begun, checked):
    code, out, _ = call("check", "s01.1")
    assert code == 1
    assert out.startswith("NOT ATTEMPTED")
    (begun / FILE).write_text("def one_hot_encode_sequence(sequence)\n    return 1\n")
    code, out, _ = call("check")
    assert code == 1
    assert out.startswith("ERROR IN YOUR CODE: s01.1")
    assert "line 1" in out
    solve(begun)
    code, out, _ = call("check", "s01.1")
    assert code == 0
    assert out.startswith("PASSED: s01.1")
    progress = Progress.open(Workspace.find(begun))
    assert (progress.of("s01.1").state, progress.of("s01.1").tries) == ("passed", 2)


def test_json_says_id_outcome_seed_and_each_check_and_a_seed_asks_the_same_again(call, begun, checked):
    wrong = find_exercise("s01.1").wrong[0]
    (begun / FILE).write_text(wrong.read_text())
    code, out, _ = call("check", "s01.1", "--json", "--seed", "11")
    assert code == 1
    fields = json.loads(out)
    assert (fields["id"], fields["outcome"], fields["seed"]) == ("s01.1", "failed", 11)
    assert {"name", "state", "message", "mistake"} <= fields["checks"][0].keys()
    assert f"mistake: {fields['mistake']}" in wrong.read_text()
    _, again, _ = call("check", "s01.1", "--json", "--seed", "11")
    assert json.loads(again)["checks"] == fields["checks"]


def test_a_file_of_ones_own_is_checked_also_outside_of_a_workspace(call, tmp_path):
    (tmp_path / "mine.py").write_text(find_exercise("s01.1").text("solution.py"))
    code, out, _ = call("check", "s01.1", "--file", "mine.py")
    assert (code, out.startswith("PASSED")) == (0, True)


def test_list_is_a_tree_with_states_and_can_be_searched(call, begun):
    code, out, _ = call("list")
    assert code == 0
    for session in sessions():
        assert session.title in out
        assert all(exercise.id in out for exercise in session.exercises)
    assert "not started  s01.1" in out
    assert "(25 min)" in out
    assert "s01.1" in call("list", "--search", "one-hot")[1]
    assert "s01.1" not in call("list", "--search", "one-hot zebra")[1]
    rows = json.loads(call("list", "--json")[1])
    assert rows[0]["id"] == "s01.1"
    assert rows[0]["prerequisites"] == []


def test_list_fits_80_columns(call, begun):
    _, out, _ = call("list")
    assert max(map(len, out.splitlines())) <= 80


def test_list_shows_what_there_is_also_outside_of_a_workspace(call):
    code, out, _ = call("list")
    assert code == 0
    assert "s01.1" in out
    assert "genailab learn init" in out


def test_hints_the_solution_the_difference_and_a_reset(call, begun):
    assert call("hint", "s01.1")[1].startswith("Hint 1 of 3 for s01.1: a nudge")
    assert call("hint", "s01.1")[1].startswith("Hint 2 of 3")
    code, out, err = call("solution", "s01.1")
    assert (code, out) == (2, "")
    assert "--anyway" in err
    code, out, _ = call("solution", "s01.1", "--anyway")
    assert (code, out) == (0, find_exercise("s01.1").text("solution.py"))
    assert "as it was given" in call("diff", "s01.1")[1]
    path = solve(begun)
    assert "+    return" in call("diff", "s01.1")[1]
    code, out, _ = call("reset", "s01.1")
    assert code == 0
    kept = begun / out.splitlines()[-1].removeprefix("Yours is kept as ")
    assert kept.read_text() == find_exercise("s01.1").text("solution.py")
    assert path.read_text() == find_exercise("s01.1").text("starter.py")


def test_open_uses_the_editor(call, begun, monkeypatch):
    monkeypatch.setenv("VISUAL", f"cp -t '{begun}'")
    assert call("open", "s01.1")[0] == 0
    assert (begun / "s01_1_dna_encoding.py").is_file()


@pytest.mark.skipif(not read_quiz(sessions()[0]), reason="session 1 has no quiz yet")
def test_a_quiz_takes_piped_answers_and_is_kept(call, begun):
    questions = read_quiz(sessions()[0])
    right = [
        str(number)
        for question in questions
        for number, option in enumerate(question.options, start=1)
        if option.right
    ]
    code, out, _ = call("quiz", "1", typed="\n".join(right) + "\n")
    assert code == 0
    assert f"{len(questions)} of {len(questions)} right" in out
    assert Progress.open(Workspace.find(begun)).quiz_of("s01") == len(questions)
    code, _, err = call("quiz", "1", typed="1\n")
    assert (code, "question 2" in err) == (2, True)


def test_update_with_nothing_new_says_so(call, begun):
    assert call("update") == (0, "Everything is as in the genailab that is installed.\n", "")


def test_a_class_is_exported_and_collected(call, begun):
    assert call("class", "export", "--name", "Ada", "--to", "ada.json")[0] == 0
    code, out, _ = call("class", "collect", "ada.json")
    assert code == 0
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["learner"], row["s01.1"]) == ("Ada", "not started")


def test_notes_on_a_damaged_progress_go_beside_the_answer(call, begun):
    call("hint", "s01.1")
    (begun / ".genailab" / "progress.json").write_text("{")
    code, out, err = call("list", "--json")
    assert code == 0
    assert json.loads(out)
    code, out, err = call("list")
    assert code == 0
    assert "Traceback" not in err


@pytest.mark.parametrize(("problems", "code"), [([], 0), (["s01.1: its lesson is missing"], 1)])
def test_the_authors_gate_says_what_does_not_hold(call, monkeypatch, problems, code):
    monkeypatch.setattr("genailab.learn.authors.gate.problems_of", lambda exercise, **options: problems)
    said = "".join(f"{problem}\n" for problem in problems) or "s01.1: holds\n"
    assert call("dev", "check", "s01.1") == (code, said, "")


def test_commands_that_do_not_check_load_no_torch(tmp_path):
    for words in (["list"], ["init", "p"], ["--help"]):
        code = (
            f"import sys; sys.argv = ['genailab', 'learn', *{words!r}]\n"
            "from genailab.cli.main import main\n"
            "try:\n    main()\nexcept SystemExit:\n    pass\n"
            "assert not {'torch', 'numpy', 'matplotlib'} & set(sys.modules)"
        )
        subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL, timeout=60
        )

"""What a notebook's kernel holds is checked as a file is: same checks, same rules, same progress."""

from __future__ import annotations

import ast

import pytest
from IPython.core.interactiveshell import InteractiveShell

from genailab.errors import InputError
from genailab.learn import exercise
from genailab.learn.content import exercises, find_exercise
from genailab.learn.jupyter.cells import cells_of, source_of, whole_cell
from genailab.learn.outcomes import State
from genailab.learn.state import records
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace

FIRST = find_exercise("s01.1")


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A kernel without its sockets, in an empty folder that is no workspace."""
    monkeypatch.chdir(tmp_path)
    records._unsaved.cache_clear()
    records._said.clear()
    shell = InteractiveShell.instance()
    shell.reset()
    shell.run_cell("from genailab.learn import exercise", store_history=True)
    yield shell
    InteractiveShell.clear_instance()


def run(shell, *cells):
    """Run cells; return the value of the last one."""
    for cell in cells:
        done = shell.run_cell(cell, store_history=True, silent=False)
        done.raise_error()
    return done.result


def test_a_solution_passes_and_a_wrong_answer_is_named_and_drawn(shell):
    wrong = (FIRST.folder / "wrong" / "order_atgc.py").read_text()
    shown = run(shell, wrong, "exercise('s01.1').check(one_hot_encode_sequence, seed=3)")
    assert shown.verdict.outcome is State.FAILED
    assert shown.verdict.mistake == "rows in the order A, T, G, C"
    assert shown._repr_html_().count("<svg") == 2
    assert "Recognised: rows in the order A, T, G, C" in repr(shown)
    shown = run(shell, FIRST.text("solution.py"), "exercise('s01.1').check()")
    assert shown.verdict.outcome is State.PASSED


def test_the_starter_and_what_is_missing_are_not_attempted(shell):
    assert run(shell, "exercise('s01.1').check()").verdict.outcome is State.NOT_ATTEMPTED
    shown = run(shell, FIRST.text("starter.py"), "exercise('s01.1').check(one_hot_encode_sequence)")
    assert {check.state for check in shown.verdict.checks} == {State.NOT_ATTEMPTED}
    one = ast.parse(FIRST.text("solution.py")).body[:4]
    shown = run(shell, "\n".join(map(ast.unparse, one)), "exercise('s01.1').check(one_hot_encode_sequence)")
    states = [check.state for check in shown.verdict.checks]
    assert states == [State.PASSED] * 4 + [State.NOT_ATTEMPTED] * 3


def test_an_error_has_the_line_of_its_cell(shell):
    run(shell, FIRST.text("solution.py"))
    shown = run(
        shell, "def join_kmers(batch):\n    x = 1\n    return batch.nonsense()", "exercise('s01.1').check()"
    )
    problem = shown.verdict.first_problem
    assert (problem.state, problem.line) == (State.ERROR, 3)
    assert "return batch.nonsense()" in problem.message


def test_the_kernel_is_left_as_it_was(shell):
    import torch

    breaks = "def flatten_kmers(batch):\n    torch.set_default_dtype(torch.float64)\n    KEPT.append(1)"
    run(shell, FIRST.text("solution.py"), "KEPT = []", breaks, "exercise('s01.1').check()")
    assert torch.get_default_dtype() == torch.float32
    assert shell.user_ns["KEPT"] == []


def test_a_debug_task_is_held_to_its_few_lines(shell):
    debug = next(
        (one for one in exercises() if one.kind == "debug" and (one.folder / "solution.py").is_file()), None
    )
    if debug is None:
        pytest.skip("there is no debug task yet")
    check = f"exercise({debug.id!r}).check()"
    from genailab.learn.jupyter.notebooks import split_docstring

    mended = split_docstring(debug.text("solution.py"))[1]
    assert run(shell, mended, check).verdict.outcome is State.PASSED
    rewritten = mended + "\n" + "\n".join(f"EXTRA_{number} = {number}" for number in range(50))
    assert run(shell, rewritten, check).verdict.mistake == "rewritten"


def test_progress_goes_to_the_workspace_or_nowhere_which_is_said_once(shell, tmp_path, monkeypatch):
    check = "exercise('s01.1').check()"
    first, second = run(shell, check), run(shell, check)
    assert "Progress is not saved" in repr(first)
    assert "Progress is not saved" in first._repr_html_()
    assert "Progress is not saved" not in repr(second)
    workspace = Workspace.create(tmp_path / "practice")
    monkeypatch.chdir(workspace.folder_of(workspace.sessions[0]))
    shown = run(shell, FIRST.text("solution.py"), check)
    assert "not saved" not in repr(shown)
    assert Progress.open(workspace).of("s01.1").state == "passed"


def test_a_folder_that_is_gone_is_said(shell, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "moved or deleted" in repr(run(shell, "exercise('s01.1').check()"))


def test_hints_come_one_after_the_other_and_the_solution_is_earned(shell):
    run(shell, "ex = exercise('s01.1')")
    hints = [run(shell, "ex.hint()") for _ in range(4)]
    assert [hint.text.splitlines()[0] for hint in hints] == [
        "Hint 1 of 3: a nudge",
        "Hint 2 of 3: the approach",
        "Hint 3 of 3: nearly the code",
        "Hint 3 of 3: nearly the code",
    ]
    assert "def encode_kmers" not in repr(run(shell, "ex.solution()"))
    assert "def encode_kmers" in repr(run(shell, "ex.solution(anyway=True)"))
    run(shell, (FIRST.folder / "wrong" / "n_as_a.py").read_text(), *["ex.check()"] * 3)
    assert "def encode_kmers" in repr(run(shell, "ex.solution()"))
    with pytest.raises(InputError, match="level 1 to 3, not 4"):
        exercise("s01.1").hint(4)


def test_what_cannot_be_checked_is_said(shell):
    with pytest.raises(InputError, match="did you mean 'encode_kmers'"):
        run(shell, "def encode_kmer(x): pass", "exercise('s01.1').check(encode_kmer)")
    with pytest.raises(InputError, match="not a list"):
        run(shell, "exercise('s01.1').check([1])")
    with pytest.raises(InputError, match=r"did you mean 's01\.1'"):
        exercise("s1.1")


def test_the_lesson_brings_its_picture(shell):
    assert "data:image/svg+xml;base64," in exercise("s01.1").lesson()._repr_html_()


# --- the text of what was run ------------------------------------------------------------------------------


def test_only_what_the_names_need_is_taken_and_of_each_the_last():
    cells = [
        "import torch\nimport os",
        "def helper(x):\n    return torch.exp(x)",
        "def other(x):\n    return torch.autograd.grad(x)",
        "@torch.no_grad()\ndef mine(x):\n    return old(x)",
        "not python (",
        "@torch.no_grad()\ndef mine(x):\n    # kept\n    return helper(x)",
    ]
    wanted = "\n".join(["import torch", cells[1], cells[5]])
    assert source_of(cells, ["mine"]) == wanted
    # What is taken needs nothing that is not there.
    assert source_of([wanted], ["mine"]) == wanted


def test_a_value_brings_its_whole_cell():
    cells = ["import torch", "w = torch.zeros(3)\nfor _ in range(3):\n    w.add_(1)\nprint(w)", "z = 1"]
    assert source_of(cells, ["w"]) == "\n".join(cells[:2])


def test_the_cell_of_a_program_is_the_last_that_defines_most_of_it():
    cells = ["def a(): 1\ndef b(): 1", "def a(): 2\ndef b(): 2\nprint(a())", "def b(): 3"]
    assert whole_cell(cells, ["a", "b"]) == cells[1]
    assert whole_cell([], ["a"]) == ""


def test_a_script_is_its_file(tmp_path):
    file = tmp_path / "script.py"
    file.write_text("def mine(): pass\n")
    assert cells_of({"__file__": str(file)}) == ["def mine(): pass\n"]
    assert cells_of({"In": ["", "x = 1"]}) == ["x = 1"]

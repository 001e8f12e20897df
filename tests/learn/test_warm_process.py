"""The warm process and the one that asks it: files of every kind, and a process that dies."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from genailab.errors import InputError
from genailab.learn.checker import Checker
from genailab.learn.content import find_exercise
from genailab.learn.outcomes import State

EXERCISE = find_exercise("s01.1")
RIGHT = EXERCISE.text("solution.py")


@pytest.fixture(scope="module")
def checker():
    with Checker() as checker:
        yield checker


def verdict_on(checker, folder, text, *, seed=3):
    path = folder / EXERCISE.file_name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return checker.check(EXERCISE, path, seed=seed)


READ = {
    "as it is": RIGHT.encode(),
    "a mark of order": b"\xef\xbb\xbf" + RIGHT.encode(),
    "line ends of Windows": RIGHT.replace("\n", "\r\n").encode(),
    "line ends of old": RIGHT.replace("\n", "\r").encode(),
    "another encoding, said so": ("# -*- coding: latin-1 -*-\n# é\n" + RIGHT).encode("latin-1"),
    "an odd escape": (RIGHT + "PATTERN = '\\d'\n").encode(),
    "annotations that are looked at": (
        "import dataclasses\n\n\n@dataclasses.dataclass\nclass A:\n    x: int = 0\n\n\n"
        "assert dataclasses.fields(A)[0].type is int\n" + RIGHT
    ).encode(),
}


@pytest.mark.parametrize("name", READ)
def test_what_python_reads_is_read(checker, tmp_path, capfd, name):
    assert verdict_on(checker, tmp_path, READ[name]).outcome is State.PASSED
    assert capfd.readouterr() == ("", "")


NOT_PYTHON = {
    "does not parse": (b"def f(:\n", "line 1", "invalid syntax"),
    "tabs among spaces": (b"if True:\n        x = 1\n\ty = 2\n", "line 3", "tabs"),
    "null bytes": (b"x = 1\0", "cannot read", "null"),
    "return outside": (b"\nreturn 3\n", "line 2", "outside function"),
    "not UTF-8": ("x = 1\ny = 'é'\n".encode("latin-1"), "line 2", "UTF-8"),
    "UTF-16": ("x = 1\n".encode("utf-16"), "line 1", "UTF-8"),
    "an encoding there is not": (b"# coding: klingon\n", "another encoding", "UTF-8"),
    "huge": (b"#" * 2_000_000, "1,000,000 bytes", "data"),
    "nested deeply": (b"x = " + b"-" * 50_000 + b"1\n", "nested", "deeply"),
    "nested in brackets": (b"x = " + b"(" * 5_000 + b")" * 5_000, "cannot read", "parenthes"),
    "a sum without end": (b"x = " + b"+".join([b"1"] * 20_000), "nested", "deeply"),
}


@pytest.mark.parametrize("name", NOT_PYTHON)
def test_what_is_not_python_is_said_with_its_line(checker, tmp_path, name):
    text, *words = NOT_PYTHON[name]
    verdict = verdict_on(checker, tmp_path, text)
    assert verdict.outcome is State.ERROR
    for word in words:
        assert word in verdict.first_problem.message


def test_a_missing_import_is_named_with_its_line(checker, tmp_path):
    problem = verdict_on(checker, tmp_path, "import torch\nimport nowhere\n").first_problem
    assert (problem.state, problem.line) == (State.ERROR, 2)
    assert "No module named 'nowhere'" in problem.message


def test_a_file_beside_is_imported_by_its_name_and_hides_no_library(checker, tmp_path):
    (tmp_path / "mine.py").write_text(RIGHT)
    (tmp_path / "torch.py").write_text("raise ValueError")
    assert verdict_on(checker, tmp_path, "from mine import *\n").outcome is not State.ERROR
    assert verdict_on(checker, tmp_path, "import mine, torch\n" + RIGHT).outcome is State.PASSED
    problem = verdict_on(checker, tmp_path, "from . import mine\n").first_problem
    assert "without a dot" in problem.message


def test_a_file_beside_the_terminal_hides_no_library_from_the_process(tmp_path, monkeypatch):
    (tmp_path / "random.py").write_text("raise ValueError")
    monkeypatch.chdir(tmp_path)
    with Checker() as checker:
        assert verdict_on(checker, tmp_path, RIGHT).outcome is State.PASSED


def test_a_folder_or_nothing_is_an_input_error(checker, tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        checker.check(EXERCISE, tmp_path, seed=1)
    with pytest.raises(InputError, match="learn reset"):
        checker.check(EXERCISE, tmp_path / "gone.py", seed=1)


def test_the_same_seed_asks_the_same_in_another_process(checker, tmp_path):
    wrong = RIGHT.replace("= 1", "= len({'a', 'b', sequence}) + torch.rand(())")
    first = verdict_on(checker, tmp_path, wrong, seed=5)
    _kill(checker)
    again = verdict_on(checker, tmp_path, wrong, seed=5)
    other = verdict_on(checker, tmp_path, wrong, seed=6)
    assert first.checks == again.checks
    assert first.checks != other.checks


def test_two_threads_take_turns(checker, tmp_path):
    found = {}

    def ask(name, text):
        (tmp_path / name).mkdir()
        found[name] = verdict_on(checker, tmp_path / name, text).outcome

    wrong = RIGHT.replace("ACGT", "ATGC")
    threads = [
        threading.Thread(target=ask, args=(f"{number}", RIGHT if number % 2 else wrong))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"0": State.FAILED, "1": State.PASSED, "2": State.FAILED, "3": State.PASSED}


def test_a_process_killed_in_the_middle_of_a_check_is_started_again(checker, tmp_path):
    started = tmp_path / "started"
    # The first time it waits for ever, the second time it is right.
    text = (
        f"import pathlib, time\nif not pathlib.Path({str(started)!r}).exists():\n    time.sleep(600)\n"
        + RIGHT
    )

    def kill():
        time.sleep(1.0)
        started.touch()
        _kill(checker)

    verdict_on(checker, tmp_path, RIGHT)  # it is awake
    killer = threading.Thread(target=kill)
    killer.start()
    before = time.monotonic()
    verdict = verdict_on(checker, tmp_path, text)
    killer.join()
    assert verdict.outcome is State.PASSED
    assert time.monotonic() - before < 60


def test_a_closed_checker_leaves_no_process():
    checker = Checker()
    number = checker.process.pid
    checker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    assert not Path(f"/proc/{number}").exists()


def _kill(checker):
    os.kill(checker.process.pid, signal.SIGKILL)

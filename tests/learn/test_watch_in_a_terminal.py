"""The real watcher in a real terminal (80 columns): from an empty folder to a pass, and out again."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from genailab.learn.content import find_exercise
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace

FILE = "session_01_tensors/s01_1_dna_encoding.py"
PROGRAM = [sys.executable, "-c", "from genailab.cli.main import main; main()", "learn"]


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, folder):
        self.end, inside = pty.openpty()
        environment = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm", "OMP_NUM_THREADS": "1"}
        # A shell that started these tests in the background has Ctrl-C ignored in all that they start.
        listens = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            PROGRAM, cwd=folder, stdin=inside, stdout=inside, stderr=inside, env=environment,
            start_new_session=True, preexec_fn=listens,
        )  # fmt: skip
        os.close(inside)
        self.text = ""

    def wait_for(self, words, *, seconds=90):
        """Read until the screen shows the words; return all text that came until then."""
        until = time.monotonic() + seconds
        while words not in self.text:
            ready, _, _ = select.select([self.end], [], [], max(0, until - time.monotonic()))
            assert ready, f"no {words!r} in:\n{self.text}"
            try:
                part = os.read(self.end, 65536)
            except OSError:  # the program has ended
                part = b""
            assert part, f"ended without {words!r}:\n{self.text}"
            self.text += re.sub(r"\x1b\[[\d;]*m", "", part.decode()).replace("\r\n", "\n")
        before, _, self.text = self.text.partition(words)
        return before + words

    def press(self, key):
        os.write(self.end, key.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.end)


@pytest.fixture
def terminal(tmp_path):
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def test_from_an_empty_folder_to_a_pass_and_out_again(terminal, tmp_path):
    terminal.wait_for("s01.1 DNA sequence encoding")
    assert FILE in terminal.wait_for("q quit\n")
    exercise = find_exercise("s01.1")
    (tmp_path / FILE).write_text(exercise.wrong[0].read_text())
    shown = terminal.wait_for("press h.")
    assert "FAILED: s01.1" in shown
    assert "Recognised: " in shown
    assert max(map(len, shown.splitlines())) <= 80
    terminal.press("h")
    terminal.wait_for("Hint 1 of 3 for s01.1: a nudge")
    terminal.press("\x1b[A")  # an arrow means nothing
    (tmp_path / FILE).write_text(exercise.text("solution.py"))
    terminal.wait_for("PASSED: s01.1")
    terminal.wait_for("press n.")
    terminal.press("n")
    terminal.wait_for("s01.2 ")
    terminal.press("q")
    terminal.wait_for("To go on: genailab learn")
    assert terminal.process.wait(30) == 0
    progress = Progress.open(Workspace.find(tmp_path))
    assert (progress.of("s01.1").state, progress.of("s01.1").hints) == ("passed", 1)


def test_ctrl_c_ends_with_one_sentence_and_leaves_no_process(terminal):
    terminal.wait_for("q quit\n")
    os.killpg(terminal.process.pid, signal.SIGINT)
    left = terminal.wait_for("To go on: genailab learn")
    assert left.strip() == "Your progress is kept. To go on: genailab learn"
    assert terminal.process.wait(30) == 130
    assert "Traceback" not in terminal.text

"""Whatever the learner's code does, the verdict comes in time and a wrong answer does not pass."""

import dataclasses
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from answer_exercise import RIGHT, answer_exercise, checked

from genailab.learn.outcomes import State

PASS, FAIL, ERROR, LATE = State.PASSED, State.FAILED, State.ERROR, State.TIMED_OUT
WRONG = "import torch\n\n\ndef answer(values):\n    return values * 3\n"


@pytest.fixture(scope="module")
def exercise(tmp_path_factory):
    return answer_exercise(tmp_path_factory.mktemp("hostile") / "exercise_1_twice", seconds=2.5)


def of(body, head=""):
    """Return a file whose function runs ``body`` first and returns a wrong answer."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"import torch\n{head}\n\ndef answer(values):\n{lines}    return values * 3\n"


def test_a_right_answer_passes_and_a_wrong_one_does_not(exercise):
    assert checked(exercise, RIGHT).outcome is PASS
    assert checked(exercise, WRONG).outcome is FAIL


LEAVES = {
    "sys.exit when loaded": "import sys\nsys.exit(0)",
    "sys.exit when called": of("raise SystemExit(0)"),
    "os._exit when loaded": "import os\nos._exit(0)",
    "os._exit when called": of("import os\nos._exit(0)"),
    "a segmentation fault": of("import ctypes\nctypes.string_at(0)"),
    "abort": of("import os\nos.abort()"),
    "a signal to itself": of("import os\nos.kill(os.getpid(), 9)"),
    "an exit in atexit": of("import atexit, os\natexit.register(os._exit, 0)\nraise SystemExit"),
    "an interrupt": of("raise KeyboardInterrupt"),
    "the end of an iterator": of("raise StopIteration"),
    "the end of a generator": of("raise GeneratorExit"),
    "a base exception": of("raise BaseException('x')"),
    "an error whose text fails": of(
        "raise E", "class E(Exception):\n    def __str__(self): raise ValueError\n"
    ),
    "a call without end": of("return answer(values)"),
    "a pass that is raised": of(
        "raise CheckFailed(CheckResult(name='x', state=State.PASSED))",
        "from genailab.learn.checking import CheckFailed\nfrom genailab.learn.outcomes import *",
    ),
}


@pytest.mark.parametrize("name", LEAVES)
def test_code_that_leaves_is_an_error_in_it(exercise, name):
    assert checked(exercise, LEAVES[name]).outcome is ERROR


LOOPS = {
    "when called": of("while True: pass"),
    "past every exception": of("while True:\n    try: raise ValueError\n    except BaseException: pass"),
    "asleep, without the alarm": of(
        "import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(60)"
    ),
    "when loaded": "while True:\n    pass\n",
    "in __del__": of("Z()", "class Z:\n    def __del__(self):\n        while True:\n            pass\n"),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_that_does_not_end_is_timed_out(tmp_path, name):
    exercise = answer_exercise(tmp_path / "exercise_1_twice", seconds=0.6)
    started = time.monotonic()
    verdict = checked(exercise, LOOPS[name])
    assert verdict.outcome is LATE
    assert time.monotonic() - started < 4
    assert verdict.first_problem.name == ("Your file runs" if name == "when loaded" else "Doubles")


def test_threads_and_exits_registered_do_not_hold_up_the_verdict(exercise):
    body = "import threading, atexit, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    verdict = checked(exercise, of(body + "atexit.register(time.sleep, 60)"))
    assert verdict.outcome is FAIL
    assert verdict.seconds < 2.4


PATCHES = {
    "torch.allclose": "torch.allclose = lambda *a, **k: True",
    "numpy": "import numpy as np\nnp.abs = np.isfinite = lambda x: x * 0\nnp.where = lambda *a: np.zeros(1)",
    "builtins": "import builtins\nbuiltins.isinstance = lambda *a: False\nbuiltins.abs = lambda x: 0",
    "the comparison": "import genailab.learn.checking.attempt as c\nc.difference = lambda *a, **k: None",
    "the comparison's code": (
        "import genailab.learn.checking.comparison as c\n"
        "c.difference.__code__ = (lambda *a, **k: None).__code__"
    ),
    "the attempt": "from genailab.learn.checking import Attempt\nAttempt.compare = lambda *a, **k: None",
    "the attempt's every attribute": (
        "from genailab.learn.checking import Attempt\n"
        "Attempt.__getattribute__ = lambda self, name: (lambda *a, **k: None)"
    ),
    "a name that hides a builtin": (
        "import genailab.learn.checking.comparison as c\nc.abs = c.isinstance = lambda *a: True"
    ),
    "results": "import genailab.learn.outcomes as o\no.CheckResult.__init__ = lambda s, **k: None",
    "json": "import json\njson.dumps = lambda *a, **k: '{}'",
    "the tensor": "torch.Tensor.numpy = lambda *a: 0\ntorch.Tensor.__eq__ = lambda *a: True",
}


@pytest.mark.parametrize("when", ["loaded", "called"])
@pytest.mark.parametrize("name", PATCHES)
def test_a_replaced_function_is_put_back_and_told(exercise, name, when):
    source = of(PATCHES[name]) if when == "called" else of("", PATCHES[name])
    verdict = checked(exercise, source)
    assert verdict.outcome is FAIL
    assert verdict.mistake == "replaces a library's function"
    again = [check.message for check in verdict.checks if check.mistake != verdict.mistake]
    assert all("wrong" in message for message in again)  # the later checks compare as ever


def test_words_on_the_pipe_are_no_results(exercise):
    body = (
        "import os, threading\n"
        "def write():\n"
        "    for number in range(3, 64):\n"
        '        try: os.write(number, b\'{"verdict": {}}\\n\\xff{"done": 2} and half a line\')\n'
        "        except OSError: pass\n"
        "write()"
    )
    verdict = checked(exercise, of(body))
    assert [check.state for check in verdict.checks] == [FAIL, FAIL]


def test_a_pipe_that_was_closed_does_not_pass(exercise):
    verdict = checked(exercise, RIGHT + "\nimport os\nos.closerange(3, 256)\n")
    assert verdict.outcome is ERROR


def test_the_token_is_in_no_variable_and_no_argument(exercise):
    source = of("import os, sys\nraise ValueError(' '.join([*os.environ.values(), *sys.argv]))")
    message = checked(exercise, source).first_problem.message
    words = set(message.split()) - set(os.environ.values())
    assert not any(len(word) == 32 and set(word) <= set("0123456789abcdef") for word in words)


FORKS = {
    "os.fork": "os.fork()",
    "subprocess": "subprocess.run(['true'])",
    "os.system": "os.system('true')",
    "multiprocessing": "multiprocessing.get_context('fork').Process(target=print).start()",
    "multiprocessing, anew": "multiprocessing.get_context('spawn').Process(target=print).start()",
    "a pool": "multiprocessing.Pool(2).map(abs, [1])",
    "workers of a data loader": "next(iter(torch.utils.data.DataLoader([1, 2], num_workers=2)))",
}


@pytest.mark.parametrize("name", FORKS)
def test_starting_a_process_is_refused_in_words(exercise, name):
    verdict = checked(exercise, of(f"import os, subprocess, multiprocessing\n{FORKS[name]}"))
    assert verdict.outcome is ERROR
    assert "starts a process" in verdict.first_problem.message


def test_a_fork_past_the_audit_neither_answers_nor_holds_up(exercise):
    source = RIGHT.replace("    return", "    ctypes.CDLL(None).fork()\n    return").replace(
        "import torch", "import ctypes, torch"
    )
    verdict = checked(exercise, source)
    assert verdict.outcome is PASS
    assert len(verdict.checks) == 2


@pytest.mark.parametrize(
    "body",
    ["[0] * 10**10", "torch.zeros(10**10)", "'x' * 10**10", "x = []\nwhile True: x.append(bytes(10**7))"],
)
def test_too_much_memory_is_an_error_in_words(tmp_path, body):
    exercise = answer_exercise(tmp_path / "exercise_1_twice", megabytes=200, seconds=5.0)
    verdict = checked(exercise, of(body))
    assert verdict.outcome is ERROR
    assert "more memory" in verdict.first_problem.message


def test_a_million_lines_cost_little_and_hide_nothing(exercise):
    slow = dataclasses.replace(exercise, seconds=30.0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    verdict = checked(slow, "for number in range(1_000_000):\n    print(number)\n" + RIGHT)
    assert verdict.outcome is PASS
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 2
    assert verdict.output.startswith("0\n1\n2\n")
    assert "bytes more" in verdict.output
    assert len(verdict.output) < 5000


def test_output_survives_odd_characters_and_a_closed_stream(exercise):
    assert "\\udc80" in checked(exercise, "print('\\udc80')\n" + RIGHT).output
    assert checked(exercise, "import sys\nprint(1)\nsys.stdout.close()\n" + RIGHT).outcome is PASS
    assert "bytes" in checked(exercise, "import sys\nsys.stdout.buffer.write(b'bytes')\n" + RIGHT).output


WRITES = {
    "open": "open(place, 'w')",
    "pathlib": "pathlib.Path(place).write_text('x')",
    "os.open": "os.open(place, os.O_CREAT | os.O_WRONLY)",
    "np.save": "np.save(place, np.zeros(1))",
    "tofile": "np.zeros(1).tofile(place)",
    "torch.save": "torch.save({}, place)",
    "move in": "open('x', 'w').close(); os.rename('x', place)",
    "shutil": "open('x', 'w').close(); shutil.move('x', place)",
    "copy": "open('x', 'w').close(); shutil.copy('x', place)",
    "mkdir": "os.mkdir(place)",
    "a link to outside": "os.symlink(os.path.dirname(place), 'out'); open('out/new', 'w')",
    "a hard link": "os.link(theirs, 'mine')",
    "truncate": "os.truncate(theirs, 0)",
    "times": "os.utime(theirs)",
    "sqlite": "sqlite3.connect(place)",
    "its own file": "os.remove(theirs)",
    "its own folder": "shutil.rmtree(os.path.dirname(theirs))",
    "rename its own file": "pathlib.Path(theirs).rename('gone')",
}


@pytest.mark.parametrize("name", WRITES)
def test_writing_outside_is_refused(exercise, tmp_path, name):
    theirs, place = tmp_path / "theirs.py", tmp_path / "new"
    theirs.write_text("kept")
    before = theirs.stat().st_mtime_ns
    head = (
        "import os, pathlib, shutil, sqlite3\nimport numpy as np\n"
        f"theirs, place = {str(theirs)!r}, {str(place)!r}\n"
    )
    verdict = checked(exercise, of(WRITES[name], head))
    assert verdict.outcome is ERROR
    assert "scratch folder" in verdict.first_problem.message
    assert not place.exists()
    assert (theirs.read_text(), theirs.stat().st_mtime_ns) == ("kept", before)


def test_writing_in_the_scratch_folder_is_fine_and_gone_afterwards(exercise, tmp_path):
    body = (
        "import os, shutil, tempfile\nimport numpy as np\n"
        "np.save('a.npy', np.zeros(3)); torch.save({}, 'b.pt'); os.makedirs('c/d', exist_ok=True)\n"
        "shutil.rmtree('c'); os.makedirs(os.getcwd(), exist_ok=True)\n"
        "with tempfile.TemporaryDirectory() as folder:\n    open(folder + '/e', 'w').close()\n"
        "raise ValueError(os.getcwd())"
    )
    message = checked(exercise, of(body)).first_problem.message
    assert "ValueError" in message
    folder = message.split("ValueError: ")[1].split()[0]
    assert "genailab-learn-" in folder
    assert not Path(folder).exists()


def test_the_network_is_refused(exercise):
    body = "import urllib.request\nurllib.request.urlopen('http://example.invalid')"
    verdict = checked(exercise, of(body))
    assert verdict.outcome is ERROR
    assert "network" in verdict.first_problem.message


def test_no_process_is_left_and_this_one_is_as_it_was(exercise):
    import torch

    checked(exercise, of("torch.set_default_dtype(torch.float64)\nimport os\nos.chdir('/')"))
    assert torch.get_default_dtype() == torch.float32
    assert Path.cwd() != Path("/")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_results_larger_than_the_pipe_arrive_whole(tmp_path):
    checks = (
        "from genailab.learn.checking import check\n\n\n@check('Large')\ndef large(attempt):\n"
        "    attempt.fail('x' * 300_000, given={1: object()})\n"
    )
    exercise = answer_exercise(tmp_path / "exercise_1_twice", checks=checks)
    problem = checked(exercise, RIGHT).first_problem
    assert len(problem.message) == 300_000
    assert problem.state is FAIL


def test_the_same_seed_asks_the_same_whatever_the_order_of_sets(exercise):
    script = (
        "import json, sys\nfrom pathlib import Path\nfrom answer_exercise import *\n"
        f"exercise = answer_exercise(Path({str(exercise.folder)!r}))\n"
        "wrong = 'import random\\ndef answer(values): return values * random.random()'\n"
        "print(json.dumps(checked(exercise, wrong, seed=1).to_json()['checks']))"
    )
    own = {"PYTHONHASHSEED": "5", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **own}, capture_output=True, text=True, check=True
    )
    wrong = "import random\ndef answer(values): return values * random.random()"
    one, same, other = (json.dumps(checked(exercise, wrong, seed=s).to_json()["checks"]) for s in (1, 1, 2))
    assert one == same == json.dumps(json.loads(done.stdout))
    assert one != other

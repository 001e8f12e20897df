"""Run an exercise's checks on the learner's code, in a forked child that can do no harm.

The child sends each result through a pipe as a line that begins with a secret token; what does not carry it
is not read. An attempt has passed only if the line that says "all done" arrives too, so that
``sys.exit(0)``, an endless loop or a crash never passes.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from genailab.learn.checking import Attempt, Check
from genailab.learn.content import Exercise
from genailab.learn.loading import checks_of_exercise, load_source, syntax_problem
from genailab.learn.outcomes import CheckResult, State, Verdict
from genailab.learn.rules import changed_lines, same_code
from genailab.learn.sandbox import Printed, confine, limit_resources, scratch_folder
from genailab.learn.trouble import from_exception

__all__ = ["check_source", "new_seed"]

# Gives the names that the learner's code defines; run in the child.
Loader = Callable[[], dict[str, Any]]


def new_seed() -> int:
    """Return a seed nobody can guess, short enough to be typed."""
    return secrets.randbelow(1_000_000)


def check_source(
    exercise: Exercise, source: str, *, path: Path, seed: int, names: dict[str, Any] | None = None
) -> Verdict:
    """Check the learner's code.

    Parameters
    ----------
    exercise
        What was asked.
    source
        Text of the learner's file (or of the notebook cell that defines what is checked).
    path
        What the file is called in messages.
    seed
        What the hidden inputs are made from.
    names
        What the code defines, where it has been run already (in a notebook); otherwise it is run here.
    """
    starter = exercise.text("starter.py")
    problem = syntax_problem(source, path)
    if problem is None and names is None and same_code(source, starter):
        problem = CheckResult(
            name="Your file", state=State.NOT_ATTEMPTED, message="It is still as it was given to you."
        )
    if problem is None and exercise.max_changed_lines is not None:
        problem = _too_much_changed(exercise, starter, source)
    if problem is not None:
        return Verdict(id=exercise.id, seed=seed, checks=(problem,))
    checks = checks_of_exercise(exercise)

    def load() -> dict[str, Any]:
        return names if names is not None else load_source(source, path)

    def attempt() -> Attempt:
        return Attempt(load(), source=source, starter=starter, seed=seed)

    return _in_child(exercise, checks, attempt, path, seed)


def _too_much_changed(exercise: Exercise, starter: str, source: str) -> CheckResult | None:
    changed, allowed = changed_lines(starter, source), exercise.max_changed_lines or 0
    if changed <= allowed:
        return None
    return CheckResult(
        name="Only the bug is changed",
        state=State.FAILED,
        mistake="rewritten",
        message=f"{changed} lines differ from the file as it was given, and {allowed} are enough: find the "
        "bug and mend it where it is (genailab learn diff shows what you changed).",
        why="In a real project the other lines are someone else's, and tested.",
    )


def _in_child(
    exercise: Exercise, checks: tuple[Check, ...], attempt: Callable[[], Attempt], path: Path, seed: int
) -> Verdict:
    token, started = secrets.token_hex(16), time.monotonic()
    reader, writer = os.pipe()
    with scratch_folder() as folder:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _child(exercise, checks, attempt, path, folder, writer, token)
        os.close(writer)
        lines, timed_out = _read_lines(reader, token, started + exercise.seconds)
        status = _end(child)
    results = tuple(CheckResult.from_json(line["check"]) for line in lines if "check" in line)
    done = next((line for line in lines if "done" in line), None)
    if done is None:
        running = checks[len(results)].name if len(results) < len(checks) else "Your file"
        results = (*results, _ended_early(running, exercise, status, timed_out))
    return Verdict(
        id=exercise.id,
        seed=seed,
        checks=results,
        seconds=round(time.monotonic() - started, 3),
        output="" if done is None else done["output"],
    )


def _child(
    exercise: Exercise,
    checks: tuple[Check, ...],
    attempt: Callable[[], Attempt],
    path: Path,
    folder: Path,
    writer: int,
    token: str,
) -> NoReturn:
    own, write, leave, process = os.getpid(), os.write, os._exit, os.getpid

    def send(fields: dict[str, Any]) -> None:
        # Not from a process that the learner's code has forked.
        if process() != own:
            leave(1)
        line = f"{token}{json.dumps(fields)}\n".encode()
        while line:
            line = line[write(writer, line) :]

    printed = Printed()
    try:
        os.setsid()
        _only_printing_to(printed)
        _one_thread()
        os.chdir(folder)
        limit_resources(seconds=exercise.seconds, megabytes=exercise.megabytes)
        confine(folder)
        _run_checks(checks, attempt, path, send)
        send({"done": True, "output": printed.text()})
    except BaseException as error:
        # Of ours, not of the learner's code: no token, hence no pass.
        with contextlib.suppress(BaseException):
            write(writer, f"{error!r}\n".encode())
    finally:
        leave(0)


def _run_checks(
    checks: tuple[Check, ...],
    attempt: Callable[[], Attempt],
    path: Path,
    send: Callable[[dict[str, Any]], None],
) -> None:
    try:
        asked = attempt()
    except BaseException as error:
        send({"check": asdict(from_exception("Your file runs", error, path))})
        return
    for check in checks:
        try:
            result = asked.run(check)
        except BaseException as error:
            result = from_exception(check.name, error, path)
        send({"check": asdict(result)})


def _only_printing_to(printed: Printed) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.stdout = sys.stderr = printed


def _one_thread() -> None:
    # The threads of the parent's pool are not in the child: a parallel loop would wait for them for ever.
    torch: ModuleType | None = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def _read_lines(reader: int, token: str, deadline: float) -> tuple[list[dict[str, Any]], bool]:
    """Return the child's lines until it ends, and whether it was out of time."""
    text, secret = b"", token.encode()
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return _lines(text, secret), True
            part = pipe.read(65536)
            if not part:
                return _lines(text, secret), False
            text += part
            if b'"done"' in part and any("done" in line for line in _lines(text, secret)):
                return _lines(text, secret), False  # not to wait for a process the learner's code has left


def _lines(text: bytes, token: bytes) -> list[dict[str, Any]]:
    complete = text.split(b"\n")[:-1]
    return [json.loads(line[len(token) :]) for line in complete if line.startswith(token)]


def _end(child: int) -> int:
    """End the child and what it has started; return how it ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL) if _is_leader(child) else os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return status


def _is_leader(child: int) -> bool:
    try:
        return os.getpgid(child) == child
    except ProcessLookupError:
        return False


def _ended_early(check: str, exercise: Exercise, status: int, timed_out: bool) -> CheckResult:
    if timed_out:
        return CheckResult(
            name=check,
            state=State.TIMED_OUT,
            message=f"Your code was still running after {exercise.seconds:g} seconds: look for a loop that "
            "does not end, or for a loop over letters that a tensor operation does at once.",
        )
    signalled = os.WIFSIGNALED(status) and os.WTERMSIG(status)
    how = f"was ended by signal {signalled}" if signalled else "ended"
    return CheckResult(
        name=check,
        state=State.ERROR,
        message=f"Python {how} before the checks were through: does your code call os._exit, or crash?",
    )

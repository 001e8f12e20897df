"""Run an exercise's checks on the learner's code, in a forked child that can do no harm.

The child sends each result through a pipe as a line that begins with a secret token; what does not carry it
is not read. An attempt has passed only if the line that says "all done", and how many results there are,
arrives too, so that ``sys.exit(0)``, an endless loop or a crash never passes.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from genailab.errors import InputError
from genailab.learn.checking import Attempt, Check
from genailab.learn.checking.loading import (
    checks_of_exercise,
    load_source,
    preload,
    read_source,
    syntax_problem,
)
from genailab.learn.checking.rules import changed_lines, same_code
from genailab.learn.checking.sandbox import (
    Printed,
    confine,
    let_go_of_descriptors,
    limit_resources,
    scratch_folder,
)
from genailab.learn.checking.surroundings import Libraries, begin_random_numbers, settings_put_back
from genailab.learn.checking.trouble import from_exception
from genailab.learn.content import Exercise
from genailab.learn.outcomes import CheckResult, State, Verdict

__all__ = ["check_file", "check_source"]

LONGEST_LINE = 2**22  # bytes without a line end: nothing that the child sends
LOADING = "Your file runs"


def check_file(exercise: Exercise, path: Path, *, seed: int) -> Verdict:
    """Check a learner's file; one that cannot be read is an error in it."""
    try:
        source = read_source(path)
    except InputError as error:
        problem = CheckResult(name="Your file can be read", state=State.ERROR, message=f"{error}.")
        return Verdict(id=exercise.id, seed=seed, checks=(problem,))
    return check_source(exercise, source, path=path, seed=seed)


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
    preload(starter)

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
            _child(exercise, checks, attempt, path, seed, folder, writer, token)
        os.close(writer)
        try:
            lines, timed_out = _read_lines(reader, token, started + exercise.seconds)
        finally:  # also when whoever waits presses Ctrl-C
            status = _end(child)
    results = tuple(CheckResult.from_json(line["check"]) for line in lines if "check" in line)
    done = next((line for line in lines if "done" in line), None)
    if done is None or done["done"] != len(results):
        loaded = any("loaded" in line for line in lines)
        running = LOADING if not loaded else checks[min(len(results), len(checks) - 1)].name
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
    seed: int,
    folder: Path,
    writer: int,
    token: str,
) -> NoReturn:
    own, write, leave, process, dumps = os.getpid(), os.write, os._exit, os.getpid, json.dumps
    printed = Printed()

    def send(fields: dict[str, Any]) -> None:
        # Not from a process that the learner's code has forked.
        if process() != own:
            leave(1)
        # A line of its own, whatever the learner's code has written to the pipe; text for what is no JSON.
        line = f"\n{token}{dumps(fields, default=str)}\n".encode()
        while line:
            line = line[write(writer, line) :]

    try:
        os.setsid()
        let_go_of_descriptors(keep=writer)
        sys.stdout = sys.stderr = printed.stream
        os.chdir(folder)
        limit_resources(seconds=exercise.seconds, megabytes=exercise.megabytes)
        confine(folder)
        sent, changed = _run_checks(checks, attempt, path, seed, send)
        send({"done": sent, "output": _put_back(changed) + printed.text()})
    except BaseException:  # of ours, not of the learner's code: nothing is sent, hence no pass
        pass
    finally:
        leave(0)


def _run_checks(
    checks: tuple[Check, ...],
    attempt: Callable[[], Attempt],
    path: Path,
    seed: int,
    send: Callable[[dict[str, Any]], None],
) -> tuple[int, list[str]]:
    """Send the result of each check; return how many, and which of torch's settings had to be put back."""
    settings_put_back()  # in a notebook another cell may have changed them
    begin_random_numbers(seed)
    libraries, sent, failure = Libraries(), 0, None

    def tell(result: CheckResult) -> None:
        nonlocal sent
        send({"check": asdict(result)})
        sent += 1

    try:
        asked = attempt()
    except BaseException as error:
        failure = error
    replaced, changed = libraries.put_back(), settings_put_back()
    if failure is not None:
        tell(from_exception(LOADING, failure, path))
        return sent, changed
    send({"loaded": True})
    if replaced:
        tell(_replaced("Your file leaves the libraries as they are", replaced))
    for check in checks:
        begin_random_numbers(seed, check.name)
        try:
            result = asked.run(check)
        except BaseException as error:
            failure = error
        replaced = libraries.put_back()
        changed += settings_put_back()
        if failure is not None:
            result, failure = from_exception(check.name, failure, path), None
        tell(_replaced(check.name, replaced) if replaced else result)
    return sent, [*changed, *asked.settings_changed]


def _replaced(check: str, names: list[str]) -> CheckResult:
    return CheckResult(
        name=check,
        state=State.FAILED,
        mistake="replaces a library's function",
        message=f"Your code gives {', '.join(names[:3])} another meaning, for itself and for the checks: "
        "choose a name of your own.",
        why="Whatever else uses the library in the same program silently computes something else.",
    )


def _put_back(changed: list[str]) -> str:
    if not changed:
        return ""
    return (
        f"Note: your code changes {', '.join(dict.fromkeys(changed))} for everything else in the program. "
        "It was put back for the checks.\n"
    )


def _read_lines(reader: int, token: str, deadline: float) -> tuple[list[dict[str, Any]], bool]:
    """Return what the child sent until it said "done" or ended, and whether it was out of time."""
    lines: list[dict[str, Any]] = []
    rest = b""
    with os.fdopen(reader, "rb", buffering=0) as pipe, selectors.DefaultSelector() as waiting:
        waiting.register(pipe, selectors.EVENT_READ)
        # Not until the pipe is closed: a process that the learner's code has left may hold it.
        while len(rest) < LONGEST_LINE and not (lines and "done" in lines[-1]):
            left = deadline - time.monotonic()
            if left <= 0 or not waiting.select(left):
                return lines, True
            part = pipe.read(65536)
            if not part:
                break
            *complete, rest = (rest + part).split(b"\n")
            lines += _parsed(complete, token.encode())
    return lines, False


def _parsed(lines: list[bytes], token: bytes) -> list[dict[str, Any]]:
    found = []
    for line in lines:
        if line.startswith(token):
            with contextlib.suppress(ValueError):  # cut by what the learner's code wrote in between
                found.append(json.loads(line[len(token) :]))
    return found


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
    how = f"was ended by {signal.Signals(signalled).name}" if signalled else "ended"
    return CheckResult(
        name=check,
        state=State.ERROR,
        message=f"Python {how} before the checks were through: does your code call os._exit, crash, or need "
        "more memory than there is?",
    )

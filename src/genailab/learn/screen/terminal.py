"""What a learner sees in a terminal: a verdict, and an exercise to begin.

Plain words in plain lines, at most as wide as the terminal: no boxes, no symbols, and colour (the terminal's
own green and red) only where a word says the same. So it is right on light and dark backgrounds, without
colour, and read aloud.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from genailab.learn.content import Exercise
from genailab.learn.outcomes import CheckResult, State, Verdict
from genailab.learn.screen.numbers_shown import STAR, parse, star_differences
from genailab.learn.screen.prose import wrap
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace

__all__ = ["STYLES", "console", "exercise_lines", "next_steps", "show", "verdict_lines"]

STYLES = {
    State.PASSED: "bold green",
    State.NOT_ATTEMPTED: "bold",
    State.FAILED: "bold red",
    State.ERROR: "bold red",
    State.TIMED_OUT: "bold red",
}
OUTPUT_LINES = 8


def console() -> Console:
    """Return a console for plain lines; letters that the terminal cannot show become question marks."""
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    if encoding != "utf8" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def show(page: Console, lines: Iterable[str | Text]) -> None:
    """Print lines."""
    for line in lines:
        page.print(line)


def verdict_lines(verdict: Verdict, exercise: Exercise, *, width: int) -> list[str | Text]:
    """Return a verdict: the outcome, each check, then the first problem with all that helps to mend it."""
    outcome = verdict.outcome
    words = Text.assemble((str(outcome).upper(), STYLES[outcome]), f": {exercise.id} {exercise.title}")
    lines: list[str | Text] = [words, ""]
    column = max(len(check.state) for check in verdict.checks)
    for check in verdict.checks:
        lines += _check_lines(check, column, width)
    problem = verdict.first_problem
    if problem is not None:
        lines += ["", *_problem_lines(problem, width)]
        if outcome is not State.NOT_ATTEMPTED:
            again = f"genailab learn check {verdict.id} --seed {verdict.seed}"
            lines += ["", f"  Same inputs again: {again}"]
    return lines + _output_lines(verdict.output, width)


def next_steps(
    verdict: Verdict, exercise: Exercise, progress: Progress, *, width: int, keys: bool
) -> list[str]:
    """Return what can be done now, in a sentence or two; ``keys`` where single keys are read."""
    hint = "press h" if keys else f"genailab learn hint {exercise.id}"
    solution = "press s" if keys else f"genailab learn solution {exercise.id}"
    done = progress.of(exercise.id)
    if verdict.outcome is State.PASSED:
        return _after_a_pass(exercise, progress, width=width, keys=keys, solution=solution)
    # The outcome once more: the first line may have left a small screen.
    passed = sum(check.state is State.PASSED for check in verdict.checks)
    text = (
        f"{passed} of {len(verdict.checks)} checks passed. Next: change your file and save it. Hint: {hint}."
    )
    if verdict.outcome is State.NOT_ATTEMPTED:
        text = f"Next: write what is missing and save the file. Hint: {hint}."
    elif done.may_see_solution:
        text += f" One way to do it: {solution}."
    return wrap(text, width)


def exercise_lines(
    exercise: Exercise, workspace: Workspace, progress: Progress, *, width: int
) -> list[str | Text]:
    """Return what an exercise is about and where its files are."""
    done = progress.of(exercise.id)
    state = "" if done.state == "not started" else f", {done.state}"
    path = workspace.path_of(exercise)
    lines: list[str | Text] = [
        Text.assemble(
            (f"{exercise.id} {exercise.title}", "bold"), f" (about {exercise.minutes} minutes{state})"
        )
    ]
    missing = [id for id in exercise.prerequisites if progress.of(id).state != "passed"]
    if missing:
        lines += wrap(f"It builds on {', '.join(missing)}.", width, indent="  ")
    lines += ["", "  Afterwards you can"]
    for objective in exercise.objectives:
        lines += wrap(f"- {objective}", width, indent="  ", hanging="    ")
    lines += [
        "",
        f"  Lesson:    {workspace.shown(path.parent / 'README.md')}",
        f"  Your file: {workspace.shown(path)}",
    ]
    if not path.is_file():
        lines += wrap(
            f"The file is not there: genailab learn reset {exercise.id} gives you a new one.",
            width,
            indent="  ",
        )
    return lines


def _check_lines(check: CheckResult, column: int, width: int) -> list[str | Text]:
    first, *rest = wrap(check.name, width - column - 4)
    state = Text.assemble("  ", (f"{check.state:<{column}}", STYLES[check.state]), f"  {first}")
    return [state, *(" " * (column + 4) + line for line in rest)]


def _problem_lines(problem: CheckResult, width: int) -> list[str | Text]:
    lines: list[str | Text] = [Text(line, style="bold") for line in wrap(problem.name, width)]
    if problem.mistake:
        lines += wrap(f"Recognised: {problem.mistake}", width, indent="  ")
    lines += wrap(problem.message, width, indent="  ")
    if problem.given:
        lines += ["", *_value_lines("Given", problem.given, width)]
    lines += _compared_lines(problem, width)
    if problem.why:
        lines += ["", *wrap(f"Why it matters: {problem.why}", width, indent="  ")]
    return lines


def _compared_lines(problem: CheckResult, width: int) -> list[str]:
    rows = problem.picture.rows if problem.picture else ()
    yours, expected = parse(problem.yours), parse(problem.expected)
    if yours is None or expected is None:
        pairs = (("Yours", problem.yours), ("Expected", _any_float(problem.expected)))
        return [line for name, text in pairs if text for line in _value_lines(name, text, width)]
    yours, expected = star_differences(yours, expected)
    says = f" ({STAR} differs)" if yours.starred else ""
    return [
        f"  Yours: {yours.head}{says}",
        *_indented(yours.lines(width - 4, rows=rows)),
        f"  Expected: {_any_float(expected.head)}",
        *_indented(expected.lines(width - 4, rows=rows)),
    ]


def _any_float(text: str) -> str:
    # References are float64; any floating type is right unless the message says otherwise.
    return text.removesuffix(" float64")


def _value_lines(name: str, text: str, width: int) -> list[str]:
    numbers = parse(text)
    if numbers is not None:
        return [f"  {name}: {numbers.head}", *_indented(numbers.lines(width - 4))]
    first, *rest = text.splitlines()
    if any(len(line) > width - 4 for line in rest):
        return wrap(f"{name}: {' '.join(text.split())}", width, indent="  ", hanging="    ")
    return [*wrap(f"{name}: {first}", width, indent="  ", hanging="    "), *_indented(rest)]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _output_lines(output: str, width: int) -> list[str]:
    if not output.strip():
        return []
    printed = output.rstrip().splitlines()
    more = [f"    ... and {len(printed) - OUTPUT_LINES} more lines"] if len(printed) > OUTPUT_LINES else []
    shown = [line[: width - 4] for line in printed[:OUTPUT_LINES]]
    return ["", "  Your code printed:", *_indented(shown), *more]


def _after_a_pass(
    exercise: Exercise, progress: Progress, *, width: int, keys: bool, solution: str
) -> list[str]:
    lines = wrap(f"To compare with another way to do it: {solution}.", width)
    own = next(one for one in progress.workspace.sessions if one.id == exercise.session)
    through = all(progress.of(one.id).state == "passed" for one in own.exercises)
    if through and (own.folder / "quiz.toml").is_file() and progress.quiz_of(own.id) is None:
        number = int(own.id[1:]) if own.id.startswith("s") else own.id
        lines += wrap(f"All of {own.id} is passed. Can you explain it? genailab learn quiz {number}", width)
    following = progress.next_exercise(after=exercise.id)
    if following is None:
        return [*lines, "That was the last one: all exercises are passed."]
    go = "press n" if keys else "genailab learn"
    return [
        *lines,
        *wrap(f"Next: {following.id} {following.title}, about {following.minutes} minutes: {go}.", width),
    ]

"""What a learner sees: right at 80 columns, without colour, on light and dark, and read aloud."""

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text
from tiny_curriculum import write_curriculum

from genailab.learn.content import sessions
from genailab.learn.outcomes import CheckResult, Picture, State, Verdict
from genailab.learn.screen.numbers_shown import parse, star_differences
from genailab.learn.screen.overview import overview_lines, overview_rows
from genailab.learn.screen.prose import prose, wrap
from genailab.learn.screen.terminal import STYLES, exercise_lines, next_steps, show, verdict_lines
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace

TEXTS = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=200)


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(tmp_path / "practice", curriculum=write_curriculum(tmp_path / "curriculum"))


def table(*rows):
    shape = (len(rows), len(rows[0]))
    numbers = "\n ".join(f"[{' '.join(row)}]" for row in rows)
    return f"tensor{shape} float32\n[{numbers}]"


def failed(**fields):
    problem = CheckResult(name="It answers", state=State.FAILED, **fields)
    passed = CheckResult(name="It runs", state=State.PASSED)
    return Verdict(id="s01.1", seed=41, checks=(passed, problem))


def text_of(lines):
    return "\n".join(line.plain if isinstance(line, Text) else line for line in lines)


def test_the_outcome_comes_first_then_the_checks_then_the_problem(workspace):
    verdict = failed(
        message="The strand is wrong.",
        mistake="complement without reversal",
        given="f('AC')",
        yours="'TG'",
        expected="'GT'",
        why="Genes lie on both strands.",
    )
    text = text_of(verdict_lines(verdict, workspace.exercises[0], width=80))
    order = [
        "FAILED",
        "It runs",
        "complement without reversal",
        "The strand is wrong.",
        "f('AC')",
        "'TG'",
        "'GT'",
        "Why it matters",
        "--seed 41",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


@given(
    message=TEXTS,
    why=TEXTS,
    name=TEXTS.filter(str.strip),
    given_=st.lists(TEXTS, min_size=1, max_size=3).map("\n".join),
    width=st.integers(60, 120),
)
@settings(max_examples=50, deadline=None)
def test_no_line_is_wider_than_the_terminal(message, why, name, given_, width):
    exercise = sessions()[0].exercises[0]
    shown = {"given": given_, "yours": given_, "expected": given_}
    problem = CheckResult(name=name, state=State.FAILED, message=message, why=why, **shown)
    lines = verdict_lines(Verdict(id="s01.1", seed=1, checks=(problem,)), exercise, width=width)
    # Blanks at the end of a line take no room.
    assert max(len(line.rstrip()) for line in text_of(lines).splitlines()) <= width


@pytest.mark.parametrize("state", list(State))
def test_each_state_is_a_word_and_its_colour_is_the_terminals_own(workspace, state):
    check = CheckResult(name="It answers", state=state, message="Look.")
    lines = verdict_lines(Verdict(id="s01.1", seed=1, checks=(check,)), workspace.exercises[0], width=80)
    assert text_of(lines).startswith(f"{str(state).upper()}: s01.1")
    # Yellow and white vanish on light backgrounds, blue and black on dark ones.
    assert set(STYLES[state].split()) <= {"bold", "green", "red"}


def test_without_colour_the_words_are_the_same(workspace, monkeypatch):
    lines = verdict_lines(failed(message="No."), workspace.exercises[0], width=80)
    shown = {}
    for key, colours in (("colour", True), ("plain", False)):
        page = io.StringIO()
        if not colours:
            monkeypatch.setenv("NO_COLOR", "1")
        console = Console(file=page, force_terminal=True, color_system="standard", width=80, soft_wrap=True)
        show(console, lines)
        shown[key] = page.getvalue()
    assert "\x1b[1;31m" in shown["colour"]
    assert not re.search(r"\x1b\[[\d;]*3[0-7]m", shown["plain"])
    assert re.sub(r"\x1b\[[\d;]*m", "", shown["colour"]) == re.sub(r"\x1b\[[\d;]*m", "", shown["plain"])


def test_only_plain_letters_are_used(workspace):
    progress = Progress.open(workspace)
    exercise = workspace.exercises[0]
    verdict = failed(message="No.", yours=table(["1."]), expected=table(["2."]))
    for lines in (
        verdict_lines(verdict, exercise, width=80),
        exercise_lines(exercise, workspace, progress, width=80),
        overview_lines(overview_rows(workspace.sessions, progress), progress, width=80),
    ):
        text_of(lines).encode("ascii")


def test_differing_numbers_are_starred_and_only_those():
    yours, expected = star_differences(
        parse(table(["1.", "0.", "0.5"], ["0.", "1.", "2."])),
        parse(table(["1.", "1.", "0.5"], ["0.", "1.", "3."])),
    )
    assert yours.lines(80) == ["[0]   1    0* 0.5", "[1]   0    1    2*"]
    assert [line.rstrip() for line in expected.lines(80)] == ["[0]   1    1  0.5", "[1]   0    1    3"]


def test_what_rounding_may_explain_is_not_starred():
    yours, _ = star_differences(parse(table(["0.3333", "1."])), parse(table(["0.3334", "1."])))
    assert "*" not in "".join(yours.lines(80))


@given(rows=st.integers(1, 4), columns=st.integers(1, 16), width=st.integers(20, 80))
@settings(max_examples=50, deadline=None)
def test_a_table_shows_every_number_within_the_width(rows, columns, width):
    numbers = [[str(100 * row + column) for column in range(columns)] for row in range(rows)]
    lines = parse(table(*numbers)).lines(width)
    shown = [word for line in lines if not line.startswith("columns") for word in line.split()[1:]]
    assert sorted(shown, key=int) == sorted((word for row in numbers for word in row), key=int)
    assert max(map(len, lines)) <= width


def test_rows_of_letters_keep_their_names(workspace):
    rows = [["1."], ["0."], ["0."], ["0."]]
    verdict = failed(
        message="No.",
        yours=table(*rows),
        expected=table(*reversed(rows)),
        picture=Picture(kind="logo", yours=[], expected=[], rows="ACGT"),
    )
    text = text_of(verdict_lines(verdict, workspace.exercises[0], width=80))
    assert "    A 1*\n    C 0\n    G 0\n    T 0*\n" in text


@pytest.mark.parametrize(
    "text", ["None", "'ACGT'", "tensor(3, 100) float32", "[1, 2]", "tensor(2,) float32\n[1.]"]
)
def test_what_is_no_small_tensor_is_shown_as_it_is(workspace, text):
    assert parse(text) is None
    shown = text_of(verdict_lines(failed(message="No.", yours=text), workspace.exercises[0], width=80))
    assert f"Yours: {text.splitlines()[0]}" in shown


def test_a_million_printed_lines_take_a_few(workspace):
    checks = (CheckResult(name="It runs", state=State.PASSED),)
    verdict = Verdict(id="s01.1", seed=1, checks=checks, output="line\n" * 1000)
    lines = text_of(verdict_lines(verdict, workspace.exercises[0], width=80)).splitlines()
    assert lines[-1].strip() == "... and 992 more lines"


@pytest.mark.parametrize("keys", [True, False])
def test_the_next_step_after_failing_passing_and_the_last_pass(workspace, keys):
    progress, exercise = Progress.open(workspace), workspace.exercises[0]

    def steps(verdict, of=exercise):
        progress.record(verdict)
        return " ".join(next_steps(verdict, of, progress, width=80, keys=keys))

    assert ("press h" if keys else "genailab learn hint s01.1") in steps(failed(message="No."))
    assert ("press s" if keys else "genailab learn solution") not in steps(failed(message="No."))
    assert ("press s" if keys else "genailab learn solution s01.1") in steps(failed(message="No."))
    passed = (CheckResult(name="It runs", state=State.PASSED),)
    assert "Next: s01.2" in steps(Verdict(id="s01.1", seed=1, checks=passed))
    for other in workspace.exercises[1:]:
        last = steps(Verdict(id=other.id, seed=1, checks=passed), other)
    assert "all exercises are passed" in last


def test_the_list_shows_state_minutes_and_prerequisites_and_can_be_cut(workspace):
    progress = Progress.open(workspace)
    progress.record(Verdict(id="s01.1", seed=1, checks=(CheckResult(name="a", state=State.PASSED),)))

    def shown(**options):
        return text_of(
            overview_lines(overview_rows(workspace.sessions, progress, **options), progress, width=80)
        )

    assert re.search(r"passed +s01\.1 +Task s01\.1 \(10 min\)", shown())
    assert re.search(r"not started +s01\.2 +Task s01\.2 \(20 min, after s01\.1\)", shown())
    assert "1 of 2 passed" in shown()
    assert "Task s01.1" not in shown(pending=True)
    assert "s02" not in shown(search="LETTERS")
    assert shown(search="no such thing") == ""


def test_commands_are_never_broken_over_lines():
    command = "genailab learn solution s01.1 --anyway"
    for width in range(45, 80):
        assert any(command in line for line in wrap("Some words before it come here: " + command, width))


def test_prose_wraps_words_and_leaves_code():
    lesson = (
        "# Title\n\nA **bold** and *slanted* word, `a * b * c`, [a link](there.md).\nMore of it.\n\n"
        "- one\n- two\n\n```python\nx = 1  # stays\n```\n\n![Alt words](p.svg)\n"
    )
    assert prose(lesson, 80) == [
        "Title",
        "",
        "A bold and slanted word, `a * b * c`, a link (there.md). More of it.",
        "",
        "- one",
        "- two",
        "",
        "  x = 1  # stays",
        "",
        "Picture: Alt words (p.svg)",
    ]


def test_every_lesson_and_hint_fits_80_columns_but_for_its_code():
    for session in sessions():
        for exercise in session.exercises:
            for text in (exercise.text("lesson.md"), *exercise.hints):
                lines = prose(re.sub(r"```.*?```", "", text, flags=re.DOTALL), 80)
                assert not [line for line in lines if len(line) > 80 and not line.startswith("|")]

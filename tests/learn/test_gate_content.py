"""The author's gate turns an exercise away for each thing it promises to; content checks itself."""

import pytest
from answer_exercise import CHECKS, RIGHT, answer_exercise
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.learn.authors.gate import problems_of, problems_of_session
from genailab.learn.content import Exercise, find_exercise, find_session, sessions
from genailab.learn.quiz import read_quiz

WRONG = '"""mistake: {}"""\n\n\ndef answer(values):\n    return values {}\n'
QUESTION = '[[question]]\ntext = "Why?"\n'
OPTION = '[[question.option]]\ntext = "a"\nwhy = "b"\n'


def complete(folder, **options):
    checks = CHECKS.replace(
        "mistakes=[halved]",
        "mistakes=[halved, *(Mistake(f'times {n}', values.double() * n, 'No.') for n in (3, 4, 5))]",
    )
    exercise = answer_exercise(folder / "exercise_1_twice", **{"checks": checks, **options})
    (exercise.folder / "wrong").mkdir()
    wrong(exercise, "halved", "/ 2")
    for number in (3, 4, 5):
        wrong(exercise, f"times {number}", f"* {number}")
    return exercise


def wrong(exercise, name, operation):
    (exercise.folder / "wrong" / f"{name}.py").write_text(WRONG.format(name, operation))


def gate(exercise):
    return "\n".join(problems_of(exercise, n_seeds=1, seed=5))


def test_an_exercise_that_holds_has_no_problems(tmp_path):
    assert problems_of(complete(tmp_path), n_seeds=2) == []


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("starter.py", RIGHT, "starter.py with a line added passes"),
        ("starter.py", RIGHT + "# more\n" * 60, "fewer than 60"),
        ("solution.py", RIGHT.replace("2", "3"), "solution.py with seed 5 is failed"),
        ("alternative.py", "import nowhere", "alternative.py with seed 5 is error in your code"),
        ("wrong/halved.py", WRONG.format("halved", "* 2"), "wrong/halved.py passes"),
        ("wrong/halved.py", WRONG.format("halved", "* 7"), "says None"),
        ("wrong/halved.py", WRONG.format("halved", "* 3"), "says 'times 3'"),
        ("wrong/halved.py", WRONG.format("times 3", "* 3"), "two files with the mistake 'times 3'"),
        ("wrong/halved.py", RIGHT, "must begin with a docstring"),
        ("wrong/halved.py", "def (", "must begin with a docstring"),
        ("hints.md", "## One\nx\n## Two\ny\n", "has 2 hints"),
        ("hints.md", "## One\nx\n## Two\n## Three\nz\n", "has 3 hints"),
        ("lesson.md", "![A picture](picture.svg)", "picture.svg"),
    ],
)
def test_what_is_promised_and_not_kept_is_named(tmp_path, file, text, words):
    exercise = complete(tmp_path)
    (exercise.folder / file).write_text(text)
    assert words in gate(exercise)


def test_missing_parts_and_slow_solutions_are_named(tmp_path):
    exercise = complete(tmp_path, seconds=4.0)
    (exercise.folder / "wrong" / "halved.py").unlink()
    assert "wrong/ has 3 files" in gate(exercise)
    slow = "import time\ntime.sleep(2.2)\n" + RIGHT
    (exercise.folder / "alternative.py").write_text(slow)
    assert "more than half of the 4 s" in gate(exercise)
    (exercise.folder / "lesson.md").unlink()
    assert gate(exercise) == "s01.1: lesson.md is missing"


def test_a_debug_task_allows_its_lines_and_no_more(tmp_path):
    starter = RIGHT.replace("* 2", "* 3").replace("import torch", "import torch\n\nBASE = 1")
    solution = starter.replace("* 3", "* 2")
    options = {"id": "s01.debug", "kind": "debug", "max_changed_lines": 1, "starter": starter}
    exercise = complete(tmp_path, **options)
    (exercise.folder / "solution.py").write_text(solution)
    (exercise.folder / "alternative.py").unlink()
    assert "solution.py" not in gate(exercise)
    assert "starter.py" not in gate(exercise)
    (exercise.folder / "solution.py").write_text(solution.replace("BASE = 1", "BASE = 2"))
    assert "2 lines differ" in gate(exercise)


def test_the_sessions_that_there_are_say_what_they_lack():
    session = sessions()[0]
    assert all(problem.startswith(session.id) for problem in problems_of_session(session))


FIELDS = {"id": "s01.1", "title": "t", "minutes": 1, "kind": "code", "objectives": ()}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": "s1.1"}, "not like s01.1"),
        ({"id": "s01.1.2"}, "not like s01.1"),
        ({"kind": "cod"}, "did you mean 'code'"),
        ({"kind": "debug"}, "max_changed_lines"),
        ({"max_changed_lines": 2}, "max_changed_lines"),
        ({"minutes": 0}, "above 0"),
        ({"seconds": -1.0}, "above 0"),
    ],
)
def test_an_exercise_checks_itself(tmp_path, changed, words):
    Exercise(folder=tmp_path, **FIELDS)
    with pytest.raises(InputError, match=words):
        Exercise(folder=tmp_path, **{**FIELDS, **changed})


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("session.toml", "id = ", "is not TOML"),
        ("session.toml", 'id = "s01"', "lacks title, summary, context, objectives"),
        ("exercise_1_task/exercise.toml", 'id = "s01.1"\nminuts = 3', "exercise.toml: .*minuts"),
        ("exercise_1_task/exercise.toml", "", "exercise.toml: .*missing"),
    ],
)
def test_content_that_is_not_as_it_should_be_names_its_file(tmp_path, file, text, words):
    from tiny_curriculum import write_curriculum

    root = write_curriculum(tmp_path / "curriculum")
    (root / "session_01_letters" / file).write_text(text)
    with pytest.raises(InputError, match=words):
        sessions(root)


def test_ids_are_found_and_typos_are_near():
    assert find_session("1") is find_session("01") is find_session("s01")
    assert find_exercise("s01.1").session == "s01"
    with pytest.raises(InputError, match=r"s01\.1"):
        find_exercise("s01.11")
    with pytest.raises(InputError, match="no session 'x'"):
        find_session("x")


def quiz_of(tmp_path, text):
    from tiny_curriculum import write_curriculum

    session = sessions(write_curriculum(tmp_path / "curriculum"))[0]
    (session.folder / "quiz.toml").write_text(text)
    return read_quiz(session)


def test_a_quiz_is_read(tmp_path):
    (question,) = quiz_of(tmp_path, QUESTION + OPTION + OPTION + "right = true\n")
    assert [option.right for option in question.options] == [False, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[question]", "is not TOML"),
        ("[[question]]\n", "question 1 has no text"),
        (QUESTION, "needs options"),
        (QUESTION + OPTION, "exactly one right option"),
        (QUESTION + 2 * (OPTION + "right = true\n"), "exactly one right option"),
        (QUESTION + OPTION.replace("b", "") + "right = true\n", "a reason"),
        (QUESTION + OPTION.replace("why", "wy"), "a text and a why"),
    ],
)
def test_a_quiz_that_cannot_be_asked_names_its_file(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as caught:
        quiz_of(tmp_path, text)
    assert "quiz.toml" in str(caught.value)


@given(st.text(max_size=12))
@settings(max_examples=30, deadline=None)
def test_no_id_but_a_real_one_is_found(text):
    if text.isdecimal() and text.isascii():
        return
    with pytest.raises(InputError):
        find_exercise(text)

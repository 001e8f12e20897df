"""Help: hints by level, the solution once earned, a fresh start that loses nothing, an editor."""

import pytest
from tiny_curriculum import verdict, write_curriculum

from genailab.errors import InputError
from genailab.learn.outcomes import State
from genailab.learn.quiz import Option, Question
from genailab.learn.screen.editor import open_in_editor
from genailab.learn.screen.guidance import difference_from_starter, hint, solution, start_again
from genailab.learn.screen.quiz_session import ask
from genailab.learn.screen.single import chosen_exercise, place_for_new
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace


@pytest.fixture
def progress(tmp_path):
    curriculum = write_curriculum(tmp_path / "curriculum")
    return Progress.open(Workspace.create(tmp_path / "practice", curriculum=curriculum))


def test_hints_go_a_level_further_each_time_and_any_can_be_asked_for(progress):
    exercise = progress.workspace.exercises[0]
    assert [hint(exercise, progress).text for _ in range(4)] == ["One.", "Two.", "Three.", "Three."]
    assert hint(exercise, progress, level=1).text == "One."
    assert progress.of("s01.1").hints == 3
    with pytest.raises(InputError, match="level 1 to 3, not 4"):
        hint(exercise, progress, level=4)


def test_a_solution_seen_anyway_is_noted_and_an_earned_one_too(progress):
    first, second = progress.workspace.exercises[:2]
    with pytest.raises(InputError, match="--anyway"):
        solution(first, progress)
    assert progress.of("s01.1").solution == ""
    assert "return 42" in solution(first, progress, anyway=True)
    assert progress.of("s01.1").solution == "anyway"
    progress.record(verdict("s01.2"))
    solution(second, progress, anyway=True)
    assert progress.of("s01.2").solution == "earned"


def test_starting_again_keeps_every_earlier_file(progress):
    exercise, workspace = progress.workspace.exercises[0], progress.workspace
    path = workspace.path_of(exercise)
    kept = []
    for text in ("first\n", "second\n"):
        path.write_text(text)
        kept.append(start_again(exercise, workspace, progress))
        assert path.read_text() == exercise.text("starter.py")
    assert [one.read_text() for one in kept] == ["first\n", "second\n"]
    path.unlink()
    assert start_again(exercise, workspace, progress) is None
    assert path.is_file()


def test_the_difference_is_what_was_changed(progress):
    exercise, workspace = progress.workspace.exercises[0], progress.workspace
    assert difference_from_starter(exercise, workspace) == []
    path = workspace.path_of(exercise)
    path.write_text(path.read_text().replace("    pass", "    return 1"))
    lines = difference_from_starter(exercise, workspace)
    assert [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        "-    pass",
        "+    return 1",
    ]
    path.unlink()
    with pytest.raises(InputError, match=r"reset s01\.1"):
        difference_from_starter(exercise, workspace)


def test_the_editor_is_the_learners_own(progress, monkeypatch, tmp_path):
    path = progress.workspace.path_of(progress.workspace.exercises[0])
    monkeypatch.setenv("EDITOR", "no-such-editor-anywhere")
    monkeypatch.delenv("VISUAL", raising=False)
    with pytest.raises(InputError, match="no-such-editor-anywhere"):
        open_in_editor(path)
    monkeypatch.setenv("VISUAL", f"cp -t '{tmp_path}'")  # with options, and before EDITOR
    open_in_editor(path)
    assert (tmp_path / path.name).read_text() == path.read_text()
    monkeypatch.delenv("VISUAL")
    monkeypatch.delenv("EDITOR")
    with pytest.raises(InputError, match="set EDITOR"):
        open_in_editor(path)


QUESTION = Question(
    text="Which?",
    options=(
        Option(text="This", why="Because."),
        Option(text="That", why="It is.", right=True),
        Option(text="Other", why="Never."),
    ),
)


def answering(*answers):
    waiting = list(answers)

    def read(prompt):
        if not waiting:
            raise EOFError
        return waiting.pop(0)

    return read


def test_each_answer_is_explained_and_right_ones_are_counted():
    lines = []
    right = ask([QUESTION, QUESTION], read=answering("1", "2"), say=lines.append, width=80)
    text = "\n".join(lines)
    assert right == 1
    assert "Not so. Because." in text
    assert "Right is 2. It is." in text
    assert "Right. It is." in text
    assert "Never." not in text


def test_what_is_no_answer_is_asked_again_and_an_end_is_told():
    lines = []
    assert ask([QUESTION], read=answering("", "4", "0", "two", " 2 "), say=lines.append, width=80) == 1
    assert sum("none of 1 to 3" in line for line in lines) == 4
    with pytest.raises(InputError, match="question 2"):
        ask([QUESTION, QUESTION], read=answering("1"), say=lines.append, width=80)


def test_which_exercise_is_meant(progress, tmp_path):
    assert chosen_exercise("s02.1", None, progress).id == "s02.1"
    assert chosen_exercise(None, tmp_path / "s01_2_task.py", progress).id == "s01.2"
    progress.record(verdict("s02.2", State.FAILED))
    assert chosen_exercise(None, None, progress).id == "s02.2"
    with pytest.raises(InputError, match=r"did you mean .*'s01\.1'"):
        chosen_exercise("s01.l", None, progress)
    with pytest.raises(InputError, match="does not say which exercise"):
        chosen_exercise(None, tmp_path / "mine.py", progress)
    with pytest.raises(InputError, match="not in a workspace"):
        chosen_exercise(None, None, None)


def test_a_new_workspace_goes_into_an_empty_folder_or_where_it_is_agreed_to(tmp_path):
    (tmp_path / ".git").mkdir()
    assert place_for_new(tmp_path, ask=None) == tmp_path
    (tmp_path / "thesis.docx").write_text("")
    assert place_for_new(tmp_path, ask=lambda question: True) == tmp_path / "genailab-practice"
    for ask_ in (None, lambda question: False):
        with pytest.raises(InputError, match="genailab learn init"):
            place_for_new(tmp_path, ask=ask_)

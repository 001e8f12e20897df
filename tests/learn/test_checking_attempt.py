"""What a check can ask of the learner's code, and what it is told without asking."""

import pytest
import torch
from answer_exercise import RIGHT, STARTER, answer_exercise, checked

from genailab.learn.checking import Attempt, CheckFailed, Mistake, check
from genailab.learn.checking.surroundings import settings_put_back
from genailab.learn.outcomes import State, Verdict


def attempt_of(source, *, seed=1, starter=STARTER):
    names = {}
    exec(compile(source, "mine.py", "exec", dont_inherit=True), names)
    return Attempt(names, source=source, starter=starter, seed=seed)


def said(action):
    with pytest.raises(CheckFailed) as caught:
        action()
    return caught.value.result


def test_each_check_draws_the_same_whatever_the_others_drew():
    drawn = []

    @check("First")
    def first(attempt):
        attempt.rng.random(attempt.seed)

    @check("Second")
    def second(attempt):
        drawn.append((attempt.dna(30), attempt.normal(3).tolist(), attempt.rng.random()))

    for seed, checks in ((3, [first, second]), (3, [second]), (4, [second])):
        attempt = attempt_of(RIGHT, seed=seed)
        for one in checks:
            attempt.run(one)
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


@pytest.mark.parametrize("length", [0, 1, 3, 4, 50])
def test_drawn_dna_holds_every_letter_where_it_can(length):
    sequence = attempt_of(RIGHT).dna(length)
    assert len(sequence) == length
    assert len(set(sequence)) == min(length, 4)


def test_what_is_missing_or_untouched_is_told_apart():
    assert said(lambda: attempt_of("answr = 3").get("answer")).state is State.FAILED
    assert "answr" in said(lambda: attempt_of("answr = 3").get("answer")).message
    assert said(lambda: attempt_of(STARTER).get("answer")).state is State.NOT_ATTEMPTED
    assert said(lambda: attempt_of("answer = None").get("answer")).state is State.NOT_ATTEMPTED
    assert "to be a function" in said(lambda: attempt_of("answer = 3").call("answer")).message


CHANGES = {
    "in place": ("values.mul_(2)", torch.ones(2)),
    "out": ("torch.add(values, 1, out=values)", torch.ones(2)),
    "a list": ("values.append(1)", [1]),
    "a list of texts": ("values.sort()", ["b", "a"]),
    "a dict": ("values.pop('a')", {"a": 1}),
    "inside": ("values['a'][0] = 9", {"a": torch.ones(2)}),
    "an array": ("values.sort()", torch.tensor([2.0, 1.0]).numpy()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_input_is_told(name):
    code, value = CHANGES[name]
    attempt = attempt_of(f"import torch\n\n\ndef answer(values):\n    {code}\n    return 1\n")
    assert said(lambda: attempt.call("answer", value)).mistake == "changes its input"
    attempt = attempt_of("def answer(values):\n    return values\n")
    attempt.call("answer", value)


def test_nothing_returned_is_told():
    attempt = attempt_of("def answer(values):\n    values * 2\n")
    assert said(lambda: attempt.call("answer", 1)).mistake == "nothing returned"


def test_the_first_mistake_that_fits_is_named_and_one_that_cannot_be_asked_is_passed_over():
    attempt = attempt_of("def answer(values):\n    return values / 2\n")
    mistakes = [
        Mistake("of another kind", lambda yours: yours.no, ""),
        Mistake("negated", torch.tensor([-1.0]), ""),
        Mistake("halved", torch.tensor([0.5]), "That is half."),
        Mistake("anything", lambda yours: True, ""),
    ]
    expected = torch.tensor([2.0])
    result = said(lambda: attempt.compare("answer", torch.ones(1), expected=expected, mistakes=mistakes))
    assert (result.mistake, result.message) == ("halved", "That is half.")
    assert "answer(tensor(1,) float32" in result.given


def test_a_picture_has_no_numbers_that_json_lacks():
    attempt = attempt_of(RIGHT)
    for bad, drawn in ((float("nan"), False), (3.0, True)):
        result = said(
            lambda bad=bad: attempt.equal(torch.tensor([bad]), torch.ones(1), given="", picture="track")
        )
        assert (result.picture is not None) == drawn


SETTINGS = {
    "the default dtype": "torch.set_default_dtype(torch.float64)",
    "the default device": "torch.set_default_device('meta')",
    "gradients": "torch.set_grad_enabled(False)",
    "deterministic": "torch.use_deterministic_algorithms(True)",
    "threads": "torch.set_num_threads(3)",
}


@pytest.mark.parametrize("when", ["loaded", "called"])
@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_torch_are_put_back_and_the_learner_is_told(tmp_path, name, when):
    setting = SETTINGS[name]
    checks = (
        "import torch\nfrom genailab.learn.checking import check\n\n\n@check('A')\ndef a(attempt):\n"
        "    attempt.call('answer', torch.ones(2))\n    usual(attempt)\n\n\n"
        "@check('B')\ndef b(attempt):\n    attempt.get('answer')(torch.ones(2))\n\n\n"
        "@check('C')\ndef c(attempt):\n    usual(attempt)\n\n\n"
        "def usual(attempt):\n    x = torch.ones(1, requires_grad=True) * 2\n"
        "    attempt.require(x.requires_grad, 'gradients')\n"
        "    attempt.require((x.dtype, x.device.type) == (torch.float32, 'cpu'), 'leaks')\n"
        "    attempt.require(not torch.are_deterministic_algorithms_enabled(), 'deterministic')\n"
        "    attempt.require(torch.get_num_threads() == 1, 'threads')\n"
    )
    # Deterministic algorithms import half of torch.
    exercise = answer_exercise(tmp_path / "exercise_1_twice", checks=checks, seconds=30.0)
    source = (
        RIGHT + setting if when == "loaded" else RIGHT.replace("    return", f"    {setting}\n    return")
    )
    verdict = checked(exercise, source)
    assert verdict.outcome is State.PASSED, verdict.first_problem
    assert verdict.output.startswith("Note: your code changes")
    assert name.split()[-1] in verdict.output
    assert checked(exercise, RIGHT).output == ""


def test_what_torch_changes_of_itself_is_not_the_learners_doing(tmp_path):
    # Both replace functions of torch when they are first used.
    source = (
        "import torch\nimport torch._dynamo\ntorch.set_default_dtype(torch.float64)\n"
        "optimizer = torch.optim.Adam([torch.ones(1, requires_grad=True)])\n"
        "optimizer.zero_grad()\noptimizer.step()\n"
    )
    exercise = answer_exercise(tmp_path / "exercise_1_twice", seconds=60.0)
    verdict = checked(exercise, source + RIGHT)
    assert verdict.outcome is State.PASSED, verdict.first_problem


def test_a_seed_set_in_the_file_changes_nothing_that_is_hidden(tmp_path):
    exercise = answer_exercise(tmp_path / "exercise_1_twice")
    wrong = "import torch\n{}\n\n\ndef answer(values):\n    return values * 0 + torch.rand(())\n"
    plain, seeded = (checked(exercise, wrong.format(line)) for line in ("", "torch.manual_seed(9)"))
    assert plain.checks == seeded.checks


def test_a_grad_mode_entered_and_not_left_does_not_last():
    torch.set_grad_enabled(False)
    assert settings_put_back() == ["whether gradients are recorded (False)"]
    assert settings_put_back() == []


def test_in_a_notebook_names_count_and_nothing_is_run_again(tmp_path):
    exercise = answer_exercise(tmp_path / "exercise_1_twice")
    names = {"answer": lambda values: values * 2}
    source = "def answer(values):\n    raise ValueError('not run')\n"
    assert checked(exercise, source, names=names).outcome is State.PASSED
    assert checked(exercise, source, names={"answer": None}).outcome is State.NOT_ATTEMPTED
    assert checked(exercise, source, names={}).outcome is State.FAILED


ERRORS = {
    "their line": ("def answer(values):\n    return values + 'x'\n", "Line 2: TypeError"),
    "too few arguments": ("def answer():\n    return 1\n", "could not use what your code gives: TypeError"),
    "no operation for it": (
        "import torch\n\n\ndef answer(values):\n    return values.to('meta').to('cpu')\n",
        "Line 5: NotImplementedError",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_says_whose_it_is(tmp_path, name):
    source, words = ERRORS[name]
    problem = checked(answer_exercise(tmp_path / "exercise_1_twice"), source).first_problem
    assert problem.state is State.ERROR
    assert words in problem.message


def test_not_implemented_is_not_attempted(tmp_path):
    source = "def answer(values):\n    x = values * 2\n    raise NotImplementedError\n"
    assert checked(answer_exercise(tmp_path / "exercise_1_twice"), source).outcome is State.NOT_ATTEMPTED


@pytest.mark.parametrize("device", ["meta"])
def test_a_result_without_numbers_is_a_wrong_answer(tmp_path, device):
    source = (
        f"import torch\n\n\ndef answer(values):\n    return torch.zeros(values.shape, device={device!r})\n"
    )
    problem = checked(answer_exercise(tmp_path / "exercise_1_twice"), source).first_problem
    assert problem.state is State.FAILED
    assert "on the device meta" in problem.message


def test_a_forbidden_name_fails_in_the_text_and_while_it_runs(tmp_path):
    checks = (
        "from genailab.learn.checking import check\n\n\n@check('By hand')\ndef by_hand(attempt):\n"
        "    attempt.forbid('torch.mul', why='by hand', mistake='torch.mul used')\n"
        "    attempt.call('answer', attempt.normal(2))\n\n\n"
        "@check('Free')\ndef free(attempt):\n    attempt.call('answer', attempt.normal(2))\n"
    )
    exercise = answer_exercise(tmp_path / "exercise_1_twice", checks=checks)
    for expression in ("torch.mul(values, 2)", "getattr(torch, 'm' + 'ul')(values, 2)"):
        verdict = checked(exercise, RIGHT.replace("values * 2", expression))
        assert [result.mistake for result in verdict.checks] == ["torch.mul used", None]
    assert checked(exercise, RIGHT.replace("values * 2", "values * 2  # torch.mul")).outcome is State.PASSED


def test_a_verdict_travels_as_json(tmp_path):
    verdict = checked(answer_exercise(tmp_path / "exercise_1_twice"), RIGHT.replace("* 2", "/ 2"))
    assert verdict.mistake == "halved"
    assert verdict.checks[1].picture is not None
    fields = verdict.to_json()
    assert Verdict.from_json(fields).to_json() == fields
    assert list(fields)[:3] == ["id", "outcome", "mistake"]

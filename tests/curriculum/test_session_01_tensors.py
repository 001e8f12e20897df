"""Session 1: each mistake that a check names is one that a learner can make, and lessons say what torch says.

The author's gate runs the starters, solutions and ``wrong/`` files; here the solutions are spoilt in all the
other ways that the checks know by name, without forking.
"""

# ruff: noqa: E501  # a table reads best with a line an entry

from __future__ import annotations

import ast
import doctest
import re
from typing import Any

import pytest
import torch

from genailab.learn.checking import Attempt
from genailab.learn.checking.loading import checks_of_exercise, load_source
from genailab.learn.content import Exercise, find_exercise, find_session

EXERCISES = find_session("s01").exercises

# (exercise, mistake, what stands in the solution, what stands there instead)
SPOILT = [
    ("s01.1", "numbers instead of one-hot", "    return encoded\n", "    return encoded.argmax(dim=0).float()\n"),
    ("s01.1", "N spread over the letters", "continue  #", "encoded[:, position] = 0.25; continue  #"),
    ("s01.1", "k-mers joined, not stacked", "torch.stack(", "torch.hstack("),
    ("s01.1", "positions before letters", "batch.reshape(len(batch), -1)", "batch.transpose(1, 2).flatten(1)"),
    ("s01.1", "batch flattened too", "batch.reshape(len(batch), -1)", "batch.flatten()"),
    ("s01.1", "joined along the letters", "torch.cat(list(batch), dim=1)", "torch.cat(list(batch), dim=0)"),
    ("s01.2", "shares, not per million", " * 1e6", ""),
    ("s01.2", "axis 0 is genes here", "dim=1, keepdim=True", "dim=0, keepdim=True"),
    ("s01.2", "logarithm of zero", "torch.log1p(", "torch.log("),
    ("s01.2", "counts not scaled", "torch.log1p(counts_per_million(counts))", "torch.log1p(counts)"),
    ("s01.2", "logarithm to base 2", "torch.log1p(counts_per_million(counts))", "(counts_per_million(counts) + 1).log2()"),
    ("s01.2", "variance, not standard deviation", "expression.mean(dim=0), expression.std(dim=0)", "expression.mean(dim=0), expression.var(dim=0)"),
    ("s01.2", "standard deviation first", "expression.mean(dim=1), expression.std(dim=1)", "expression.std(dim=1), expression.mean(dim=1)"),
    ("s01.2", "one mean for the whole table", "dim=1, keepdim=True", ""),
    ("s01.2", "centred, not scaled", " / torch.where(std > 0, std, 1.0)", ""),
    ("s01.2", "biased standard deviation", "std(dim=1, keepdim=True)", "std(dim=1, keepdim=True, correction=0)"),
    ("s01.3", "axes swapped", "x.flip(-2, -1)", "x.flip(-2, -1).transpose(-2, -1)"),
    ("s01.3", "batch reversed too", "x.flip(-2, -1)", "x.flip(*range(x.ndim))"),
    ("s01.3", "letters before windows", ".permute(1, 0, 2)", ""),
    ("s01.3", "reshaped where axes had to be moved", "windows.permute(1, 0, 2)", "windows.reshape(-1, 4, width)"),
    ("s01.3", "letters after positions", ".permute(1, 0, 2)", ".permute(1, 2, 0)"),
    ("s01.3", "stride ignored", "unfold(-1, width, stride)", "unfold(-1, width, 1)"),
    ("s01.3", "matrix read backwards", "* pwm  #", "* pwm.flip(1)  #"),
    ("s01.3", "scores of the other strand", "* pwm  #", "* pwm.flip(0, 1)  #"),
    ("s01.3", "mean, not sum", "weighted.sum(dim=(1, 2))", "weighted.mean(dim=(1, 2))"),
    ("s01.3", "positions not summed", "weighted.sum(dim=(1, 2))", "weighted.sum(dim=1)"),
    ("s01.3", "strands added up", "torch.maximum(forward.max(), backward.max())", "forward.max() + backward.max()"),
    ("s01.3", "strands added up", "torch.maximum(forward.max(), backward.max())", "(forward + backward).max()"),
    ("s01.3", "reversal without complement", "scan(reverse_complement(x), pwm)", "scan(x, pwm.flip(1))"),
    ("s01.3", "a convolution called", "    weighted =", "    torch.nn.functional.conv1d(x[None], pwm[None])\n    weighted ="),
    ("s01.3", "a convolution called", "    weighted =", "    getattr(torch.nn.functional, 'conv' + '1d')(x[None], pwm[None])\n    weighted ="),
    ("s01.adapt", "four rows kept from DNA", "    return encoded\n", "    return encoded[:4]\n"),
    ("s01.adapt", "axes swapped", "    return encoded\n", "    return encoded.T\n"),
    ("s01.adapt", "lower case ignored", "if letter == ", "if not sequence[position].isupper() or letter == "),
    ("s01.adapt", "X spread over the letters", "            continue", "            encoded[:, position] = 0.05; continue"),
    ("s01.adapt", "bad letters pass", 'raise ValueError(f"{letter!r} at position {position} is not one of {AMINO_ACIDS} or X")', "continue"),
    ("s01.adapt", "rows not summed", "HYDROPATHY @ x", "HYDROPATHY[:, None] * x"),
    ("s01.adapt", "the sum of the protein", "HYDROPATHY @ x", "(HYDROPATHY @ x).sum()"),
    ("s01.adapt", "last window missing", "values.unfold(0,", "values[:-1].unfold(0,"),
    ("s01.adapt", "windows side by side", "unfold(0, width, 1)", "unfold(0, width, width)"),
    ("s01.adapt", "only the starts marked", "    starts = torch.nonzero(means", "    return means >= threshold\n    starts = torch.nonzero(means"),
    ("s01.adapt", "only the middles marked", "starts + torch.arange(width)", "starts + width // 2"),
    ("s01.adapt", "last residue of a window missing", "torch.arange(width)", "torch.arange(width - 1)"),
    ("s01.adapt", "a loop over windows", "    inside[starts + torch.arange(width)] = True", "    for start in starts.flatten():\n        inside[start : start + width] = True"),
    ("s01.debug", "fits a square only", "expression - means", "expression - means.reshape(48, 1)"),
    ("s01.debug", "a line that was right is changed", "ct[reference] - ct", "ct[reference, :, None] - ct"),
]  # fmt: skip


def named(exercise: Exercise, source: str, seed: int) -> list[str | None]:
    """Run the checks in this process; return the names of the mistakes that they recognise."""
    names: dict[str, Any] = load_source(source, exercise.folder / "spoilt.py")
    attempt = Attempt(names, source=source, starter=exercise.text("starter.py"), seed=seed)
    found = []
    for check in checks_of_exercise(exercise):
        try:
            found.append(attempt.run(check).mistake)
        except (RuntimeError, IndexError, TypeError, ValueError):
            found.append(None)  # as the runner: an error in the learner's code ends this check only
    return found


@pytest.mark.parametrize(("id", "mistake", "right", "instead"), SPOILT)
def test_a_spoilt_solution_is_named(id: str, mistake: str, right: str, instead: str) -> None:
    exercise = find_exercise(id)
    solution = exercise.text("solution.py")
    assert right in solution
    found = [name for name in named(exercise, solution.replace(right, instead), seed=7) if name]
    assert found[:1] == [mistake]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_mistake_that_a_check_names_is_tried(exercise: Exercise) -> None:
    tree = ast.parse(exercise.text("check.py"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    known = {call.args[0].value for call in calls if getattr(call.func, "id", "") == "Mistake"}  # type: ignore[attr-defined]
    known |= {word.value.value for call in calls for word in call.keywords if word.arg == "mistake"}  # type: ignore[attr-defined]
    tried = {mistake for id, mistake, _, _ in SPOILT if id == exercise.id}
    tried |= {
        path.read_text(encoding="utf-8").split('"""')[1].removeprefix("mistake: ") for path in exercise.wrong
    }
    assert known == tried


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_lesson_s_examples_give_what_it_says(exercise: Exercise) -> None:
    blocks = re.findall(r"```python\n(.*?)```", exercise.text("lesson.md"), flags=re.DOTALL)
    assert blocks
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, exercise.id, "lesson.md", 0)
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_the_planted_bug_is_silent_in_a_square_and_loud_elsewhere() -> None:
    exercise = find_exercise("s01.debug")
    program = load_source(exercise.text("starter.py"), exercise.folder / "starter.py")
    noise = torch.randn(48, 48, generator=torch.Generator().manual_seed(0))
    assert program["centre_genes"](noise).mean(dim=1).abs().max() > 0.01
    with pytest.raises(RuntimeError, match="must match"):
        program["centre_genes"](torch.zeros(24, 192))

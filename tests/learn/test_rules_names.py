"""Names that may not be used are found under every name they go by, and nothing else is."""

import ast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.learn.checking.rules import Forbidden, broken_rule, changed_lines, same_code, unchanged_from

GRAD = Forbidden("torch.autograd.grad", "no", "autograd used")
CONV = Forbidden("torch.nn.functional.conv1d", "no", "ready-made")
BACKWARD = Forbidden("torch.Tensor.backward", "no", "autograd used")
USED = [
    (GRAD, "import torch\ntorch.autograd.grad(y, x)"),
    (GRAD, "import torch as t\nt.autograd.grad(y, x)"),
    (GRAD, "from torch import autograd\nautograd.grad(y, x)"),
    (GRAD, "from torch.autograd import grad\ngrad(y, x)"),
    (GRAD, "from torch.autograd import grad as g\ng(y, x)"),
    (GRAD, "import torch.autograd as a\na.grad(y, x)"),
    (GRAD, "import torch\ngetattr(torch.autograd, 'grad')(y, x)"),
    (CONV, "import torch.nn.functional as F\nF.conv1d(x, w)"),
    (CONV, "from torch.nn.functional import conv1d\nf = conv1d"),
    (BACKWARD, "import torch\nloss.backward()"),
    (BACKWARD, "import torch\n(a + b).sum().backward()"),
    (BACKWARD, "import torch\ntorch.Tensor.backward(x)"),
]
NOT_USED = [
    (GRAD, "grad = 2 * x\nweights -= grad"),
    (GRAD, "x.grad"),
    (GRAD, "def grad(x):\n    return 2 * x\ngrad(3)"),
    (GRAD, "'torch.autograd.grad'  # torch.autograd.grad"),
    (GRAD, "import mine\nmine.autograd.grad(x)"),
    (CONV, "def conv1d(x, w):\n    return x\nconv1d(1, 2)"),
    (BACKWARD, "backward = 3"),
    (BACKWARD, "class Net:\n    def backward(self): ...\n    def step(self): self.backward()"),
]


@pytest.mark.parametrize(("rule", "source"), USED)
def test_a_forbidden_name_is_found(rule, source):
    assert rule.line_in(ast.parse(source)) == 2


@pytest.mark.parametrize(("rule", "source"), NOT_USED)
def test_a_name_that_only_looks_like_it_is_not(rule, source):
    assert rule.line_in(ast.parse(source)) is None


def test_what_is_called_otherwise_in_the_file_is_known_by_what_it_is():
    tree = ast.parse("f = vars(torch.autograd)['gr' + 'ad']\nf(y, x)")
    assert GRAD.line_in(tree, {"f": torch.autograd.grad}) == 1
    assert GRAD.line_in(tree, {"f": torch.autograd.backward}) is None


def test_a_guard_holds_while_the_code_runs_past_every_except_and_is_gone_afterwards():
    before = torch.autograd.grad
    x = torch.ones(1, requires_grad=True)

    def swallows():
        try:
            vars(torch.autograd)["gr" + "ad"](x.sum(), x)
        except BaseException:
            return x

    with broken_rule((GRAD, BACKWARD)) as broken:
        swallows()
    assert broken == [GRAD]
    with broken_rule((GRAD, BACKWARD)) as broken:
        x.sum().backward()
    assert broken == [BACKWARD]
    assert torch.autograd.grad is before
    x.sum().backward()


def test_errors_of_the_code_pass_through_a_guard():
    for error in (ValueError, StopIteration, KeyboardInterrupt, GeneratorExit):
        with pytest.raises(error), broken_rule((GRAD,)):
            raise error


STUBS = [
    "pass",
    "...",
    "raise NotImplementedError",
    "raise NotImplementedError('later')",
    '"""Only this."""',
    "return None",
]


@pytest.mark.parametrize("body", STUBS)
def test_a_stub_is_unchanged_until_its_code_is(body):
    starter = f"def f(x):\n    {body}\n\n\ndef g(x):\n    return x\n"
    assert unchanged_from(starter, ast.parse(starter), "f")
    assert unchanged_from(starter, ast.parse("# mine\n" + starter.replace("f(x)", "f( x )")), "f")
    assert not unchanged_from(starter, ast.parse("def f(x):\n    return x + 1\n"), "f")
    assert not unchanged_from(starter, ast.parse(starter), "g")  # whole from the beginning
    assert not unchanged_from(starter, ast.parse(""), "f")


def test_values_and_classes_may_be_stubs_too():
    for starter in ("RATE = None", "RATE: float = None", "class RATE:\n    def f(self):\n        pass"):
        assert unchanged_from(starter, ast.parse(starter), "RATE")
        assert not unchanged_from(starter, ast.parse("RATE = 3"), "RATE")


def test_comments_and_spacing_are_no_change():
    assert same_code("x = 1\n", "# new\nx   =  1\n\n")
    assert not same_code("x = 1", "x = 2")
    assert same_code("x = (", "x = (")


@given(st.lists(st.sampled_from(["a = 1", "b = 2", "c = 3", "", "# d"]), max_size=8), st.data())
@settings(max_examples=50, deadline=None)
def test_the_number_of_changed_lines_is_nought_only_without_change(lines, data):
    text = "\n".join(lines)
    assert changed_lines(text, text) == 0
    assert changed_lines(text, text + "\n\n# a remark\n") == 0
    code = [number for number, line in enumerate(lines) if line and not line.startswith("#")]
    if code:
        place = data.draw(st.sampled_from(code))
        assert changed_lines(text, "\n".join([*lines[:place], "new = 1", *lines[place + 1 :]])) == 1
    assert changed_lines(text, text + "\nnew = 1\n") == 1

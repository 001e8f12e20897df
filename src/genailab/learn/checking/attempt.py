"""What an exercise's ``check.py`` is written with.

A check is a function of an `Attempt`; its name is what the learner reads. It asks the learner's code for
something and compares::

    @check("Turns a sequence into one row a letter")
    def encodes(attempt: Attempt) -> None:
        sequence = attempt.dna(12)
        attempt.compare(
            "one_hot_encode_sequence", sequence,
            expected=one_hot(sequence),                                      # float64
            mistakes=[Mistake("axes swapped", one_hot(sequence).T, "Rows are letters ...")],
            axes=("letter", "position"),
        )

Inputs are drawn from ``attempt.rng`` or ``attempt.generator``, so that a seed asks the same again; each check
draws its own, whatever the checks before it drew. What the learner's code draws from the global generators is
seeded too.

What an author need not look after: a function that is still as in the starter is "not attempted"; an error in
the learner's code, or in the check for what that code gave, ends the check with their line; an input that was
changed in place, a result of None, torch's settings (put back) and replaced library functions are told;
so are time (``seconds`` in exercise.toml, for all checks together, training included) and memory
(``megabytes``).

What an author should: never trust a value that did not come through `Attempt.compare` or `Attempt.equal`
(those take a subclass, a sparse or a complex tensor for what it is); ask with hidden inputs that tell the
mistakes apart at every seed; where training is asked, compare with a baseline on hidden data.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from genailab.errors import nearest
from genailab.learn.checking.comparison import describe, difference, to_array
from genailab.learn.checking.rules import Forbidden, broken_rule, unchanged_from
from genailab.learn.checking.surroundings import settings_put_back
from genailab.learn.outcomes import CheckResult, Picture, State

__all__ = ["Attempt", "Check", "CheckFailed", "Mistake", "check", "checks_of"]

# Taken before any learner's code is loaded.
_default_rng = np.random.default_rng


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer: what it is called, the value it gives, and what to think about.

    Parameters
    ----------
    name
        A few words, such as ``complement without reversal``.
    value
        What the mistake gives for this input (compared like the expected value), or a function that says of
        the learner's value whether it is this mistake.
    message
        What went wrong and why it matters, in a sentence or two; it does not give the answer away.
    """

    name: str
    value: Any
    message: str


@dataclass(frozen=True)
class Check:
    """A named check."""

    name: str
    run: Callable[[Attempt], None]


class CheckFailed(Exception):  # noqa: N818  # not an error of a program: an answer to the learner
    """Ends a check; holds its result."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__(result.message)
        self.result = result


def check(name: str) -> Callable[[Callable[[Attempt], None]], Check]:
    """Make a check of the function below; checks run in the order they are written."""
    return lambda function: Check(name, function)


def checks_of(module: ModuleType) -> tuple[Check, ...]:
    """Return the checks of a ``check.py``, in the order they are written."""
    return tuple(value for value in vars(module).values() if isinstance(value, Check))


class Attempt:
    """The learner's code and the means to ask it.

    Parameters
    ----------
    names
        What the learner's file defines.
    source
        Its text.
    starter
        The text it started from: a function that is still as it was has not been attempted.
    seed
        What hidden inputs are made from.
    """

    def __init__(self, names: dict[str, Any], *, source: str, starter: str, seed: int) -> None:
        self.names, self.source, self.starter, self.seed = names, source, starter, seed
        self.tree = ast.parse(source)
        self.rng = _default_rng(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.settings_changed: list[str] = []
        self._forbidden: tuple[Forbidden, ...] = ()
        self.check_name = ""

    # --- hidden inputs -----------------------------------------------------------------------------------

    def dna(self, length: int) -> str:
        """Draw a DNA sequence that holds every letter (where it is long enough), as text."""
        letters = np.concatenate([self.rng.permutation(4), self.rng.integers(0, 4, max(length - 4, 0))])
        return "".join("ACGT"[code] for code in self.rng.permutation(letters[:length]))

    def normal(self, *shape: int) -> Tensor:
        """Draw standard normal numbers, float32."""
        return torch.randn(shape, generator=self.generator)

    # --- the learner's code ------------------------------------------------------------------------------

    def get(self, name: str) -> Any:
        """Return what the learner's file calls ``name``; not attempted where it is as in the starter."""
        if name not in self.names:
            near = nearest(name, [key for key in self.names if not key.startswith("_")])
            self.fail(f"Your file defines no {name!r}: {near}. The checks look for exactly this name.")
        if self.names[name] is None or unchanged_from(self.starter, self.tree, name):
            self.not_attempted(f"{name} is still as it was in the starter.")
        return self.names[name]

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Call the learner's function; its arguments must come back unchanged and its result not be None."""
        function = self.get(name)
        if not callable(function):
            self.fail(f"{name} is to be a function (or a class), and is {describe(function)}.")
        given = copy.deepcopy((arguments, options))
        before = copy.deepcopy(given)
        with broken_rule(self._forbidden) as broken:
            result = function(*given[0], **given[1])
        self.settings_changed += settings_put_back()
        if broken:
            self.fail(broken[0].message, mistake=broken[0].mistake)
        if not _same(given, before):
            self.fail(
                f"{name} changed its input. Work on a copy: whoever called it still needs what was passed.",
                mistake="changes its input",
            )
        if result is None:
            self.fail(f"{name} returned None: is there a return statement?", mistake="nothing returned")
        return result

    def forbid(self, *names: str, why: str, mistake: str) -> None:
        """Fail where the learner's file uses one of these names; for the rest of this check also at run time.

        ``names`` are dotted, such as ``torch.autograd.grad`` or ``torch.Tensor.backward``: they are looked
        for in the syntax tree under any name they were imported as, and guarded while the code runs.
        """
        rules = tuple(Forbidden(name, f"{name} is not allowed here: {why}", mistake) for name in names)
        for rule in rules:
            line = rule.line_in(self.tree, self.names)
            if line is not None:
                self.fail(f"Line {line} uses {rule.message}", mistake=mistake)
        self._forbidden = (*self._forbidden, *rules)

    # --- verdicts ----------------------------------------------------------------------------------------

    def compare(
        self,
        name: str,
        *arguments: Any,
        expected: Any,
        mistakes: Iterable[Mistake] = (),
        tolerance: float = 1e-5,
        dtype: torch.dtype | None = None,
        axes: Sequence[str] = (),
        why: str = "",
        picture: str | None = None,
        rows: Sequence[str] = (),
        **options: Any,
    ) -> Any:
        """Call the learner's function and compare; return its value. The options are those of `equal`."""
        yours = self.call(name, *arguments, **options)
        words = [describe(argument) for argument in arguments]
        words += [f"{key}={describe(value)}" for key, value in options.items()]
        self.equal(
            yours,
            expected,
            given=f"{name}({', '.join(words)})",
            mistakes=mistakes,
            tolerance=tolerance,
            dtype=dtype,
            axes=axes,
            why=why,
            picture=picture,
            rows=rows,
        )
        return yours

    def equal(
        self,
        yours: Any,
        expected: Any,
        *,
        given: str,
        mistakes: Iterable[Mistake] = (),
        tolerance: float = 1e-5,
        dtype: torch.dtype | None = None,
        axes: Sequence[str] = (),
        why: str = "",
        picture: str | None = None,
        rows: Sequence[str] = (),
    ) -> None:
        """Compare type, device, dtype, shape and values, in this order; fail with the first difference.

        Parameters
        ----------
        yours
            The learner's value.
        expected
            The right one: a tensor or array (best float64), a number, a text, or a list or dict of those.
        given
            What was asked, for the message.
        mistakes
            Known wrong answers; the first that fits is named.
        tolerance
            Largest absolute difference, relative to the largest expected magnitude where that is above 1.
        dtype
            What ``yours`` must be, where it matters; otherwise any floating type will do for a floating
            expected value.
        axes
            Names of the axes, for the message.
        why
            Why it matters.
        picture
            ``matrix``, ``logo`` or ``track`` to show both side by side, with the names of the ``rows``.
        """
        problem = difference(yours, expected, tolerance=tolerance, dtype=dtype, axes=axes)
        if problem is None:
            return
        shown = {"given": given, "yours": describe(yours), "expected": describe(expected), "why": why}
        drawn = _picture(picture, yours, expected, rows)
        for known in mistakes:
            if _is(known, yours, tolerance):
                self.fail(known.message, mistake=known.name, picture=drawn, **shown)
        self.fail(problem, picture=drawn, **shown)

    def require(self, condition: object, message: str, **shown: Any) -> None:
        """Fail with ``message`` unless ``condition`` holds; ``shown`` are fields of a `CheckResult`."""
        if not condition:
            self.fail(message, **shown)

    def fail(self, message: str, **shown: Any) -> NoReturn:
        """End this check as failed."""
        raise CheckFailed(CheckResult(name=self.check_name, state=State.FAILED, message=message, **shown))

    def not_attempted(self, message: str) -> NoReturn:
        """End this check as not attempted."""
        raise CheckFailed(CheckResult(name=self.check_name, state=State.NOT_ATTEMPTED, message=message))

    def run(self, one: Check) -> CheckResult:
        """Run one check; what the learner's code raises passes through."""
        self.check_name, self._forbidden = one.name, ()
        # Each check draws its own inputs, whatever the ones before it drew.
        self.rng = _default_rng([self.seed, *one.name.encode()])
        self.generator = torch.Generator().manual_seed(int(self.rng.integers(2**62)))
        try:
            one.run(self)
        except CheckFailed as failed:
            # Whoever raises this from the learner's file does not pass by it.
            if failed.result.state in (State.FAILED, State.NOT_ATTEMPTED):
                return failed.result
            raise
        return CheckResult(name=one.name, state=State.PASSED)


def _is(known: Mistake, yours: Any, tolerance: float) -> bool:
    if callable(known.value):
        try:
            return bool(known.value(yours))
        except (TypeError, ValueError, IndexError, RuntimeError, AttributeError):
            return False  # not even the kind of value that this mistake gives
    return difference(yours, known.value, tolerance=tolerance) is None


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, Tensor | np.ndarray):
        left, right = to_array(one), to_array(other)
        return left.shape == right.shape and bool(
            np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
        )
    if isinstance(one, str | int):
        return type(one) is type(other) and one == other
    return True  # modules and functions may keep what they like


def _picture(kind: str | None, yours: Any, expected: Any, rows: Sequence[str]) -> Picture | None:
    if kind is None:
        return None
    try:
        left, right = (np.atleast_2d(to_array(value).astype(float)) for value in (yours, expected))
    except (TypeError, ValueError):  # no numbers, or no array
        return None
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return None  # JSON has no such numbers
    if max(left.ndim, right.ndim) > 2 or max(left.size, right.size) > 4000:
        return None
    return Picture(kind=kind, yours=left.tolist(), expected=right.tolist(), rows=tuple(rows))

"""Ask a session's quiz: each answer, right or wrong, is explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genailab.errors import InputError
from genailab.learn.quiz import Question
from genailab.learn.screen.prose import wrap

__all__ = ["ask"]


def ask(
    questions: Sequence[Question],
    *,
    read: Callable[[str], str],
    say: Callable[[str], None],
    width: int,
) -> int:
    """Ask all questions; return how many were answered rightly at once.

    Parameters
    ----------
    questions
        What to ask.
    read
        Shows a prompt and returns the answer; raises EOFError where there is none to come.
    say
        Shows a line.
    width
        Of a line.

    Raises
    ------
    InputError
        If the answers end before the questions do.
    """
    right = 0
    for number, question in enumerate(questions, start=1):
        for line in _question(number, len(questions), question, width):
            say(line)
        chosen = question.options[_choice(question, read, say, number) - 1]
        right += chosen.right
        for line in _answer(question, chosen.right, chosen.why, width):
            say(line)
    return right


def _question(number: int, count: int, question: Question, width: int) -> list[str]:
    lines = ["", *wrap(f"Question {number} of {count}: {question.text}", width)]
    for index, option in enumerate(question.options, start=1):
        lines += wrap(f"{index}. {option.text}", width, indent="  ", hanging="     ")
    return lines


def _choice(question: Question, read: Callable[[str], str], say: Callable[[str], None], number: int) -> int:
    count = len(question.options)
    while True:
        try:
            answer = read(f"Your answer (1 to {count}): ").strip()
        except EOFError:
            raise InputError(f"there is no answer to question {number}: the quiz was not kept") from None
        if answer.isdecimal() and 1 <= int(answer) <= count:
            return int(answer)
        say(f"{answer!r} is none of 1 to {count}.")


def _answer(question: Question, right: bool, why: str, width: int) -> list[str]:
    if right:
        return wrap(f"Right. {why}", width, indent="  ")
    index, best = next((i, option) for i, option in enumerate(question.options, start=1) if option.right)
    lines = wrap(f"Not so. {why}", width, indent="  ")
    return [*lines, *wrap(f"Right is {index}. {best.why}", width, indent="  ")]

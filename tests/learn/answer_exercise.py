"""One small exercise in files: ``answer(values)`` returns twice the values. What the engine's tests check."""

from genailab.learn.checking.runner import check_source
from genailab.learn.content import Exercise

STARTER = '''"""The starter."""
import torch


def answer(values):
    """Return twice the values."""
    pass
'''
RIGHT = "import torch\n\n\ndef answer(values):\n    return values * 2\n"
CHECKS = """
import torch
from genailab.learn.checking import Mistake, check


@check("Doubles")
def doubles(attempt):
    values = attempt.normal(5)
    halved = Mistake("halved", values.double() / 2, "That is half.")
    attempt.compare("answer", values, expected=values.double() * 2, mistakes=[halved])


@check("Doubles a matrix")
def doubles_a_matrix(attempt):
    values = attempt.normal(2, 3)
    attempt.compare("answer", values, expected=values.double() * 2, picture="matrix")
"""


def answer_exercise(folder, *, checks=CHECKS, starter=STARTER, **options):
    """Write the exercise and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"starter.py": starter, "check.py": checks, "solution.py": RIGHT, "alternative.py": RIGHT}
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "hints.md").write_text(
        "# Hints\n\n## Nudge\nOne\n\n## Approach\nTwo\n\n## Nearly code\nThree\n"
    )
    (folder / "lesson.md").write_text("# Twice\n")
    fields = {"id": "s01.1", "title": "Twice", "minutes": 1, "kind": "code", "objectives": ("double",)}
    return Exercise(**{"folder": folder, "seconds": 3.0, **fields, **options})


def checked(exercise, source, *, seed=7, **options):
    """Return the verdict on a learner's text."""
    return check_source(exercise, source, path=exercise.folder / "mine.py", seed=seed, **options)

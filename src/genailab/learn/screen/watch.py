"""The watcher: every save of an exercise's file is checked, and the verdict shown at once.

Nothing advances by itself: after a pass it says how to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from rich.console import Console
from rich.text import Text

from genailab.errors import InputError
from genailab.learn.checker import Checker
from genailab.learn.content import Exercise
from genailab.learn.screen.guidance import hint, solution
from genailab.learn.screen.keys import reading_keys
from genailab.learn.screen.overview import overview_lines, overview_rows
from genailab.learn.screen.prose import prose, wrap
from genailab.learn.screen.saves import POLL, SavedFiles
from genailab.learn.screen.terminal import exercise_lines, next_steps, show, verdict_lines
from genailab.learn.seed import new_seed
from genailab.learn.state.alone import only_watcher
from genailab.learn.state.handout import picture_of
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace

__all__ = ["Practice", "watch"]

KEYS = "Keys: r lesson, h hint, s solution, n next, l list, ? help, q quit"
HELP = """\
Edit your file in any editor and save it: each save is checked, and the answer appears here.
- r: read the lesson here (README.md in the session's folder has its pictures)
- h: a hint; each h goes a level further, up to nearly the code
- s: one way to do it, after a pass or three tries
- n: go on to the next exercise
- l: all exercises, and which are passed
- q: quit; genailab learn goes on where you were
"""
LEAVE = "Your progress is kept. To go on: genailab learn"


class Practice:
    """An exercise in front of a learner: answers to saves and to keys.

    Parameters
    ----------
    workspace, progress
        Where the files are, and how far they have come.
    checker
        What gives verdicts.
    page
        Where to show them.
    keys
        Whether single keys are read.
    """

    def __init__(
        self, workspace: Workspace, progress: Progress, checker: Checker, page: Console, *, keys: bool
    ) -> None:
        self.workspace, self.progress, self.checker = workspace, progress, checker
        self.page, self.keys = page, keys
        self.exercise = progress.current_exercise() or workspace.exercises[-1]
        self.going = True
        self._told: set[str] = set()

    def begin(self) -> None:
        """Show the exercise and how this works."""
        show(
            self.page,
            exercise_lines(self.exercise, self.workspace, self.progress, width=self.page.width),
        )
        self._say("")
        self._say("Open your file in an editor. Each save is checked here, within a second or so.")
        self._say(KEYS if self.keys else "Ctrl-C ends this.")
        self.tell_notices()

    def check(self, exercise: Exercise) -> None:
        """Answer a save."""
        self.exercise = exercise
        name = self.workspace.path_of(exercise).name
        self._say("")
        self._say(f"{datetime.now():%H:%M:%S} {name} was saved: checking ...")
        try:
            verdict = self.checker.check(exercise, self.workspace.path_of(exercise), seed=new_seed())
        except InputError as error:
            self._say(f"{str(error)[0].upper()}{str(error)[1:]}.")
            return
        self.progress.record(verdict)
        show(self.page, verdict_lines(verdict, exercise, width=self.page.width))
        self._say("")
        show(
            self.page,
            next_steps(verdict, exercise, self.progress, width=self.page.width, keys=self.keys),
        )
        self.tell_notices()

    def tell_gone(self, exercise: Exercise) -> None:
        """Say that a file is not there any more."""
        path = self.workspace.shown(self.workspace.path_of(exercise))
        self._say(
            f"{path} was deleted or renamed: give it its name back, or get a new one with "
            f"genailab learn reset {exercise.id}"
        )

    def press(self, key: str) -> None:
        """Answer a key; one that means nothing is passed over."""
        answers: dict[str, Callable[[], None]] = {
            "r": self._lesson,
            "h": self._hint,
            "s": self._solution,
            "n": self._next,
            "l": self._list,
            "q": self._quit,
            "?": self._help,
        }
        if key in answers:
            self._say("")
            answers[key]()
            self.tell_notices()

    def tell_notices(self) -> None:
        """Say what went wrong with saving progress, once each."""
        while self.progress.notices:
            said = self.progress.notices.pop(0)
            if said not in self._told:
                self._told.add(said)
                self._say(f"Note: {said}")

    def _lesson(self) -> None:
        folder = self.workspace.path_of(self.exercise).parent
        picture = self.workspace.shown(folder / picture_of(self.exercise))
        text = self.exercise.text("lesson.md").replace("(picture.svg)", f"({picture})")
        show(self.page, prose(text, self.page.width))

    def _hint(self) -> None:
        given = hint(self.exercise, self.progress)
        count = len(self.exercise.hints)
        head = f"Hint {given.level} of {count} for {self.exercise.id}: {given.kind}"
        self.page.print(Text(head, style="bold"))
        show(self.page, prose(given.text, self.page.width, indent="  "))
        more = "The next one says more: press h again." if given.level < count else "That was the last hint."
        self._say("")
        self._say(more)

    def _solution(self) -> None:
        try:
            text = solution(self.exercise, self.progress)
        except InputError as error:
            self._say(f"{str(error)[0].upper()}{str(error)[1:]}.")
            return
        self.page.print(Text(f"One way to do {self.exercise.id}", style="bold"))
        show(self.page, ["", *text.rstrip().splitlines()])

    def _next(self) -> None:
        following = self.progress.next_exercise(after=self.exercise.id)
        if following is None:
            self._say("All exercises are passed.")
            return
        self.exercise = following
        self.begin()

    def _list(self) -> None:
        rows = overview_rows(self.workspace.sessions, self.progress)
        show(self.page, overview_lines(rows, self.progress, width=self.page.width))

    def _help(self) -> None:
        show(self.page, prose(HELP, self.page.width))

    def _quit(self) -> None:
        self.going = False

    def _say(self, text: str) -> None:
        show(self.page, wrap(text, self.page.width))


def watch(workspace: Workspace, page: Console) -> None:
    """Show the next exercise and answer each save and key until q or Ctrl-C.

    Raises
    ------
    InputError
        If the workspace is watched already.
    """
    saved = SavedFiles(workspace)
    with only_watcher(workspace), Checker() as checker, reading_keys() as keys:
        progress = Progress.open(workspace)
        progress.notices[:0] = workspace.notices
        practice = Practice(workspace, progress, checker, page, keys=keys is not None)
        try:
            page.print()
            practice.begin()
            while practice.going:
                practice.press(keys(POLL) if keys is not None else _sleep(POLL))
                for exercise in saved.look():
                    practice.check(exercise)
                for exercise in saved.gone():
                    practice.tell_gone(exercise)
        finally:
            show(page, ["", LEAVE])


def _sleep(seconds: float) -> str:
    time.sleep(seconds)
    return ""

"""Draw the picture of a lesson: ``picture.py`` beside it makes ``picture.svg``, which is kept."""

from __future__ import annotations

import sys

from genailab.learn.checking.loading import load_module
from genailab.learn.content import Exercise, exercises, find_exercise

__all__ = ["draw_picture"]


def draw_picture(exercise: Exercise) -> bool:
    """Write ``picture.svg`` of an exercise; return whether it has a picture at all."""
    import matplotlib as mpl

    path = exercise.folder / "picture.py"
    if not path.is_file():
        return False
    settings = {
        "svg.hashsalt": exercise.id,  # the same picture gives the same file
        "svg.fonttype": "path",
        "savefig.transparent": False,
        "figure.facecolor": "white",
    }
    with mpl.rc_context(settings):  # type: ignore[arg-type]  # its stubs list every key
        mpl.use("svg")
        figure = load_module(path, f"genailab_picture_{path.parent.name}").draw()
        figure.savefig(exercise.folder / "picture.svg", metadata={"Date": None})
    return True


if __name__ == "__main__":
    for exercise in [find_exercise(id) for id in sys.argv[1:]] or exercises():
        draw_picture(exercise)

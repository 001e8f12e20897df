"""Two sessions of two exercises, in files, for tests that need no torch."""

from genailab.learn.outcomes import CheckResult, State, Verdict

STARTER = '"""The starter of {id}."""\n\n\ndef answer():\n    # TODO\n    pass\n'


def write_curriculum(root):
    """Write the sessions s01 and s02; s01.2 builds on s01.1, and s02.1 on s01.2."""
    needs = {"s01.2": '"s01.1"', "s02.1": '"s01.2"'}
    for session, topic in ((1, "letters"), (2, "numbers")):
        folder = root / f"session_0{session}_{topic}"
        folder.mkdir(parents=True)
        (folder / "session.toml").write_text(
            f'id = "s0{session}"\ntitle = "All about {topic}"\nsummary = "Short."\ncontext = "Genes"\n'
            'objectives = ["Know"]\n'
        )
        for number in (1, 2):
            write_exercise(folder, f"s0{session}.{number}", number, needs)
    return root


def write_exercise(folder, id, number, needs):
    own = folder / f"exercise_{number}_task"
    own.mkdir()
    (own / "exercise.toml").write_text(
        f'id = "{id}"\ntitle = "Task {id}"\nminutes = {10 * number}\nkind = "code"\n'
        f'prerequisites = [{needs.get(id, "")}]\nobjectives = ["do {id}"]\n'
    )
    (own / "starter.py").write_text(STARTER.format(id=id))
    (own / "solution.py").write_text(f"# {id}\ndef answer():\n    return 42\n")
    (own / "lesson.md").write_text(f"# Lesson of {id}\n\nSome *words*.\n\n![A picture](picture.svg)\n")
    (own / "picture.svg").write_text("<svg/>")
    (own / "hints.md").write_text(
        "# Hints\n\n## Nudge\nOne.\n\n## Approach\nTwo.\n\n## Nearly code\nThree.\n"
    )


def verdict(id, state=State.PASSED, **fields):
    """Return the verdict of one check."""
    check = CheckResult(name="It answers", state=state, **fields)
    return Verdict(id=id, seed=7, checks=(check,))

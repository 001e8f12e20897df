"""A run's folder: what is refused, what is removed, and that nothing half-written stays."""

import errno
import logging
import os

import pytest

from genailab.errors import InputError
from genailab.pipelines.run_folder import RunFolder

CONFIG = "seed: 0\n"


def a_run(path):
    run = RunFolder.open(path)
    run.start(CONFIG)
    run.write_text("metrics.json", "{}")
    run.write_folder("model", lambda folder: (folder.mkdir(), (folder / "model.safetensors").write_text("w")))
    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_that_holds_a_run_is_refused_unless_asked(tmp_path):
    a_run(tmp_path / "out")
    with pytest.raises(
        InputError, match="already holds a run: resume it with --resume, replace it with --overwrite"
    ):
        RunFolder.open(tmp_path / "out")
    with pytest.raises(InputError, match="both to resume and to overwrite"):
        RunFolder.open(tmp_path / "out", resume=True, overwrite=True)
    assert RunFolder.open(tmp_path / "out", resume=True).holds_run


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("thing", ["thesis.txt", "config.yaml", "model/weights.bin", ".part"])
def test_a_folder_of_something_else_is_never_cleared(tmp_path, overwrite, thing):
    (tmp_path / thing).parent.mkdir(exist_ok=True)
    (tmp_path / thing).write_text("learning_rate: 3")
    with pytest.raises(InputError, match=r"holds no run but other things .*give an empty or a new folder"):
        RunFolder.open(tmp_path, overwrite=overwrite)
    assert (tmp_path / thing).read_text() == "learning_rate: 3"


def test_overwriting_removes_what_a_run_wrote_and_nothing_else_and_only_on_starting(tmp_path):
    a_run(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".generated.part.h5ad").write_text("half")
    run = RunFolder.open(tmp_path, overwrite=True)
    assert {"metrics.json", "model"} <= set(names(tmp_path))
    run.start(CONFIG)
    assert names(tmp_path) == ["config.yaml", "notes.txt"]


def test_a_start_killed_before_it_wrote_anything_can_be_repeated(tmp_path):
    (tmp_path / ".config.part.yaml").write_text("se")
    (tmp_path / ".writable").write_text("")
    RunFolder.open(tmp_path).start(CONFIG)
    assert names(tmp_path) == ["config.yaml"]


def test_nothing_to_resume(tmp_path):
    with pytest.raises(
        InputError, match="holds no run to resume: give its folder, or start without --resume"
    ):
        RunFolder.open(tmp_path / "absent", resume=True)
    assert not (tmp_path / "absent").exists()


def test_places_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file: give a folder"):
        RunFolder.open(tmp_path / "file")
    with pytest.raises(
        InputError, match=r"cannot write to .*: Not a directory; give another folder with --out"
    ):
        RunFolder.open(tmp_path / "file" / "out")

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    with pytest.raises(InputError, match=r"cannot write to .*: Permission denied"):
        RunFolder.open(tmp_path / "out")


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("I/O error: No space left on device")],
)
def test_a_full_disk_is_one_sentence_and_the_old_file_stays(tmp_path, error):
    run = a_run(tmp_path)

    def half(path):
        path.mkdir() if path.suffix == ".part" else path.write_text("{")
        raise error

    for write, name in ((run.write, "metrics.json"), (run.write_folder, "model")):
        with pytest.raises(
            InputError, match=f"the disk is full: .*{name} could not be written; free some space"
        ):
            write(name, half)
    assert (tmp_path / "metrics.json").read_text() == "{}"
    assert names(tmp_path) == ["config.yaml", "metrics.json", "model"]
    assert names(tmp_path / "model") == ["model.safetensors"]


def test_other_errors_pass_and_leave_nothing(tmp_path):
    run = a_run(tmp_path)
    with pytest.raises(ZeroDivisionError):
        run.write("report.html", lambda path: path.write_text(str(1 / 0)))
    assert "report.html" not in names(tmp_path)


def test_the_log_begins_with_the_run_and_holds_what_came_before(tmp_path):
    logger = logging.getLogger("genailab")
    with RunFolder.open(tmp_path / "bad").log():
        logger.info("reading")
    assert not (tmp_path / "bad").exists()
    run = RunFolder.open(tmp_path / "good")
    with run.log():
        logger.info("reading")
        run.start(CONFIG)
        logger.info("training")
        assert "training" in (tmp_path / "good/run.log").read_text()
    logger.info("after")
    lines = (tmp_path / "good/run.log").read_text().splitlines()
    assert [line.split(" INFO ")[1] for line in lines] == ["reading", "training"]

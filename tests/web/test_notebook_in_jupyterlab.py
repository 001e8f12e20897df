"""Session 1 in JupyterLab, in a real browser: a wrong answer, its picture, then a pass, in either theme."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from genailab.learn.content import Exercise, find_exercise
from genailab.learn.state.progress import Progress
from genailab.learn.state.workspace import Workspace
from genailab.reports.palette import THEMES

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("jupyterlab")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

EXERCISE = find_exercise("s01.1")
PATIENCE = 180_000  # milliseconds; JupyterLab and torch start on cores that may be busy


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    return Workspace.create(tmp_path_factory.mktemp("practice"))


@pytest.fixture(scope="module")
def lab(workspace, tmp_path_factory):
    """JupyterLab on the workspace: its address, with settings of its own."""
    settings = tmp_path_factory.mktemp("jupyter")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "--no-browser",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=practice",
    ]
    options += [f"--ServerApp.root_dir={workspace.root}", *(["--allow-root"] if os.getuid() == 0 else [])]
    # Nothing is asked of the network; and the theme is chosen by its command, not through menus.
    options += ["--LabApp.expose_app_in_browser=True"]
    options += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    places = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "JUPYTERLAB_SETTINGS_DIR",
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **{name: str(settings / name) for name in places}}
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=(settings / "log").open("w"),
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api?token=practice", process, settings / "log")
        yield address
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        if process.poll() is None:
            process.kill()


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.3)
    raise AssertionError(log.read_text()[-2000:])


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(browser, lab, workspace):
    """Session 1's notebook, open."""
    path = workspace.notebook_of(workspace.sessions[0]).relative_to(workspace.root)
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    page.goto(f"{lab}/lab/tree/{path}?token=practice")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=PATIENCE)
    # Its indicator says "idle" before there is a kernel, and what is run then is lost.
    page.wait_for_function(
        "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=PATIENCE
    )
    yield page
    page.close()


def cell(page, text: str):
    """Return the code cell that holds a text."""
    return page.locator(".jp-CodeCell").filter(has_text=text).first


def run(page, one) -> None:
    one.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")


def answer(page, text: str, exercise: Exercise = EXERCISE):
    """Put an answer into the exercise's cell, run it and its check; return the verdict that is shown."""
    heading = f"# {exercise.id} {exercise.title}"
    mine = cell(page, heading)
    mine.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f"{heading}\n{text}")
    page.keyboard.press("Control+Enter")
    checking = cell(page, f'exercise("{exercise.id}")')
    before = checking.locator(".jp-InputPrompt").inner_text()
    run(page, checking)
    # A number, once it has run, that is not the one of the time before.
    page.wait_for_function(
        "([one, before]) => /\\d/.test(one.innerText) && one.innerText !== before",
        arg=[checking.locator(".jp-InputPrompt").element_handle(), before],
        timeout=PATIENCE,
    )
    assert checking.locator(".feedback").count() == 1, checking.inner_text()
    return checking.locator(".feedback")


def choose_theme(page, name: str) -> None:
    page.evaluate(f"jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {name}'}})")
    page.wait_for_selector(f"body[data-jp-theme-light={str(name == 'Light').lower()}]", state="attached")


def keep_screenshot(page, name: str) -> None:
    folder = os.environ.get("GENAILAB_SCREENSHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png")


def test_a_wrong_answer_is_named_and_drawn_and_the_solution_passes(page, workspace):
    verdict = answer(page, (EXERCISE.folder / "wrong" / "order_atgc.py").read_text())
    assert "Failed" in verdict.locator(".outcome").inner_text()
    assert "rows in the order A, T, G, C" in verdict.inner_text()
    yours, _ = verdict.locator("figure svg").all()
    assert "values differ" in yours.get_attribute("aria-label")
    assert yours.bounding_box()["height"] > 40
    # JupyterLab's own rules for lists and code must not set ours side by side.
    places = [box.bounding_box()["x"] for box in verdict.locator(".values pre").all()]
    assert len(places) == 3
    assert len(set(places)) == 1
    for theme in ("Light", "Dark"):
        choose_theme(page, theme)
        verdict.scroll_into_view_if_needed()
        keep_screenshot(page, f"wrong_{theme.lower()}")
        shown = "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
        palette = THEMES[theme.lower()]
        assert verdict.evaluate(shown) == [rgb(palette["ink"]), rgb(palette["surface"])]
    assert Progress.open(workspace).of("s01.1").state == "tried"

    verdict = answer(page, EXERCISE.text("solution.py"))
    keep_screenshot(page, "passed_dark")
    assert "Passed" in verdict.locator(".outcome").inner_text()
    assert "7 of 7 checks passed" in verdict.inner_text()
    assert Progress.open(workspace).of("s01.1").state == "passed"


def test_the_rest_of_session_1_passes_too(page, workspace):
    for exercise in workspace.sessions[0].exercises[1:]:
        verdict = answer(page, exercise.text("solution.py"), exercise)
        assert "Passed" in verdict.locator(".outcome").inner_text(), verdict.inner_text()
        assert Progress.open(workspace).of(exercise.id).state == "passed"
    keep_screenshot(page, "session_passed")


def test_the_pictures_of_the_lessons_are_there(page):
    picture = page.locator(".jp-MarkdownCell img").first
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 100
    keep_screenshot(page, "lesson_dark")


def rgb(colour: str) -> str:
    """As a browser says it: "#102030" is "rgb(16, 32, 48)"."""
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"

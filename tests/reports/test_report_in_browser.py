"""The page in a real browser: silent, offline, switchable, readable at any width and in either theme."""

from __future__ import annotations

import shutil

import pytest
from invented import make_report

from genailab.reports import render
from genailab.reports.palette import THEMES, TYPE_COLOURS

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

TYPES = ["CD4+/CD45RA+/CD25- Naive T", "<b>NK</b>", *(f"type {i}" for i in range(12))]

# Contrast of each piece of text with the nearest painted background behind it (WCAG 2.2), worst first.
CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let e = node; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [a, b] = [luminance(rgb(ink)), luminance(behind(element))].sort((x, y) => x - y);
    found.push([(b + 0.05) / (a + 0.05), walker.currentNode.data.trim().slice(0, 40)]);
  }
  return found.sort((x, y) => x[0] - y[0]);
}"""
SHOWN = """() => document.getElementById("figure-embedding").data
  .filter((trace) => trace.visible !== false && trace.meta.type !== undefined)
  .map((trace) => `${trace.meta.kind} ${trace.meta.type}`)"""

COLOUR = "document.getElementById('figure-embedding').data[0].marker.color"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    report = make_report(types=TYPES, genes=[f"GENE{i}" for i in range(36)])
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(report), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def opened(browser, address):
    """The page, and all that it said on the console or asked of the network. One for all: opening is slow."""
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: _note_request(request.url, complaints))
    page.goto(address)
    page.wait_for_function("document.documentElement.dataset.drawn === 'true'")
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    yield page, complaints
    page.close()


@pytest.fixture
def page(opened):
    """The shared page in its first state; a test that makes it complain fails."""
    page, complaints = opened
    yield page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    assert complaints == []


def _note_request(url: str, complaints: list[str]) -> None:
    if not url.startswith(("file:", "data:", "blob:")):
        complaints.append(f"asked for {url}")


def test_buttons_switch_real_and_generated_and_types(page):
    real = {f"real {i}" for i in range(len(TYPES))}
    generated = {f"generated {i}" for i in range(len(TYPES))}
    assert set(page.evaluate(SHOWN)) == real | generated
    views = {"Real": real, "Generated": generated, "Side by side": real | generated, "Both": real | generated}
    for name, shown in views.items():
        page.get_by_role("button", name=name, exact=True).click()
        assert set(page.evaluate(SHOWN)) == shown
        assert page.locator("[data-view][aria-pressed=true]").inner_text() == name
    page.locator("[data-type='3']").press("Enter")
    assert set(page.evaluate(SHOWN)) == (real | generated) - {"real 3", "generated 3"}
    page.get_by_role("button", name="Show all types").click()
    assert set(page.evaluate(SHOWN)) == real | generated


@pytest.mark.parametrize("width", [820, 390, 360])
def test_the_page_never_scrolls_sideways(page, width):
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.set_viewport_size({"width": width, "height": 900})
    # Also a figure drawn for the wide window must have shrunk.
    page.wait_for_function("document.getElementById('figure-curve-0')._fullLayout.width < innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_aa_contrast(page, theme):
    page.emulate_media(color_scheme=theme)
    page.wait_for_function(f"{COLOUR} === '{TYPE_COLOURS[theme][0]}'")
    contrasts = page.evaluate(CONTRAST)
    assert len(contrasts) > 200
    assert contrasts[0][0] >= 4.5, contrasts[:5]


def test_the_button_overrules_the_theme_of_the_system(page):
    button = page.locator("#theme")
    page.emulate_media(color_scheme="dark")
    for name, theme in (("light", "light"), ("dark", "dark"), ("system", "dark")):
        button.click()
        page.wait_for_function(f"{COLOUR} === '{TYPE_COLOURS[theme][0]}'")
        assert button.inner_text().endswith(name)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == rgb(THEMES[theme]["page"])


def test_names_are_drawn_as_they_are(page):
    ticks = page.locator("#figure-markers .ytick").all_text_contents()
    assert any(tick.startswith("<b>NK</b>") for tick in ticks)


def test_reads_without_javascript(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    text = page.locator("main").inner_text()
    assert "beats both baselines" in text
    assert "0.123" in text
    assert "drawn with JavaScript" in text
    assert page.get_by_role("button").count() == 0
    page.locator("summary", has_text="Numbers behind the map").click()
    assert page.get_by_role("columnheader", name="generated on the map").is_visible()
    context.close()


def rgb(colour: str) -> str:
    """As a browser says it: "#102030" is "rgb(16, 32, 48)"."""
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"

"""Laws of the page, read as a browser without a network or JavaScript would read it."""

import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import curve, embedding, make_report, markers, scores

from genailab.errors import InputError
from genailab.reports import DatasetSummary, render
from genailab.reports.page import script_safe
from genailab.reports.score_table import score_rows

HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"' & <!--", "{{ 7 * 7 }}"]
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Elements with their attributes, and the text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        {"script": self.scripts, "style": self.styles}.get(inside, self.words).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def page() -> Page:
    return Page(render(make_report()))


def test_loads_nothing(page):
    for tag, attributes in page.elements:
        for name in ("src", "srcset", "href", "poster", "data", "action", "xlink:href"):
            target = attributes.get(name)
            assert target is None or target.startswith(("#", "data:")), (tag, target)
    style = " ".join(page.styles)
    assert "@import" not in style
    assert "url(" not in style
    assert "@font-face" not in style


def test_every_element_is_closed_and_every_id_is_one_of_a_kind(page):
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "data-copy"):
            assert attributes.get(name) is None or attributes[name] in ids
        if (attributes.get("href") or "").startswith("#"):
            assert attributes["href"][1:] in ids


def test_the_verdict_comes_before_everything_else(page):
    text = page.text.split("Theme:", 1)[1]
    report = make_report()
    assert text.index(report.title) < text.index(report.verdict) < text.index("765")


def test_has_language_landmarks_and_headings_in_order(page):
    assert page.all("html")[0]["lang"] == "en"
    assert all(len(page.all(tag)) == 1 for tag in ("main", "nav", "header", "footer", "h1"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_figure_has_a_name_and_a_table(page):
    plots = [a for _, a in page.elements if a.get("class") == "plot"]
    assert len(plots) == 3
    assert all(plot["role"] == "img" and len(plot["aria-label"]) > 20 for plot in plots)
    tables = [tag for tag, _ in page.elements if tag in ("figure", "table")]
    assert tables[: 2 * len(plots)] == ["figure", "table"] * len(plots)


def test_every_score_is_written_out(page):
    report = make_report()
    columns = ["latent diffusion", "VAE prior", "independent NB", "Gaussian copula", "ceiling"]
    for row in score_rows(report.scores, columns, ceiling="ceiling", meanings={}):
        assert row.metric in page.text
        for cell in row.cells:
            assert cell.text in page.text
            assert cell.interval in page.text
    assert "30 principal components" in page.text
    assert "Zero when the two sets of cells agree." in page.text


def test_says_what_was_left_out_and_how_to_reproduce(page):
    for words in (
        "8 cells : a type with fewer than 10 cells",
        "Type 'rare' was kept out",
        "genailab demo --seed 7",
        "3f2a91c0",
        "2.13.0",
        "seed: 7",
        "1 min 36 s",
        "raw.X",
    ):
        assert words in page.text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_and_nothing_else(name):
    plain = Page(render(make_report()))
    report = make_report(
        types=[name, "NK cell", "Monocyte"],
        genes=[name, "LYZ"],
        verdict=name,
        curves={name: curve(30)},
        warnings=[name],
        metric_notes={"MMD": name},
    )
    page = Page(render(report))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)
    assert " ".join(name.split()) in page.text


@given(st.recursive(st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
@settings(max_examples=50)
def test_script_json_reads_back_and_cannot_end_its_script(value):
    safe = script_safe(json.dumps(value, ensure_ascii=False))
    assert json.loads(safe) == value
    assert not set(safe) & set("<>&\u2028\u2029")


@pytest.mark.parametrize("n_types", [1, 40])
def test_any_number_of_types(n_types):
    types = [f"type {index}" for index in range(n_types)]
    page = Page(render(make_report(types=types)))
    assert sum("data-type" in attributes for _, attributes in page.elements) == n_types
    assert ("colours begin again" in page.text) == (n_types > 12)


def test_what_is_absent_is_said():
    report = make_report(
        curves={"count VAE": curve(0), "latent diffusion": curve(1)},
        embedding=embedding([]),
        markers=markers([], []),
        scores=[],
        warnings=[],
    )
    text = Page(render(report)).text
    for words in ("No epoch was recorded.", "No cell was placed", "No marker gene", "No score was computed"):
        assert words in text
    assert "1 epoch;" in text
    bare = Page(render(make_report(curves={}, embedding=embedding([]), markers=markers([], []))))
    assert "No training was recorded" in bare.text
    assert max(map(len, bare.scripts)) < 100_000  # no figure, so no plotly.js


def test_types_only_in_the_figures_are_kept():
    report = make_report(embedding=embedding(["B cell", "made up"]))
    assert report.types == ["B cell", "NK cell", "Monocyte", "made up"]
    assert "made up" in Page(render(report)).text


def test_the_same_report_gives_the_same_page():
    assert render(make_report()) == render(make_report())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"embedding": embedding(["a"]).rename(columns={"type": "Type"})},
            "no column 'type': did you mean 'Type'",
        ),
        ({"embedding": embedding(["a"]).assign(kind="fake")}, "embedding.kind is 'fake': known: 'real'"),
        ({"embedding": embedding(["a"]).assign(x=np.nan)}, "embedding row 0 has x = nan"),
        ({"markers": markers(["a"], ["g"]).drop(columns="real_mean")}, "no column 'real_mean'"),
        (
            {"markers": markers(["a"], ["g"]).assign(real_fraction=np.inf)},
            "markers row 0 has real_fraction = inf",
        ),
        (
            {"curves": {"VAE": pd.DataFrame({"epoch": [1], "loss": [2.0]})}},
            "curve of 'VAE' has no column 'train'",
        ),
    ],
)
def test_says_what_is_wrong_and_where(changes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make_report(**changes)


def test_an_unknown_direction_and_an_empty_data_set_are_refused():
    wrong = [*scores(), scores()[0].__class__(**(vars(scores()[0]) | {"better": "hihger"}))]
    with pytest.raises(InputError, match="is 'hihger': did you mean 'higher'"):
        make_report(scores=wrong)
    with pytest.raises(InputError, match="cell_types is empty"):
        DatasetSummary(name="x", n_cells=0, n_genes=0, cell_types={}, counts_source="X")


def test_the_duration_of_a_resumed_run_is_said_to_be_that_of_its_last_part():
    whole = make_report()
    part = replace(whole, reproduce=replace(whole.reproduce, resumed=True))
    assert "Made in (this part)" in render(part)
    assert "this part" not in render(whole)

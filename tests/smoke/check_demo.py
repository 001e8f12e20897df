"""Check what a run of the demo wrote: python tests/smoke/check_demo.py FOLDER."""

from __future__ import annotations

import json
import math
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import anndata
import numpy as np
import scipy.sparse
import yaml

SUBJECTS = {"latent diffusion", "VAE prior", "independent NB", "Gaussian copula", "ceiling"}
SCORE_KEYS = {"metric", "subject", "value", "ci_low", "ci_high", "better", "space", "n"}
LOADING_ATTRIBUTES = {"src", "srcset", "data", "poster", "action", "background"}


def check_metrics(folder: Path) -> str:
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["schema"] == 1, f"metrics.json has schema {metrics['schema']}, not 1"
    assert metrics["split_hash"], "metrics.json has no split hash"
    assert metrics["dataset"], "metrics.json does not describe the dataset"
    assert metrics["verdict"].strip(), "metrics.json has no verdict"
    subjects = {score["subject"] for score in metrics["scores"]}
    assert subjects == SUBJECTS, f"metrics.json scores {sorted(subjects)}, not {sorted(SUBJECTS)}"
    for score in metrics["scores"]:
        check_score(score)
    return f"{len(metrics['scores'])} scores"


def check_score(score: dict[str, object]) -> None:
    assert score.keys() >= SCORE_KEYS, f"a score lacks {sorted(SCORE_KEYS - score.keys())}: {score}"
    low, value, high = (float(score[key]) for key in ("ci_low", "value", "ci_high"))  # type: ignore[arg-type]
    assert all(math.isfinite(number) for number in (low, value, high)), f"a score is not finite: {score}"
    assert low <= high, f"an interval ends before it begins: {score}"
    assert int(score["n"]) > 0, f"a score was computed with no cell: {score}"  # type: ignore[call-overload]


def check_cells(folder: Path) -> str:
    cells = anndata.read_h5ad(folder / "generated.h5ad")
    counts = scipy.sparse.csr_matrix(cells.X).data
    assert cells.n_obs > 0, "generated.h5ad holds no cell"
    assert cells.n_vars > 0, "generated.h5ad holds no gene"
    assert (counts >= 0).all(), "generated.h5ad holds a negative count"
    assert (counts == np.rint(counts)).all(), "generated.h5ad holds a count that is not whole"
    return f"{cells.n_obs} generated cells of {cells.n_vars} genes"


def check_model(folder: Path) -> str:
    from genailab.generative.diffusion import LatentDiffusion  # here: the other checks need no model

    model = LatentDiffusion.from_pretrained(folder / "model")
    parameters = sum(parameter.numel() for parameter in model.parameters())
    assert parameters > 0, "model/ holds no parameter"
    return f"a model of {parameters:,} parameters"


class Loads(HTMLParser):
    """Collects what a browser would fetch to show the page; a link followed on a click is none."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        for name, value in attrs:
            if name in LOADING_ATTRIBUTES or (name == "href" and tag == "link"):
                self.addresses.append(value or "")
            elif name == "style":
                self.handle_style(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "style":
            self.handle_style(data)

    def handle_style(self, css: str) -> None:
        self.addresses += re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""", css)


def check_report(folder: Path) -> str:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert len(page) > 10_000, f"report.html has only {len(page)} characters"
    loads = Loads()
    loads.feed(page)
    outside = [address for address in loads.addresses if not address.startswith(("data:", "#"))]
    assert not outside, f"report.html is not self-contained, it loads {outside[:3]}"
    return f"a report of {len(page) / 1e6:.1f} MB"


def check_records(folder: Path) -> str:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert isinstance(config, dict), "config.yaml does not hold a mapping"
    assert config, "config.yaml is empty"
    assert (folder / "run.log").read_text().strip(), "run.log is empty"
    return "configuration and log"


def main() -> None:
    folder = Path(sys.argv[1])
    for check in (check_metrics, check_cells, check_model, check_report, check_records):
        print(f"found {check(folder)}")


if __name__ == "__main__":
    main()

"""``import genailab`` and ``genailab --help`` stay light, and what is promised can be reached."""

import subprocess
import sys

import pytest

import genailab

HEAVY = (
    "torch",
    "scanpy",
    "anndata",
    "pandas",
    "sklearn",
    "accelerate",
    "scipy",
    "numpy",
    "plotly",
    "umap",
)


def loaded_after(code):
    script = f"import sys\n{code}\nprint(*sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.splitlines()[-1].split()


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import genailab; genailab.__version__; dir(genailab)") == []


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["run", "single-cell", "--help"], ["demo", "-h"]]
)
def test_help_loads_nothing_heavy(words):
    code = f"""
from genailab.cli.main import main
sys.argv = ["genailab", *{words!r}]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""
    assert loaded_after(code) == []


def test_sub_packages_load_when_they_are_used():
    assert loaded_after("import genailab; genailab.training.fit") != []
    for name in genailab.__all__:
        assert getattr(genailab, name) is not None
    assert set(genailab.__all__) <= set(dir(genailab))
    with pytest.raises(AttributeError, match="no attribute 'trainning'"):
        genailab.trainning  # noqa: B018

"""The package's front: everything named there exists, and naming it costs nothing."""

import subprocess
import sys

import pytest

import genailab.data


@pytest.mark.parametrize("name", genailab.data.__all__)
def test_every_public_name_leads_to_itself(name):
    found = getattr(genailab.data, name)
    assert getattr(found, "__name__", None) or found.name == name


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, genailab.data; dir(genailab.data);"
        "print([m for m in ('torch', 'scanpy', 'anndata', 'pandas', 'numpy') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'load_pbcm'"):
        _ = genailab.data.load_pbcm

import sys

import pytest

from genailab.cli.main import main


@pytest.fixture
def call(monkeypatch, capsys):
    """Call genailab as a shell would; return exit code, stdout and stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["genailab", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run

"""Open the learner's files in their own editor, and notebooks in JupyterLab."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from genailab.errors import InputError

__all__ = ["open_in_editor", "open_notebook"]


def open_in_editor(path: Path) -> None:
    """Open a file with $VISUAL or else $EDITOR, and wait if that waits.

    Raises
    ------
    InputError
        If neither is set, or it is no program; or the file is not there.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}: genailab learn reset gives you a new one")
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    words = shlex.split(chosen) if chosen else []
    if not words:
        raise InputError(f"no editor is named: set EDITOR (export EDITOR=nano), or open {path} yourself")
    if shutil.which(words[0]) is None:
        raise InputError(
            f"the editor {words[0]!r} ($VISUAL or $EDITOR) is not installed: open {path} yourself"
        )
    subprocess.run([*words, str(path)], check=False)


def open_notebook(path: Path) -> int:
    """Open a notebook in JupyterLab; return its exit code once it ends.

    Raises
    ------
    InputError
        If JupyterLab is not installed, or the notebook is not there.
    """
    if find_spec("jupyterlab") is None:
        raise InputError("notebooks need JupyterLab: pip install 'genailab[notebooks]'")
    if not path.is_file():
        raise InputError(f"there is no notebook {path}: genailab learn update writes it anew")
    try:
        return subprocess.run([sys.executable, "-m", "jupyterlab", str(path)], check=False).returncode
    except KeyboardInterrupt:  # how JupyterLab is ended
        return 0
